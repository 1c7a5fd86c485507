/* The cleaning of plain texts, which most are; classifier/text.py says what cleaning is.

   A table says what becomes of each character that can be judged alone: what it turns into, a space,
   three full stops, or 0 where it cannot. A text with a 0 in it, too long, with a long number that is more
   than digits, or of nothing but courtesies is left to Python. */

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

/* Whether a character can stand in a number of any kind, or beside one change what it is. */
static bool is_in_numbers(uint32_t code)
{
    return joins_digits(code) || code == '(' || code == ')' || code == '+' || code == 0x8F6C; /* 转 */
}

/* Whether the five characters before `end` are what classifier/text.py's search for long numbers finds. */
static bool is_number(const uint32_t *end)
{
    return is_hidden_digit(end[-1]) && is_hidden_digit(end[-2]) && joins_digits(end[-3]) &&
           (joins_digits(end[-4]) || end[-4] == ')') && is_digit_or_star(end[-5]);
}

/* 123xx, 10000, 10010, 10086, 95xxx and 96xxx: SERVICE_CODE in classifier/text.py. */
static bool is_service(const uint32_t *run)
{
    if (run[0] == '9')
        return run[1] == '5' || run[1] == '6';
    if (run[0] != '1')
        return false;
    if (run[1] == '2')
        return run[2] == '3';
    uint32_t last = (run[3] - '0') * 10 + run[4] - '0';
    return run[1] == '0' && run[2] == '0' && (last == 0 || last == 10 || last == 86);
}

/* A stretch of characters that can stand in numbers, as far as it decides what cleaning does to it. */
typedef struct {
    int64_t until;
    int64_t digits;      /* all of them */
    int64_t longest;     /* run of digits */
    bool has_number;     /* as `is_number` finds it */
    bool has_hidden;     /* a star or an x */
    bool has_separator;  /* what joins digits, other than brackets */
    bool has_bracket;
    bool has_zero_first; /* a run of digits begins with 0, as an area code does */
} stretch;

static stretch stretch_from(const uint32_t *text, int64_t from, int64_t length)
{
    stretch s = {.until = from};
    int64_t run = 0;
    for (; s.until < length && is_in_numbers(text[s.until]); s.until++) {
        uint32_t code = text[s.until];
        bool is_digit = code - '0' < 10u;
        s.has_zero_first = s.has_zero_first || (code == '0' && !run);
        run = is_digit ? run + 1 : 0;
        s.digits += is_digit;
        s.longest = run > s.longest ? run : s.longest;
        s.has_bracket = s.has_bracket || code == '(' || code == ')';
        s.has_hidden = s.has_hidden || code == '*' || code == 'x';
        s.has_separator = s.has_separator || !(is_digit || code == '(' || code == ')');
        s.has_number = s.has_number || (s.until - from >= 4 && is_number(text + s.until + 1));
    }
    return s;
}

/* Write runs of digits and brackets, "0" for each run of five or more; return where writing ends. */
static int64_t shortened(const uint32_t *text, int64_t from, int64_t until, uint32_t *out, int64_t done)
{
    while (from < until) {
        int64_t end = from;
        while (end < until && text[end] - '0' < 10u)
            end++;
        bool keep = end - from < 5 || (end - from == 5 && is_service(text + from));
        end += end == from;
        if (!keep)
            out[done++] = '0';
        for (; keep && from < end; from++)
            out[done++] = text[from];
        from = end;
    }
    return done;
}

/* Put "0" for each long number; return the new length, -1 where there is one that is for Python to judge:
   an area code in brackets, stars, or as many digits between separators as a mobile number has. */
static int64_t without_numbers(uint32_t *text, int64_t length)
{
    int64_t done = 0;
    for (int64_t from = 0; from < length;) {
        stretch s = stretch_from(text, from, length);
        bool is_plain = !s.has_separator && !(s.has_bracket && s.has_zero_first);
        bool is_short = !s.has_hidden && s.longest < 5 && s.digits < 11;
        if (s.has_number && !is_plain && !is_short)
            return -1;
        if (s.has_number && is_plain) {
            done = shortened(text, from, s.until, text, done);
            from = s.until;
        }
        for (s.until += s.until == from; from < s.until && from < length; from++)
            text[done++] = text[from];
    }
    return done;
}

/* Clean one text into `out`; return its new length, -1 where it is for Python to judge. */
static int64_t clean(const uint16_t *table, const expressions *e, const uint32_t *text, int64_t length, int64_t most,
                     uint32_t *out)
{
    int64_t done = 0;
    bool number = false;
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
        number = number || (done >= 5 && is_number(out + done));
    }
    done -= done && out[done - 1] == ' ';
    if (number)
        done = without_numbers(out, done);
    done = done > most ? -1 : without_courtesies(&e[0], out, done);
    join_openings(&e[1], out, done);
    return done;
}

/* Clean texts. `e` has what courtesies are made of, then what openings are; `out` has room for three times
   the texts' characters, `starts` and `lengths` tell where each stands in it; the length is -1 where the text
   is for Python to judge. Returns how many characters. */
EXPORT int64_t kernel_clean(const uint16_t *table, const expressions *e, const texts *t, int64_t most, uint32_t *out,
                            int64_t *starts, int64_t *lengths)
{
    int64_t all = 0;
    for (int64_t i = 0; i < t->count; i++) {
        starts[i] = all;
        lengths[i] = clean(table, e, t->points + t->starts[i], t->lengths[i], most, out + all);
        all += lengths[i] > 0 ? lengths[i] : 0;
    }
    return all;
}
