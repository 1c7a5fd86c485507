/* The cleaning of plain texts, which most are; classifier/text.py says what cleaning is.

   A table says what becomes of each character that can be judged alone: what it turns into, a space,
   three full stops, or 0 where it cannot. A text with a 0 in it, too long, or with what may be a long
   number is left to Python. */

#include "kernel.h"

#define PLANE 0x10000
#define ELLIPSIS 0x2026 /* becomes three full stops */

static bool is_digit_or_star(uint32_t code)
{
    return code - '0' < 10u || code == '*';
}

static bool is_hidden_digit(uint32_t code)
{
    return is_digit_or_star(code) || code == 'x';
}

static bool joins_digits(uint32_t code)
{
    return is_hidden_digit(code) || code == '-' || code == ' ' || code == 0x2013 || code == 0x2014;
}

/* Whether the five characters before `end` are what classifier/text.py's search for long numbers finds. */
static bool is_number(const uint32_t *end)
{
    return is_hidden_digit(end[-1]) && is_hidden_digit(end[-2]) && joins_digits(end[-3]) &&
           (joins_digits(end[-4]) || end[-4] == ')') && is_digit_or_star(end[-5]);
}

/* Clean one text into `out`; return its new length, -1 where it is for Python to judge. */
static int64_t clean(const uint16_t *table, const uint32_t *text, int64_t length, int64_t most, uint32_t *out)
{
    int64_t done = 0;
    for (int64_t i = 0; i < length; i++) {
        uint32_t code = text[i] < PLANE ? table[text[i]] : 0;
        if (!code)
            return -1;
        if (code == ' ' && (!done || out[done - 1] == ' '))
            continue;
        if (code == ELLIPSIS) {
            out[done++] = '.';
            out[done++] = '.';
            code = '.';
        }
        out[done++] = code;
        if (done >= 5 && is_number(out + done))
            return -1;
    }
    done -= done && out[done - 1] == ' ';
    return done > most ? -1 : done;
}

/* Clean texts: `out` has room for three times their characters, `starts` and `lengths` tell where each
   stands in it; the length is -1 where the text is for Python to judge. Returns how many characters. */
EXPORT int64_t kernel_clean(const uint16_t *table, const texts *t, int64_t most, uint32_t *out, int64_t *starts,
                            int64_t *lengths)
{
    int64_t all = 0;
    for (int64_t i = 0; i < t->count; i++) {
        starts[i] = all;
        lengths[i] = clean(table, t->points + t->starts[i], t->lengths[i], most, out + all);
        all += lengths[i] > 0 ? lengths[i] : 0;
    }
    return all;
}
