/* The compiled part of the classifier: what Python would do a token or a gram at a time.

   Plain C11 without the C library's mathematics, so that the answers are the same on every processor.
   Texts arrive as code points one behind the other; text `i` stands from `starts[i]` on, `lengths[i]`
   long. Nothing here holds state between calls but what a `lexicon` and a `grams` hold, which never
   change once they are made, so any number of threads may call with the same ones. */

#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define GOLDEN 0x9E3779B97F4A7C15u /* 2**64 / golden ratio: multiplicative hashing, Knuth TAOCP 3, 6.4 */

typedef struct {
    const uint32_t *points;
    const int64_t *starts;
    const int64_t *lengths;
    int64_t count;
} texts;

/* What clauses may be made of, in order; `first` tells of each character of the first plane where the
   expressions that begin with it stand, the number of all where none does. */
typedef struct {
    texts of;
    const uint16_t *first;
} expressions;

typedef struct lexicon lexicon;
typedef struct grams grams;

/* A column of one text's row. */
typedef struct {
    uint32_t column;
    uint32_t times; /* how often the gram stands in the text */
    float value;    /* its inverse document frequency first, in the end what stands in the row */
    uint32_t block;
} entry;

typedef struct scratch scratch;

/* The smallest number of bits of a table with at least `slots` slots. */
static inline unsigned bits_for(uint64_t slots)
{
    unsigned bits = 4;
    while (((uint64_t)1 << bits) < slots)
        bits++;
    return bits;
}

/* Zeroed memory for a table that is looked into at random, to be given to `free`; NULL without memory. */
void *table_new(size_t size);

int64_t longest_of(const texts *t);

/* Take the courtesies out of a cleaned text of the first plane; return its new length, -1 where it says
   nothing else, and is not as it was. */
int64_t without_courtesies(const expressions *e, uint32_t *text, int64_t length);

/* Let the first sentence of a cleaned text of the first plane go on behind its openings. */
void join_openings(const expressions *e, uint32_t *text, int64_t length);

/* Room for the cutting of texts of up to `length` characters; NULL where memory has run out. */
typedef struct ways ways;
ways *ways_new(int64_t length);
void ways_free(ways *w);

/* Write where each word of a text ends to `ends`, which has room for `length`; return how many there are. */
size_t cut(const lexicon *l, const uint32_t *text, size_t length, ways *w, uint32_t *ends);

/* Has the processor AVX2? Found out once, when the grams are made: a virtual machine takes longer over
   the question than over a text. */
bool has_avx2(const grams *g);

/* Room for the work on texts of up to `length` characters; NULL where memory has run out. */
scratch *scratch_new(const grams *g, int64_t length);
void scratch_free(scratch *s);

/* The row of a text: its entries stand in `*found` until the next call; return how many there are. */
size_t row_of(const lexicon *l, const grams *g, const uint32_t *text, size_t length, scratch *s, entry **found);

#endif
