/* jieba's dictionary as a trie in one hash table.

   A node is the slot where it stands, plus one; a slot holds its parent (24 bits), the character that
   leads here (16 bits) and the rank of its frequency (24 bits), so that a step costs one look into
   memory. Characters outside jieba's alphabet never stand within a word, hence 16 bits are enough. */

#ifndef LEXICON_H
#define LEXICON_H

#include "kernel.h"

#define RANK_BITS 24
#define RANK_MASK (((uint64_t)1 << RANK_BITS) - 1)
#define CODE_BITS 16
#define SIEVE 3 /* bits of the sieve for a slot, as a power of two */

typedef struct {
    uint32_t node;
    uint32_t rank : 31;
    uint32_t inside : 1; /* may the character stand in a word? */
} first_step;

struct lexicon {
    uint64_t *slots;
    unsigned bits;
    uint64_t *sieve; /* a bit set for each node, by its home: most steps that lead nowhere are told by it */
    uint64_t used;
    first_step first[1 << CODE_BITS]; /* the children of the root, without hashing */
    int64_t total;                    /* of all frequencies */
    int64_t *frequencies;             /* rank -> frequency; rank 0 is what is no word */
    uint32_t *ranks;                  /* hash table: frequency -> rank */
    unsigned rank_bits;
    uint32_t count;  /* of ranks */
    double *weights; /* rank -> logarithm of its share of the total; of what is no word, minus infinity */
    double unknown;  /* of a character that begins no word: as if it had been counted once */
};

static inline bool is_latin(uint32_t code)
{
    return (code - '0' < 10u) || ((code | 32) - 'a' < 26u && code < 128);
}

/* [\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-] */
static inline bool is_in_words(uint32_t code)
{
    if (code - 0x4E00u <= 0x9FD5u - 0x4E00u || is_latin(code))
        return true;
    return code == '+' || code == '#' || code == '&' || code == '.' || code == '_' || code == '%' || code == '-';
}

static inline uint64_t node_home(const lexicon *l, uint64_t key)
{
    return key * GOLDEN >> (64 - l->bits);
}

/* A step from a node by a character. */
static inline uint64_t step_of(uint32_t node, uint16_t code)
{
    return (uint64_t)node << CODE_BITS | code;
}

/* Where a step's bit stands in the sieve. */
static inline uint64_t sieve_home(const lexicon *l, uint64_t key)
{
    return key * GOLDEN >> (64 - l->bits - SIEVE);
}

/* Does a step perhaps lead on? False only where it does not. */
static inline bool passes(const lexicon *l, uint64_t key)
{
    uint64_t at = sieve_home(l, key);
    return l->sieve[at / 64] >> at % 64 & 1;
}

/* The node where a step leads, and the rank of the word that ends there; 0 where there is none. */
static inline uint32_t child_of(const lexicon *l, uint64_t key, uint32_t *rank)
{
    uint64_t mask = ((uint64_t)1 << l->bits) - 1;
    for (uint64_t at = node_home(l, key);; at = (at + 1) & mask) {
        uint64_t slot = l->slots[at];
        if (slot >> RANK_BITS == key) {
            *rank = (uint32_t)(slot & RANK_MASK);
            return (uint32_t)at + 1;
        }
        if (!slot) {
            *rank = 0;
            return 0;
        }
    }
}

#endif
