/* Whether bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF. */

#include <string.h>

#include "kernel.h"

static bool continues(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* How many bytes the character at `at` has of `left`; 0 where it is none, or is cut off. */
static int64_t character(const uint8_t *at, int64_t left)
{
    uint8_t lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    int64_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (left < size || !continues(at[1]))
        return 0;
    for (int64_t i = 2; i < size; i++)
        if (!continues(at[i]))
            return 0;
    uint8_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return at[1] >= least && at[1] <= most ? size : 0;
}

/* Whether three bytes are a character, whatever its second byte: with E0 and ED that would matter. */
static bool is_three(const uint8_t *at)
{
    return at[0] - 0xE1u < 15u && at[0] != 0xED && continues(at[1]) && continues(at[2]);
}

typedef uint8_t sixteen __attribute__((vector_size(16)));

/* Whether 48 bytes are sixteen such characters. */
static bool are_threes(const uint8_t *at)
{
    static const sixteen mask[3] = {
        {0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0},
        {0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0},
        {0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0, 0xF0, 0xC0, 0xC0},
    };
    sixteen bad = {0};
    for (int i = 0; i < 3; i++) {
        sixteen some;
        memcpy(&some, at + 16 * i, 16);
        /* A lead byte's mask is F0 and its value E0, another's C0 and 80: twice the mask without its top. */
        sixteen wanted = (sixteen)(mask[i] << 1) & mask[i];
        bad |= ((some & mask[i]) ^ wanted) | (sixteen)(some == 0xE0) | (sixteen)(some == 0xED);
    }
    uint64_t halves[2];
    memcpy(halves, &bad, 16);
    return !(halves[0] | halves[1]);
}

/* How many bytes from the start are whole characters. */
EXPORT int64_t kernel_utf8(const uint8_t *bytes, int64_t size)
{
    int64_t at = 0;
    while (at < size) {
        /* Hanzi and their punctuation go the quick way, sixteen or one at a time, and ASCII by eight. */
        while (at + 48 <= size && are_threes(bytes + at))
            at += 48;
        while (at + 3 <= size && is_three(bytes + at))
            at += 3;
        uint64_t eight;
        while (at + 8 <= size && (memcpy(&eight, bytes + at, 8), !(eight & 0x8080808080808080u)))
            at += 8;
        if (at == size)
            break;
        int64_t more = character(bytes + at, size - at);
        if (!more)
            break;
        at += more;
    }
    return at;
}
