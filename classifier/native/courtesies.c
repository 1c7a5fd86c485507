/* Courtesies and openings; classifier/courtesy.py says what they are. */

#include <string.h>

#include "kernel.h"

static bool is_mark(uint32_t code)
{
    return code == ',' || code == 0x3002 || code == '!' || code == '?' || code == ';' || code == ':' || code == '~';
}

static bool is_end(uint32_t code)
{
    return is_mark(code) || code == '.' || code == ' ';
}

/* Whether a stretch is made of expressions and of nothing else, the longest that fits taken each time. */
static bool is_made_of(const expressions *e, const uint32_t *text, int64_t length)
{
    for (int64_t at = 0, longest; at < length; at += longest) {
        longest = 0;
        for (int64_t i = e->first[text[at]]; i < e->of.count; i++) {
            const uint32_t *one = e->of.points + e->of.starts[i];
            int64_t size = e->of.lengths[i];
            if (*one != text[at])
                break;
            if (size > longest && size <= length - at && !memcmp(one, text + at, (size_t)size * sizeof *one))
                longest = size;
        }
        if (!longest)
            return false;
    }
    return true;
}

/* Where the courtesies end that begin at `at`, the marks behind them included; `at` where there are none. */
static int64_t courtesies_until(const expressions *e, const uint32_t *text, int64_t at, int64_t length)
{
    int64_t found = at, from = at + (text[at] == ' ');
    while (from < length && e->first[text[from]] < e->of.count) {
        int64_t end = from;
        while (end < length && !is_end(text[end]))
            end++;
        if (!is_made_of(e, text + from, end - from))
            break;
        while (end < length && is_end(text[end]))
            end++;
        found = from = end;
    }
    return found;
}

int64_t without_courtesies(const expressions *e, uint32_t *text, int64_t length)
{
    int64_t done = 0;
    bool begins = true, says = false;
    for (int64_t at = 0; at < length;) {
        int64_t until = begins ? courtesies_until(e, text, at, length) : at;
        begins = false;
        if (until > at) {
            at = until;
        } else {
            begins = is_mark(text[at]);
            says = says || !is_end(text[at]);
            text[done++] = text[at++];
        }
    }
    return says || !length ? done : -1;
}

void join_openings(const expressions *e, uint32_t *text, int64_t length)
{
    for (int64_t from = 0, end = 0; from < length && e->first[text[from]] < e->of.count; from = end) {
        while (end < length && !is_end(text[end]))
            end++;
        if (end == length || !is_made_of(e, text + from, end - from))
            return;
        for (; end < length && is_end(text[end]); end++)
            if (text[end] == 0x3002 || text[end] == '!' || text[end] == '?')
                text[end] = ',';
    }
}
