/* Rows of a csv, each with the fields of further columns behind it; and the sums of fields. */

#include "kernel.h"

#include <string.h>

/* Texts as bytes, and which of them stands in each row; row `i` has text `i` where `places` is NULL. */
typedef struct {
    const uint8_t *block;
    const int64_t *starts;
    const int64_t *lengths;
    const int64_t *places;
} column;

/* Write the rows to `out`, which has room for them, with commas and \r\n; where each ends to `ends`. */
EXPORT void kernel_lines(const column *columns, int32_t count, int64_t rows, uint8_t *out, int64_t *ends)
{
    uint8_t *at = out;
    for (int64_t row = 0; row < rows; row++) {
        for (int32_t i = 0; i < count; i++) {
            const column *c = &columns[i];
            int64_t place = c->places ? c->places[row] : row;
            if (i)
                *at++ = ',';
            memcpy(at, c->block + c->starts[place], (size_t)c->lengths[place]);
            at += c->lengths[place];
        }
        *at++ = '\r';
        *at++ = '\n';
        ends[row] = at - out;
    }
}

/* How many bytes of a blank stand at the start or, if `behind`, at the end: an ASCII space or control, a
   no-break space (C2 A0) or an ideographic one (E3 80 80). */
static int64_t blank(const uint8_t *text, int64_t length, bool behind)
{
    const uint8_t *end = text + length;
    if (length >= 1 && (behind ? end[-1] : text[0]) <= ' ')
        return 1;
    if (length >= 2 && !memcmp(behind ? end - 2 : text, "\xC2\xA0", 2))
        return 2;
    if (length >= 3 && !memcmp(behind ? end - 3 : text, "\xE3\x80\x80", 3))
        return 3;
    return 0;
}

/* A number for each text without the blanks about it, 0 for an empty one. */
EXPORT void kernel_sums(const column *texts, int64_t count, uint64_t *sums)
{
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *text = texts->block + texts->starts[i];
        int64_t length = texts->lengths[i], less;
        while ((less = blank(text, length, false))) {
            text += less;
            length -= less;
        }
        while ((less = blank(text, length, true)))
            length -= less;
        uint64_t sum = (uint64_t)length * GOLDEN, eight;
        for (int64_t at = 0; at < length; at += 8) {
            eight = 0;
            memcpy(&eight, text + at, (size_t)(length - at < 8 ? length - at : 8));
            sum = (sum ^ eight) * 0xBF58476D1CE4E5B9u;
            sum ^= sum >> 32;
        }
        sums[i] = length ? sum | 1 : 0;
    }
}
