/* The grams of a model and its words, as hash tables by exact keys (classifier/keys.py says which). */

#ifndef GRAMS_H
#define GRAMS_H

#include <string.h>

#include "kernel.h"

#define PLANE 0x10000
#define BLOCK_SHIFT 48
#define WORD_BITS 24
#define CHARACTER_BITS 16
#define MOST_BLOCKS 255
#define LOGARITHMS 64
#define SIEVE 5 /* bits of the sieve for a bucket, as a power of two */

enum { TEXT, TITLE_FIELD };
enum { WORDS, CHARACTERS };

typedef struct {
    int32_t field;
    int32_t kind;
    int32_t longest;
} block;

/* A line of memory. A gram stands in the bucket of its key or, where that is full, in one behind it. */
#define BUCKET 4
typedef struct {
    uint64_t keys[BUCKET]; /* 0 is an empty slot, with none behind it: blocks are counted from 1 */
    uint32_t columns[BUCKET];
    float weights[BUCKET];
} bucket;

typedef struct {
    uint64_t key;
    uint32_t number; /* 0 is an empty slot */
    uint32_t shape;
} word_slot;

struct grams {
    bucket *buckets;
    unsigned bits;
    uint64_t *sieve; /* a bit set for each key, by its home: most unknown grams are told without the table */
    word_slot *words;
    unsigned word_bits;
    uint32_t *word_points; /* of all words, one behind the other */
    int64_t *word_starts;
    uint8_t *is_word; /* of each code point of the first plane: is it a letter or a digit? */
    float damped[LOGARITHMS]; /* 1 + ln of how often a gram stands in a text */
    block blocks[MOST_BLOCKS];
    int32_t block_count;
    bool has_avx2;
    int64_t runs; /* the sum of all blocks' longest runs: grams that begin at one place, at most */
};

/* ln of a whole number from 1 on. */
double logarithm(uint32_t number);

/* A word as one number: up to four characters of the first plane as they are, others hashed. Its shape,
   the length and whether the number is hashed, goes with it. */
static inline uint64_t key_of(const uint32_t *word, size_t length, uint32_t *shape)
{
    uint64_t key = 0;
    bool hashed = length > 4;
    for (size_t i = 0; i < length && !hashed; i++) {
        key = key << 16 | word[i];
        hashed = word[i] >= PLANE;
    }
    for (size_t i = 0; i < length && hashed; i++)
        key = ((key ^ word[i]) * GOLDEN) ^ (key >> 29);
    *shape = (uint32_t)length << 1 | hashed;
    return key;
}

static inline uint64_t word_home(const grams *g, uint64_t key)
{
    return key * GOLDEN >> (64 - g->word_bits);
}

/* The number of a word by its key, 0 for an unknown one. Two words may be hashed to one key. */
static inline uint32_t number_of(const grams *g, uint64_t key, uint32_t shape, const uint32_t *word)
{
    uint64_t mask = ((uint64_t)1 << g->word_bits) - 1;
    for (uint64_t at = word_home(g, key); g->words[at].number; at = (at + 1) & mask) {
        const word_slot *slot = &g->words[at];
        if (slot->key != key || slot->shape != shape)
            continue;
        const uint32_t *known = g->word_points + g->word_starts[slot->number - 1];
        if (!(shape & 1) || !memcmp(known, word, (shape >> 1) * sizeof *word))
            return slot->number;
    }
    return 0;
}

static inline uint64_t key_home(const grams *g, uint64_t key)
{
    return key * GOLDEN >> (64 - g->bits);
}

/* Where a key's bit stands in the sieve. */
static inline uint64_t sieve_home(const grams *g, uint64_t key)
{
    return key * GOLDEN >> (64 - g->bits - SIEVE);
}

/* Is a key perhaps known? False only where it is not. */
static inline bool passes(const grams *g, uint64_t key)
{
    uint64_t at = sieve_home(g, key);
    return g->sieve[at / 64] >> at % 64 & 1;
}

/* The bucket of a known gram and the slot there; NULL for an unknown one. */
static inline const bucket *find(const grams *g, uint64_t key, unsigned *slot)
{
    uint64_t mask = ((uint64_t)1 << g->bits) - 1;
    for (uint64_t at = key_home(g, key);; at = (at + 1) & mask) {
        const bucket *b = &g->buckets[at];
        unsigned met = 0; /* no branch for each slot: where a gram stands cannot be foreseen */
        for (unsigned i = 0; i < BUCKET; i++)
            met |= (unsigned)(b->keys[i] == key) << i;
        if (met) {
            *slot = (unsigned)__builtin_ctz(met);
            return b;
        }
        if (!b->keys[BUCKET - 1])
            return NULL;
    }
}

#endif
