/* Grams to columns: the keys of classifier/keys.py, found in an open-addressing table, and their TF-IDF.

   A text's row does not depend on the texts around it: entries stand in the order in which their grams
   first occur, block by block, and all sums run in that order. */

#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define PLANE 0x10000
#define BLOCK_SHIFT 48
#define WORD_BITS 24
#define CHARACTER_BITS 16
#define MOST_BLOCKS 255
#define TITLE 60   /* characters: classifier/features.py's TITLE_CHARACTERS */
#define LOGARITHMS 64

enum { TEXT, TITLE_FIELD };
enum { WORDS, CHARACTERS };

typedef struct {
    int32_t field;
    int32_t kind;
    int32_t longest;
} block;

typedef struct {
    uint64_t key; /* 0 is an empty slot: blocks are counted from 1 */
    uint32_t column;
    float weight;
} slot;

typedef struct {
    uint32_t hash;
    uint32_t number; /* 0 is an empty slot */
} word_slot;

struct grams {
    slot *slots;
    unsigned bits;
    word_slot *words;
    unsigned word_bits;
    uint32_t *word_points; /* of all words, one behind the other */
    int64_t *word_starts;
    uint8_t *is_word; /* of each code point of the first plane: is it a letter or a digit? */
    float damped[LOGARITHMS]; /* 1 + ln of how often a gram stands in a text */
    block blocks[MOST_BLOCKS];
    int32_t block_count;
    int64_t runs; /* the sum of all blocks' longest runs: grams that begin at one place, at most */
};

/* A text taken apart. */
struct scratch {
    double *route;
    uint32_t *next;
    uint32_t *ends;
    uint32_t *characters; /* without white space; 0 for what parts grams */
    uint32_t *numbers;    /* of words; 0 for an unknown word */
    uint64_t *keys;
    entry *entries;
    uint32_t *seen; /* hash table: column -> place in `entries`, plus one */
};

/* --- making --- */

static uint32_t hash_of(const uint32_t *word, size_t length)
{
    uint64_t hash = length;
    for (size_t i = 0; i < length; i++)
        hash = ((hash ^ word[i]) * GOLDEN) ^ (hash >> 29);
    return (uint32_t)(hash >> 16);
}

static uint32_t number_of(const grams *g, const uint32_t *word, size_t length)
{
    uint32_t hash = hash_of(word, length), mask = (1u << g->word_bits) - 1;
    for (uint32_t at = hash & mask; g->words[at].number; at = (at + 1) & mask) {
        uint32_t number = g->words[at].number;
        const int64_t *start = g->word_starts + number - 1;
        if (g->words[at].hash == hash && (size_t)(start[1] - start[0]) == length &&
            !memcmp(g->word_points + start[0], word, length * sizeof *word))
            return number;
    }
    return 0;
}

static void place_word(grams *g, uint32_t number)
{
    const int64_t *start = g->word_starts + number - 1;
    uint32_t hash = hash_of(g->word_points + start[0], (size_t)(start[1] - start[0]));
    uint32_t mask = (1u << g->word_bits) - 1, at = hash & mask;
    while (g->words[at].number)
        at = (at + 1) & mask;
    g->words[at] = (word_slot){hash, number};
}

static inline uint64_t home_of(const grams *g, uint64_t key)
{
    return key * GOLDEN >> (64 - g->bits);
}

static void place_key(grams *g, uint64_t key, uint32_t column, float weight)
{
    uint64_t mask = ((uint64_t)1 << g->bits) - 1, at = home_of(g, key);
    while (g->slots[at].key)
        at = (at + 1) & mask;
    g->slots[at] = (slot){key, column, weight};
}

EXPORT void grams_free(grams *g)
{
    if (g) {
        free(g->slots);
        free(g->words);
        free(g->word_points);
        free(g->word_starts);
        free(g->is_word);
        free(g);
    }
}

/* ln of a whole number from 1 on, without the C library's, which differs from processor to processor:
   ln m = 2 artanh((m - 1) / (m + 1)), by its power series. */
static double logarithm(uint32_t number)
{
    double m = number, powers = 0, sum = 0;
    for (; m >= 2; m /= 2)
        powers += 0.69314718055994530942; /* ln 2 */
    double z = (m - 1) / (m + 1), power = z;
    for (int odd = 1; odd < 36; odd += 2, power *= z * z)
        sum += power / odd;
    return powers + 2 * sum;
}

static void *copy_of(const void *from, size_t size)
{
    void *copy = malloc(size ? size : 1);
    return copy ? memcpy(copy, from, size) : NULL;
}

/* Make the table of a model's grams. All arrays are copied.

   `keys` and `weights` have a number for each column, `blocks` three for each block (field: 0 text, 1
   title; kind: 0 words, 1 characters; longest), `word_starts` one for each word and one for the end,
   `is_word` 65536. NULL where memory has run out. */
