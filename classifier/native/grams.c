/* The tables of a model's grams and words are made. */

#include <stdlib.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "grams.h"

static void place_word(grams *g, uint32_t number)
{
    const int64_t *start = g->word_starts + number - 1;
    uint32_t shape;
    uint64_t key = key_of(g->word_points + start[0], (size_t)(start[1] - start[0]), &shape);
    uint64_t mask = ((uint64_t)1 << g->word_bits) - 1, at = word_home(g, key);
    while (g->words[at].number)
        at = (at + 1) & mask;
    g->words[at] = (word_slot){key, number, shape};
}

static void place_key(grams *g, uint64_t key, uint32_t column, float weight)
{
    uint64_t mask = ((uint64_t)1 << g->bits) - 1, at = key_home(g, key), bit = sieve_home(g, key);
    while (g->buckets[at].keys[BUCKET - 1])
        at = (at + 1) & mask;
    bucket *b = &g->buckets[at];
    unsigned slot = 0;
    while (b->keys[slot])
        slot++;
    b->keys[slot] = key;
    b->columns[slot] = column;
    b->weights[slot] = weight;
    g->sieve[bit / 64] |= (uint64_t)1 << bit % 64;
}

EXPORT void grams_free(grams *g)
{
    if (g) {
        free(g->buckets);
        free(g->sieve);
        free(g->words);
        free(g->word_points);
        free(g->word_starts);
        free(g->is_word);
        free(g);
    }
}

/* ln of a whole number from 1 on, without the C library's, which differs from processor to processor:
   ln m = 2 artanh((m - 1) / (m + 1)), by its power series. */
double logarithm(uint32_t number)
{
    double m = number, powers = 0, sum = 0;
    for (; m >= 2; m /= 2)
        powers += 0.69314718055994530942; /* ln 2 */
    double z = (m - 1) / (m + 1), power = z;
    for (int odd = 1; odd < 36; odd += 2, power *= z * z)
        sum += power / odd;
    return powers + 2 * sum;
}

/* Asked of the processor itself: the compilers' own way needs a runtime library. */
static bool asked_for_avx2(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d, state, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return false;
    __asm__("xgetbv" : "=a"(state), "=d"(high) : "c"(0));
    return (state & 6) == 6 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
#else
    return false;
#endif
}

bool has_avx2(const grams *g)
{
    return g->has_avx2;
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
    g->bits = bits_for((uint64_t)columns * 2 / BUCKET);
    g->word_bits = bits_for(2 * (uint64_t)words);
    g->buckets = table_new(((size_t)1 << g->bits) * sizeof *g->buckets);
    g->sieve = table_new(((size_t)1 << (g->bits + SIEVE)) / 8);
    g->words = table_new(((size_t)1 << g->word_bits) * sizeof *g->words);
    g->word_points = copy_of(word_points, (size_t)word_starts[words] * sizeof *word_points);
    g->word_starts = copy_of(word_starts, (size_t)(words + 1) * sizeof *word_starts);
    g->is_word = copy_of(is_word, PLANE);
    if (!g->buckets || !g->sieve || !g->words || !g->word_points || !g->word_starts || !g->is_word || block_count > MOST_BLOCKS) {
        grams_free(g);
        return NULL;
    }
    for (int32_t i = 0; i < block_count; i++) {
        g->blocks[i] = (block){blocks[3 * i], blocks[3 * i + 1], blocks[3 * i + 2]};
        g->runs += g->blocks[i].longest;
    }
    g->block_count = block_count;
    g->has_avx2 = asked_for_avx2();
    for (uint32_t times = 1; times < LOGARITHMS; times++)
        g->damped[times] = (float)(1 + logarithm(times));
    for (int64_t column = 0; column < columns; column++)
        place_key(g, keys[column], (uint32_t)column, weights[column]);
    for (int64_t number = 1; number <= words; number++)
        place_word(g, (uint32_t)number);
    return g;
}
