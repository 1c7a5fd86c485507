/* Rows of a csv, each with the fields of further columns behind it. */

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