EXPORT grams *grams_new(const uint64_t *keys, const float *weights, int64_t columns, const int32_t *blocks,
                        int32_t block_count, const uint32_t *word_points, const int64_t *word_starts, int64_t words,
                        const uint8_t *is_word)
{
    grams *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->bits = bits_for(2 * (uint64_t)columns);
    g->word_bits = bits_for(2 * (uint64_t)words);
    g->slots = table_new(((size_t)1 << g->bits) * sizeof *g->slots);
    g->words = table_new(((size_t)1 << g->word_bits) * sizeof *g->words);
    g->word_points = copy_of(word_points, (size_t)word_starts[words] * sizeof *word_points);
    g->word_starts = copy_of(word_starts, (size_t)(words + 1) * sizeof *word_starts);
    g->is_word = copy_of(is_word, PLANE);
    if (!g->slots || !g->words || !g->word_points || !g->word_starts || !g->is_word || block_count > MOST_BLOCKS) {
        grams_free(g);
        return NULL;
    }
    for (int32_t i = 0; i < block_count; i++) {
        g->blocks[i] = (block){blocks[3 * i], blocks[3 * i + 1], blocks[3 * i + 2]};
        g->runs += g->blocks[i].longest;
    }
    g->block_count = block_count;
    for (uint32_t times = 1; times < LOGARITHMS; times++)
        g->damped[times] = (float)(1 + logarithm(times));
    for (int64_t column = 0; column < columns; column++)
        place_key(g, keys[column], (uint32_t)column, weights[column]);
    for (int64_t number = 1; number <= words; number++)
        place_word(g, (uint32_t)number);
    return g;
}

scratch *scratch_new(const grams *g, int64_t length)
{
    size_t room = (size_t)length + 1, grams = room * (size_t)(g->runs + 1);
    scratch *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->route = malloc(room * sizeof *s->route);
    s->next = malloc(room * sizeof *s->next);
    s->ends = malloc(room * sizeof *s->ends);
    s->characters = malloc(room * sizeof *s->characters);
    s->numbers = malloc(room * sizeof *s->numbers);
    s->keys = malloc(grams * sizeof *s->keys);
    s->entries = malloc(grams * sizeof *s->entries);
    s->seen = malloc(((size_t)1 << bits_for(2 * grams)) * sizeof *s->seen);
    if (!s->route || !s->next || !s->ends || !s->characters || !s->numbers || !s->keys || !s->entries || !s->seen) {
        scratch_free(s);
        return NULL;
    }
    return s;
}

void scratch_free(scratch *s)
{
    if (s) {
        free(s->route);
        free(s->next);
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

/* --- reading --- */

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
            uint64_t whole = key | number << BLOCK_SHIFT;
            __builtin_prefetch(&g->slots[home_of(g, whole)]);
            keys[found++] = whole;
        }
    }
    return found;
}

static const slot *find(const grams *g, uint64_t key)
{
    uint64_t mask = ((uint64_t)1 << g->bits) - 1;
    for (uint64_t at = home_of(g, key);; at = (at + 1) & mask) {
        if (g->slots[at].key == key)
            return &g->slots[at];
        if (!g->slots[at].key)
            return NULL;
    }
}

/* Gather the columns of keys, each once with how often it came; return how many they are. */
static size_t gather(const grams *g, scratch *s, size_t keys)
{
    unsigned bits = bits_for(2 * (uint64_t)keys);
    uint32_t mask = (1u << bits) - 1;
    size_t count = 0;
    memset(s->seen, 0, ((size_t)1 << bits) * sizeof *s->seen);
    for (size_t i = 0; i < keys; i++) {
        const slot *found = find(g, s->keys[i]);
        if (!found)
            continue;
        uint32_t at = (uint32_t)(found->column * (uint32_t)0x9E3779B1u) >> (32 - bits);
        while (s->seen[at] && s->entries[s->seen[at] - 1].column != found->column)
            at = (at + 1) & mask;
        if (s->seen[at]) {
            s->entries[s->seen[at] - 1].times++;
        } else {
            uint32_t in_block = (uint32_t)(found->key >> BLOCK_SHIFT) - 1;
            s->entries[count] = (entry){found->column, 1, found->weight, in_block};
            s->seen[at] = (uint32_t)++count;
        }
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
    size_t words = cut(l, text, length, s->route, s->next, s->ends);
    size_t title_words = title_of(text, s->ends, words);
    size_t title_length = title_words ? s->ends[title_words - 1] : 0;
    size_t characters = characters_of(g, text, length, s->characters);
    size_t title_characters = 0;
    for (size_t i = 0; i < title_length; i++)
        title_characters += text[i] != ' ';
    for (size_t i = 0, from = 0; i < words; from = s->ends[i++])
        s->numbers[i] = number_of(g, text + from, s->ends[i] - from);
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
