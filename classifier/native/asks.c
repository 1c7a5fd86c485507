/* Where the parts of texts begin that ask for several things: the cues of classifier/asks.py. */

#include "kernel.h"

static bool any_of(uint32_t code, const uint32_t *set)
{
    while (*set && *set != code)
        set++;
    return *set != 0;
}

static bool is_mark(uint32_t code)
{
    bool is_han = code - 0x4E00u < 0x5200u; /* most characters are, and none of them is a mark */
    return !is_han && any_of(code, U"。!?;,:，；！？：、 ");
}

static bool is_digit(uint32_t code)
{
    return code - '2' < 5u;
}

static bool is_numeral(uint32_t code)
{
    return any_of(code, U"二三四五六");
}

/* Does the next matter begin here? At least three characters can be read at `t`, 0 behind the text. */
static bool is_cue(const uint32_t *t)
{
    switch (t[0]) {
    case U'另':
        return any_of(t[1], U"外有");
    case U'此':
        return t[1] == U'外';
    case U'还':
    case U'再':
        return t[1] == U'有' || (t[0] == U'再' && t[1] == U'者');
    case U'其':
        return t[1] == U'次' || is_numeral(t[1]);
    case U'第':
        return is_numeral(t[1]);
    case U'同':
        return t[1] == U'时';
    case U'顺':
        return t[1] == U'便';
    case U'并':
        return t[1] == U'且' && t[2] == U'还';
    case '(':
    case U'（':
        return (is_digit(t[1]) || is_numeral(t[1])) && any_of(t[2], U")）");
    default:
        return (is_digit(t[0]) || is_numeral(t[0])) && any_of(t[1], U"、.．,，)）");
    }
}

typedef struct {
    int64_t shortest;
    int64_t longest;
    int64_t most;
} bounds;

/* Part from `from` until `until` is entered, where it says enough and there is room; how many there are. */
static int64_t entered(const bounds *b, int64_t from, int64_t until, int64_t *starts, int64_t *lengths,
                       int64_t count)
{
    int64_t length = until - from;
    if (length < b->shortest || count == b->most)
        return count;
    starts[count] = from;
    lengths[count] = length < b->longest ? length : b->longest;
    return count + 1;
}

/* The parts of a text that has several; how many there are, 0 where it is of one. */
static int64_t parts_of(const bounds *b, const uint32_t *text, int64_t length, int64_t *starts, int64_t *lengths)
{
    int64_t from = 0, count = 0;
    for (int64_t i = 1; i + 1 < length; i++) {
        if (!is_mark(text[i - 1]))
            continue;
        uint32_t here[3] = {text[i], text[i + 1], i + 2 < length ? text[i + 2] : 0};
        if (!is_cue(here))
            continue;
        count = entered(b, from, i, starts, lengths, count);
        from = i;
    }
    if (!from)
        return 0;
    count = entered(b, from, length, starts, lengths, count);
    return count > 1 ? count : 0;
}

/* The parts of texts: where each begins among the points, how long it is read, whose it is. There is room
   for `most` of each text. Returns how many there are. */
EXPORT int64_t kernel_asks(const texts *t, int64_t shortest, int64_t longest, int64_t most, int64_t *starts,
                           int64_t *lengths, int64_t *owners)
{
    bounds b = {shortest, longest, most};
    int64_t all = 0;
    for (int64_t i = 0; i < t->count; i++) {
        int64_t count = parts_of(&b, t->points + t->starts[i], t->lengths[i], starts + all, lengths + all);
        for (int64_t place = 0; place < count; place++) {
            starts[all + place] += t->starts[i];
            owners[all + place] = i;
        }
        all += count;
    }
    return all;
}
