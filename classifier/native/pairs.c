/* Which texts may hold one of some words: those in which the first two characters of one stand together. */

#include "kernel.h"

#define PLANE 0x10000

/* The bit of a pair of characters among as many as the first plane has characters. */
static uint32_t home(uint32_t first, uint32_t second)
{
    return (first * 0x9E3779B1u ^ second * 0x85EBCA77u) >> 16;
}

static bool is_set(const uint64_t *bits, uint32_t place)
{
    return bits[place / 64] >> place % 64 & 1;
}

/* Set the bits of a pair of the first plane. */
EXPORT void kernel_add_pair(uint64_t *firsts, uint64_t *pairs, uint32_t first, uint32_t second)
{
    uint32_t place = home(first, second);
    firsts[first / 64] |= (uint64_t)1 << first % 64;
    pairs[place / 64] |= (uint64_t)1 << place % 64;
}

/* Of each text, whether it may hold a pair; `firsts` and `pairs` have a bit for each character of a plane. */
EXPORT void kernel_pairs(const texts *t, const uint64_t *firsts, const uint64_t *pairs, uint8_t *found)
{
    for (int64_t i = 0; i < t->count; i++) {
        const uint32_t *text = t->points + t->starts[i], *last = text + t->lengths[i] - 1;
        found[i] = 0;
        for (; text < last && !found[i]; text++)
            found[i] = text[0] < PLANE && is_set(firsts, text[0]) && is_set(pairs, home(text[0], text[1]));
    }
}
