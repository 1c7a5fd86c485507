/* The requests of a csv's rows, from its bytes to code points: what request_of in classifier/work_order.py
   makes of title and text, and nothing where the text is blank. */

#include <string.h>

#include "kernel.h"

#define BAD 0xFFFD
#define FULL_STOP 0x3002 /* between title and text */

/* The cells of a column: where each begins and ends in the bytes, and whether it holds quotes, each twice. */
typedef struct {
    const int64_t *starts;
    const int64_t *ends;
    const uint8_t *doubled;
} cells;

/* What str.isspace says. */
static bool is_space(uint32_t code)
{
    return code == ' ' || code - 9 < 5u || code - 28 < 4u || code == 0x85 || code == 0xA0 || code == 0x1680 ||
           code - 0x2000 < 11u || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
           code == 0x3000;
}

/* The character at `*at`, behind which `*at` stands then. The bytes are UTF-8; where they were exchanged since
   they were looked through, something is given, and no byte beyond `end` is read. */
static uint32_t character(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *b = *at;
    int64_t left = end - b;
    if (b[0] < 0x80) {
        *at += 1;
        return b[0];
    }
    if (b[0] >= 0xE0 && b[0] < 0xF0 && left >= 3) {
        *at += 3;
        return (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u);
    }
    if (b[0] >= 0xC0 && b[0] < 0xE0 && left >= 2) {
        *at += 2;
        return (b[0] & 31u) << 6 | (b[1] & 63u);
    }
    if (b[0] >= 0xF0 && left >= 4) {
        *at += 4;
        uint32_t code = (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 | (b[3] & 63u);
        return code < 0x110000 ? code : BAD;
    }
    *at += 1;
    return BAD;
}

/* Write the characters of a cell to `out`; how many there are. */
static int64_t decoded(const uint8_t *bytes, const cells *c, int64_t row, uint32_t *out)
{
    const uint8_t *at = bytes + c->starts[row], *end = bytes + c->ends[row];
    bool doubled = c->doubled[row];
    int64_t count = 0;
    while (at < end) {
        uint32_t code = character(&at, end);
        out[count++] = code;
        if (doubled && code == '"' && at < end && *at == '"')
            at++;
    }
    return count;
}

/* Write the requests of `rows` rows to `points`, which has room for a character for each byte of the cells and
   one more for each row; `titles` may be NULL. Return how many characters there are. */
EXPORT int64_t kernel_requests(const uint8_t *bytes, const cells *texts, const cells *titles, int64_t rows,
                               uint32_t *points, int64_t *starts, int64_t *lengths)
{
    int64_t used = 0;
    for (int64_t row = 0; row < rows; row++) {
        uint32_t *request = points + used, *out = request;
        if (titles) {
            int64_t length = decoded(bytes, titles, row, out), skipped = 0;
            while (length && is_space(out[length - 1]))
                length--;
            while (skipped < length && is_space(out[skipped]))
                skipped++;
            length -= skipped;
            if (skipped)
                memmove(out, out + skipped, (size_t)length * sizeof *out);
            out += length;
            if (length)
                *out++ = FULL_STOP;
        }
        int64_t length = decoded(bytes, texts, row, out), blank = 0;
        while (blank < length && is_space(out[blank]))
            blank++;
        out = blank == length ? request : out + length;
        starts[row] = used;
        lengths[row] = out - request;
        used += lengths[row];
    }
    return used;
}
