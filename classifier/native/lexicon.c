/* jieba's dictionary is read, and words are added to it as jieba's `add_word` does.

   The reference is jieba 0.42.1, `Tokenizer.gen_pfdict` and `add_word`. */

#include <stdlib.h>

#include "lexicon.h"

#define MOST_BITS 23 /* of a node's number, which is at most 2**23 */
#define LONGEST 64   /* characters of a word in the dictionary's file */

/* The child of a node, made if need be; 0 where the table is full. */
static uint32_t grown(lexicon *l, uint32_t node, uint32_t code)
{
    uint64_t key = (uint64_t)node << CODE_BITS | code;
    uint64_t mask = ((uint64_t)1 << l->bits) - 1;
    uint64_t at = node_home(l, key);
    while (l->slots[at] && l->slots[at] >> RANK_BITS != key)
        at = (at + 1) & mask;
    if (!l->slots[at]) {
        if (l->used >= mask)
            return 0;
        uint64_t bit = sieve_home(l, key);
        l->slots[at] = key << RANK_BITS;
        l->sieve[bit / 64] |= (uint64_t)1 << bit % 64;
        l->used++;
    }
    return (uint32_t)at + 1;
}

static uint32_t rank_of(lexicon *l, int64_t frequency)
{
    if (!frequency)
        return 0;
    uint64_t mask = ((uint64_t)1 << l->rank_bits) - 1;
    uint64_t at = (uint64_t)frequency * GOLDEN >> (64 - l->rank_bits);
    while (l->ranks[at] && l->frequencies[l->ranks[at]] != frequency)
        at = (at + 1) & mask;
    if (!l->ranks[at]) {
        l->ranks[at] = l->count;
        l->frequencies[l->count++] = frequency;
    }
    return l->ranks[at];
}

/* Enter a word; one that is there already gets the new frequency, but the total keeps both, as jieba's. */
static bool enter(lexicon *l, const uint32_t *word, size_t length, int64_t frequency)
{
    uint32_t node = 0;
    l->total += frequency;
    for (size_t i = 0; i < length; i++)
        if (!is_in_words(word[i]))
            return true;
    for (size_t i = 0; i < length; i++) {
        node = grown(l, node, word[i]);
        if (!node)
            return false;
        if (i == 0)
            l->first[word[0]].node = node;
    }
    if (node) {
        uint64_t *slot = &l->slots[node - 1];
        *slot = (*slot & ~RANK_MASK) | rank_of(l, frequency);
        if (length == 1)
            l->first[word[0]].rank = *slot & RANK_MASK;
    }
    return true;
}

/* --- the dictionary's file --- */

/* Read a character in UTF-8 at `*at`, which moves behind it; an unsound byte stands for U+FFFD. */
static uint32_t utf8(const uint8_t **at, const uint8_t *end)
{
    uint32_t lead = *(*at)++;
    int more = lead < 0x80 ? 0 : lead < 0xC0 ? -1 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (more < 0 || end - *at < more)
        return 0xFFFD;
    uint32_t code = more ? lead & (0x3F >> more) : lead;
    for (; more; more--)
        code = code << 6 | (*(*at)++ & 0x3F);
    return code;
}

/* One line, `word frequency tag`; false where it is none. */
static bool enter_line(lexicon *l, const uint8_t *at, const uint8_t *end)
{
    uint32_t word[LONGEST];
    size_t length = 0;
    int64_t frequency = 0;
    while (at < end && *at != ' ' && length < LONGEST)
        word[length++] = utf8(&at, end);
    if (!length || end - at < 2 || *at++ != ' ' || *at < '0' || *at > '9')
        return false;
    for (; at < end && *at >= '0' && *at <= '9' && frequency < (int64_t)1 << 50; at++)
        frequency = frequency * 10 + (*at - '0');
    return (at == end || *at == ' ' || *at == '\r') && enter(l, word, length, frequency);
}

/* How many lines a file has, and in `*nodes` how many nodes at most: shared beginnings stand together. */
static uint64_t lines_of(const uint8_t *file, size_t size, uint64_t *nodes)
{
    const uint8_t *before = file, *line = file, *end = file + size;
    uint64_t lines = 0;
    for (; line < end; lines++) {
        const uint8_t *at = line;
        bool shared = true;
        for (; at < end && *at != ' ' && *at != '\n'; at++) {
            shared = shared && line != file && *at == before[at - line];
            *nodes += !shared && (*at & 0xC0) != 0x80;
        }
        while (at < end && *at != '\n')
            at++;
        before = line;
        line = at + 1;
    }
    return lines;
}

EXPORT void lexicon_free(lexicon *l)
{
    if (l) {
        free(l->slots);
        free(l->sieve);
        free(l->frequencies);
        free(l->ranks);
        free(l->weights);
        free(l);
    }
}

/* Read a dictionary in jieba's format, with room for words of `more` characters and `more_words` words
   to be added. NULL where memory runs out; a line that is none is told in `*unsound`, counted from 1. */
EXPORT lexicon *lexicon_new(const uint8_t *file, size_t size, uint64_t more, uint64_t more_words, int64_t *unsound)
{
    uint64_t nodes = more, lines = lines_of(file, size, &nodes) + more_words;
    lexicon *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->bits = bits_for(2 * nodes);
    l->rank_bits = bits_for(2 * lines);
    if (l->bits <= MOST_BITS && lines < RANK_MASK) {
        l->slots = table_new(((size_t)1 << l->bits) * sizeof *l->slots);
        l->sieve = table_new(((size_t)1 << (l->bits + SIEVE)) / 8);
        l->ranks = calloc((size_t)1 << l->rank_bits, sizeof *l->ranks);
        l->frequencies = calloc(lines + 1, sizeof *l->frequencies);
    }
    if (!l->slots || !l->sieve || !l->ranks || !l->frequencies) {
        lexicon_free(l);
        return NULL;
    }
    for (uint32_t code = 0; code >> CODE_BITS == 0; code++)
        l->first[code].inside = is_in_words(code);
    l->count = 1;
    *unsound = 0;
    int64_t number = 1;
    for (const uint8_t *line = file, *end = file + size; line < end && !*unsound; number++) {
        const uint8_t *until = line;
        while (until < end && *until != '\n')
            until++;
        if (!enter_line(l, line, until))
            *unsound = number;
        line = until + 1;
    }
    return l;
}

/* Add a word as jieba's `add_word` does; false where there is no room. */
EXPORT int32_t lexicon_add(lexicon *l, const uint32_t *word, size_t length, int64_t frequency)
{
    return enter(l, word, length, frequency);
}

/* How many ranks of frequency there are; their frequencies and the total of all. */
EXPORT uint32_t lexicon_ranks(const lexicon *l, const int64_t **frequencies, int64_t *total)
{
    *frequencies = l->frequencies;
    *total = l->total;
    return l->count;
}

/* Take the logarithm of each rank's share of the total, rank 0 counted once. False without memory. */
EXPORT int32_t lexicon_weigh(lexicon *l, const double *weights)
{
    free(l->weights);
    l->weights = malloc(l->count * sizeof *l->weights);
    if (!l->weights)
        return false;
    for (uint32_t rank = 0; rank < l->count; rank++)
        l->weights[rank] = weights[rank];
    l->unknown = weights[0];
    l->weights[0] = -__builtin_inf();
    return true;
}
