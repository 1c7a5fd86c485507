/* Where the records of a csv end, found in its bytes: what Python's csv.reader (strict) would read, in an
   encoding in which no character beyond ASCII holds a byte of ASCII's first 48. */

#include <string.h>

#include "kernel.h"

typedef struct {
    int64_t used;   /* bytes of the records that are complete */
    int64_t lines;  /* ends of lines among them, those within quotes too */
    int64_t rows;   /* records but for blank lines */
    int64_t filled; /* rows up to the last that is not empty */
} extent;

enum { START, PLAIN, QUOTED, CLOSED };

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= 9 && byte <= 13) || (byte >= 28 && byte <= 31);
}

typedef uint8_t sixteen __attribute__((vector_size(16)));

/* How many bytes from `at` on are none that matters to records, and in `*either` all their bits. */
static int64_t passed(const uint8_t *bytes, int64_t size, uint8_t delimiter, const bool *stops, uint8_t *either)
{
    int64_t at = 0;
    sixteen some, bits = {0};
    for (; at + 16 <= size; at += 16) {
        memcpy(&some, bytes + at, 16);
        sixteen met = (sixteen)((some == '\n') | (some == '\r') | (some == '"') | (some == delimiter));
        uint64_t halves[2];
        memcpy(halves, &met, 16);
        if (halves[0] | halves[1])
            break;
        bits |= some;
    }
    for (int i = 0; i < 16; i++)
        *either |= bits[i];
    for (; at < size && !stops[bytes[at]]; at++)
        *either |= bytes[at];
    return at;
}

/* Look at up to `most` rows of `size` bytes, which begin where a record begins and end the file when
   `final`. `wide` says that the file has several columns: a line with nothing in its only field is blank
   there. Return 0; or -1 where only Python's own reader can tell: a quote is not closed, text follows
   behind one, or a single field holds nothing of ASCII but space. */
EXPORT int32_t kernel_records(const uint8_t *bytes, int64_t size, uint8_t delimiter, bool final, bool wide,
                              int64_t most, extent *found)
{
    int state = START;
    int64_t lines = 0, at = 0;
    bool any = false, single = true; /* of the record: whether it has a byte, and one field */
    bool content = false, shown = false, foreign = false;
    *found = (extent){0, 0, 0, 0};
    bool stops[256] = {['\n'] = true, ['\r'] = true, ['"'] = true};
    stops[delimiter] = true;
    while (found->rows < most && at < size) {
        if (state == PLAIN || state == QUOTED) { /* most bytes are passed here, and tell little */
            int64_t from = at;
            uint8_t either = 0;
            at += passed(bytes + at, size - at, delimiter, stops, &either);
            if (at > from) {
                content = true;
                foreign |= either >= 0x80;
                for (int64_t i = from; !shown && single && i < at; i++)
                    shown = bytes[i] < 0x80 && !is_space(bytes[i]);
                at--; /* the last one once more, for it may end the file */
            }
        }
        uint8_t byte = bytes[at++];
        bool ended = state != QUOTED && (byte == '\n' || byte == '\r');
        if (byte == '\n' || byte == '\r') {
            if (byte == '\r' && at == size && !final)
                break; /* its \n may follow */
            if (byte == '\r' && at < size && bytes[at] == '\n')
                at++;
            lines++;
            if (!ended)
                any = content = true;
        } else {
            any = true;
            if (state == QUOTED && byte == '"') {
                state = CLOSED;
            } else if (state != QUOTED && byte == delimiter) {
                single = false;
                state = START;
            } else if (state == START && byte == '"') {
                state = QUOTED;
            } else if (state == CLOSED && byte != '"') {
                return -1;
            } else { /* behind a closing quote a second one, and the two stand for one */
                content = true;
                foreign |= byte >= 0x80;
                shown |= byte < 0x80 && !is_space(byte);
                state = state == START || state == PLAIN ? PLAIN : QUOTED;
            }
            if (at == size && final && state != QUOTED) {
                ended = true;
                lines++;
            }
        }
        if (!ended)
            continue;
        if (any && wide && single && !shown) {
            if (foreign)
                return -1;
        } else if (any) {
            found->rows++;
            if (content || !wide)
                found->filled = found->rows;
        }
        found->used = at;
        found->lines = lines;
        state = START;
        single = true;
        any = content = shown = foreign = false;
    }
    return final && at == size && state == QUOTED ? -1 : 0;
}
