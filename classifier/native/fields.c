/* The fields of a csv's records, found in its bytes: what records.c has found sound, taken apart. */

#include <string.h>

#include "kernel.h"

typedef uint8_t sixteen __attribute__((vector_size(16)));

/* Where, from `at` on, the first byte stands that is an end of a line, a quote or `other`; `size` if none is. */
static int64_t next_stop(const uint8_t *bytes, int64_t at, int64_t size, uint8_t other)
{
    for (; at + 16 <= size; at += 16) {
        sixteen some;
        uint64_t halves[2];
        memcpy(&some, bytes + at, 16);
        sixteen met = (sixteen)((some == '\n') | (some == '\r') | (some == '"') | (some == other));
        memcpy(halves, &met, 16);
        if (halves[0] | halves[1])
            break;
    }
    while (at < size && bytes[at] != '\n' && bytes[at] != '\r' && bytes[at] != '"' && bytes[at] != other)
        at++;
    return at;
}

/* Where things stand in the bytes; row `i`'s field `j` at `i * width + j`. */
typedef struct {
    int64_t *starts;  /* of fields, behind an opening quote */
    int64_t *ends;    /* of fields, before a closing quote */
    uint8_t *doubled; /* whether a field holds a quote, which is written twice */
    int64_t *records; /* where each record begins */
    int64_t *lengths; /* of records, without their ends */
    int64_t *lines;   /* on which line, from 0, each begins */
    uint8_t *odd;     /* whether a record may not be written as it stands */
} found;

/* What a spreadsheet may take for a formula at the start of a cell (OWASP, "CSV Injection"). */
static bool is_sign(uint8_t byte)
{
    return byte == '=' || byte == '+' || byte == '-' || byte == '@' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Take apart the first `rows` records of `size` bytes. A record is odd where a field begins as a formula, or
   holds a quote though it is not in quotes. Returns 0, or -1 where a record has not `width` fields. */
EXPORT int32_t kernel_fields(const uint8_t *bytes, int64_t size, uint8_t delimiter, int64_t rows, int64_t width,
                             const found *f)
{
    int64_t at = 0, line = 0;
    for (int64_t row = 0; row < rows; row++) {
        int64_t field = row * width, last = field + width;
        f->records[row] = at;
        f->lines[row] = line;
        f->odd[row] = 0;
        for (bool ended = false; !ended; field++) {
            if (field == last || at > size)
                return -1;
            bool quoted = at < size && bytes[at] == '"';
            f->doubled[field] = 0;
            at += quoted;
            f->starts[field] = at;
            f->odd[row] |= at < size && is_sign(bytes[at]) && (quoted || (bytes[at] != '\r' && bytes[at] != '\n'));
            if (quoted) {
                for (;; at++) {
                    at = next_stop(bytes, at, size, '"');
                    if (at >= size)
                        return -1;
                    if (bytes[at] != '"') {
                        at += bytes[at] == '\r' && at + 1 < size && bytes[at + 1] == '\n';
                        line++;
                    } else if (at + 1 < size && bytes[at + 1] == '"') {
                        f->doubled[field] = 1;
                        at++;
                    } else {
                        break;
                    }
                }
                f->ends[field] = at++;
            } else {
                while ((at = next_stop(bytes, at, size, delimiter)) < size && bytes[at] == '"') {
                    f->odd[row] = 1;
                    at++;
                }
                f->ends[field] = at;
            }
            ended = at >= size || bytes[at] != delimiter;
            if (ended && at < size && bytes[at] != '\n' && bytes[at] != '\r')
                return -1; /* text behind a closing quote */
            at += !ended;
        }
        f->lengths[row] = at - f->records[row];
        if (field != last || (width == 1 && f->lengths[row] == 0))
            return -1;
        at += at + 1 < size && bytes[at] == '\r' && bytes[at + 1] == '\n';
        at++;
        line++;
    }
    return 0;
}
