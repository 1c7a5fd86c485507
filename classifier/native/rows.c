/* Texts to rows: words and characters, their grams, the grams' columns and TF-IDF.

   A text's row does not depend on the texts around it: entries stand in the order in which their grams
   first occur, block by block, and all sums run in that order. */

#include <stdlib.h>

#include "grams.h"

#define TITLE 60 /* characters: classifier/grams.py's TITLE_CHARACTERS */
#define GOLDEN32 0x9E3779B1u /* 2**32 / golden ratio */
#define AHEAD 16 /* keys between asking for a slot and needing it */

/* A text taken apart. */
struct scratch {
    ways *ways;
    uint32_t *ends;
    uint32_t *characters; /* without white space; 0 for what parts grams */
    uint32_t *numbers;    /* of words; 0 for an unknown word */
    uint64_t *keys;
    entry *entries;
    uint32_t *seen; /* hash table: column -> place in `entries`, plus one */
};

scratch *scratch_new(const grams *g, int64_t length)
{
    size_t room = (size_t)length + 1, grams = room * (size_t)(g->runs + 1);
    scratch *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->ways = ways_new(length);
    s->ends = malloc(room * sizeof *s->ends);
    s->characters = malloc(room * sizeof *s->characters);
    s->numbers = malloc(room * sizeof *s->numbers);
    s->keys = malloc(grams * sizeof *s->keys);
    s->entries = malloc(grams * sizeof *s->entries);
    s->seen = malloc(((size_t)1 << bits_for(4 * grams)) * sizeof *s->seen);
    if (!s->ways || !s->ends || !s->characters || !s->numbers || !s->keys || !s->entries || !s->seen) {
        scratch_free(s);
        return NULL;
    }
    return s;
}

void scratch_free(scratch *s)
{
    if (s) {
        ways_free(s->ways);
        free(s->ends);
        free(s->characters);
        free(s->numbers);
        free(s->keys);
        free(s->entries);
        free(s->seen);
        free(s);
    }
}

int64_t longest_of(const texts *t)
{
    int64_t longest = 0;
    for (int64_t i = 0; i < t->count; i++)
        if (t->lengths[i] > longest)
            longest = t->lengths[i];
    return longest;
}

static bool ends_sentence(uint32_t code)
{
    return code == 0x3002 || code == '!' || code == '?' || code == 0xFF01 || code == 0xFF1F;
}

/* How many words the title has: the first sentence without its end mark, no longer than TITLE. */
static size_t title_of(const uint32_t *text, const uint32_t *ends, size_t words)
{
    for (size_t i = 0, from = 0; i < words; from = ends[i++])
        if (ends[i] > TITLE || (ends[i] == from + 1 && ends_sentence(text[from])))
            return i;
    return words;
}

/* The characters of a text without spaces, 0 for what is neither letter nor digit; how many there are. */
static size_t characters_of(const grams *g, const uint32_t *text, size_t length, uint32_t *characters)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        characters[count] = text[i] < PLANE && g->is_word[text[i]] ? text[i] : 0;
        count += text[i] != ' ';
    }
    return count;
}

/* The numbers of all words; until they are found their keys and shapes stand in the scratch. */
static void number_words(const grams *g, const uint32_t *text, scratch *s, size_t words)
{
    for (size_t i = 0, from = 0; i < words; from = s->ends[i++]) {
        s->keys[i] = key_of(text + from, s->ends[i] - from, &s->numbers[i]);
        __builtin_prefetch(&g->words[word_home(g, s->keys[i])]);
    }
    for (size_t i = 0, from = 0; i < words; from = s->ends[i++])
        s->numbers[i] = number_of(g, s->keys[i], s->numbers[i], text + from);
}

/* The keys of a block's grams that are perhaps known. No branch tells them apart: which gram is known
   cannot be foreseen, and a branch that is foreseen wrongly costs more than the work it saves. */
static size_t keys_of(const grams *g, const block *b, uint64_t number, const uint32_t *units, size_t count,
                      uint64_t *keys)
{
    size_t found = 0;
    unsigned bits = b->kind == WORDS ? WORD_BITS : CHARACTER_BITS;
    for (size_t i = 0; i < count; i++) {
        uint64_t key = 0;
        size_t until = i + (size_t)b->longest < count ? i + (size_t)b->longest : count;
        for (size_t at = i; at < until && units[at]; at++) {
            key = key << bits | units[at];
            keys[found] = key | number << BLOCK_SHIFT;
            found += passes(g, keys[found]);
        }
    }
    return found;
}

/* Gather the columns of keys, each once with how often it came; return how many they are. */
static size_t gather(const grams *g, scratch *s, size_t keys)
{
    unsigned bits = bits_for(4 * (uint64_t)keys), slot;
    uint32_t mask = (1u << bits) - 1;
    uint32_t count = 0;
    memset(s->seen, 0, ((size_t)1 << bits) * sizeof *s->seen);
    for (size_t i = 0; i < keys; i++) {
        if (i + AHEAD < keys)
            __builtin_prefetch(&g->buckets[key_home(g, s->keys[i + AHEAD])]);
        const bucket *b = find(g, s->keys[i], &slot);
        if (!b)
            continue;
        /* Entered as new behind the others, which it is or is not: here too without a branch. */
        uint32_t column = b->columns[slot], place, at = column * GOLDEN32 >> (32 - bits);
        s->entries[count] = (entry){column, 0, b->weights[slot], (uint32_t)(s->keys[i] >> BLOCK_SHIFT) - 1};
        for (;; at = (at + 1) & mask) {
            place = s->seen[at] ? s->seen[at] - 1 : count;
            if (s->entries[place].column == column)
                break;
        }
        s->seen[at] = place + 1;
        s->entries[place].times++;
        count += place == count;
    }
    return count;
}

static void weigh(const grams *g, entry *entries, size_t count)
{
    double squares[MOST_BLOCKS] = {0};
    for (size_t i = 0; i < count; i++) {
        entry *e = &entries[i];
        e->value *= e->times < LOGARITHMS ? g->damped[e->times] : (float)(1 + logarithm(e->times));
        squares[e->block] += (double)(e->value * e->value);
    }
    for (int32_t i = 0; i < g->block_count; i++)
        squares[i] = __builtin_sqrt(squares[i]);
    for (size_t i = 0; i < count; i++)
        entries[i].value = (float)(entries[i].value / squares[entries[i].block]);
}

size_t row_of(const lexicon *l, const grams *g, const uint32_t *text, size_t length, scratch *s, entry **found)
{
    size_t words = cut(l, text, length, s->ways, s->ends);
    size_t title_words = title_of(text, s->ends, words);
    size_t title_length = title_words ? s->ends[title_words - 1] : 0;
    size_t characters = characters_of(g, text, length, s->characters);
    size_t title_characters = 0;
    for (size_t i = 0; i < title_length; i++)
        title_characters += text[i] != ' ';
    number_words(g, text, s, words);
    size_t keys = 0;
    for (int32_t i = 0; i < g->block_count; i++) {
        const block *b = &g->blocks[i];
        bool title = b->field == TITLE_FIELD;
        const uint32_t *units = b->kind == WORDS ? s->numbers : s->characters;
        size_t count = b->kind == WORDS ? (title ? title_words : words) : (title ? title_characters : characters);
        keys += keys_of(g, b, (uint64_t)i + 1, units, count, s->keys + keys);
    }
    size_t count = gather(g, s, keys);
    weigh(g, s->entries, count);
    *found = s->entries;
    return count;
}
