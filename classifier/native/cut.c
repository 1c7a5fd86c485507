/* jieba's cut of a text without the hidden Markov model.

   The reference is jieba 0.42.1, `Tokenizer.cut(text, HMM=False)`: blocks of `re_han_default`, in them
   the most probable path through the graph of dictionary words (`calc`), single Latin letters and
   digits joined (`__cut_DAG_NO_HMM`). Sums are formed in jieba's order and ties fall as they do there. */

#include <stdlib.h>
#include <string.h>

#include "lexicon.h"

#define AHEAD 12 /* steps between asking for a slot and needing it */
#define LEVELS 3 /* words of two, three and four characters are sought level by level, longer ones singly */

/* A text's words and the best ways through them. */
struct ways {
    uint16_t *codes;       /* the text's, 0 for what no word has, LEVELS + 1 of them behind its end */
    double *worth[LEVELS]; /* of the word of 2, 3, 4 characters that begins here; minus infinity if none does */
    double *route;         /* of the best way from here to the end of the block */
    uint32_t *next;        /* where its first word ends */
    uint32_t *places;      /* where longer words may begin, */
    uint64_t *steps;       /* and the step that is to be taken there next */
};

ways *ways_new(int64_t length)
{
    size_t room = (size_t)length + LEVELS + 2;
    ways *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->codes = malloc(room * sizeof *w->codes);
    w->route = malloc(room * sizeof *w->route);
    w->next = malloc(room * sizeof *w->next);
    w->places = malloc(room * sizeof *w->places);
    w->steps = malloc(room * sizeof *w->steps);
    bool all = w->codes && w->route && w->next && w->places && w->steps;
    for (int level = 0; level < LEVELS; level++) {
        w->worth[level] = malloc(room * sizeof *w->worth[level]);
        all = all && w->worth[level];
    }
    if (!all) {
        ways_free(w);
        return NULL;
    }
    return w;
}

void ways_free(ways *w)
{
    if (w) {
        for (int level = 0; level < LEVELS; level++)
            free(w->worth[level]);
        free(w->codes);
        free(w->route);
        free(w->next);
        free(w->places);
        free(w->steps);
        free(w);
    }
}

static void begin(ways *w, const uint32_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        w->codes[i] = text[i] >> CODE_BITS ? 0 : (uint16_t)text[i];
    memset(w->codes + length, 0, (LEVELS + 1) * sizeof *w->codes);
    for (int level = 0; level < LEVELS; level++)
        for (size_t i = 0; i < length; i++)
            w->worth[level][i] = -__builtin_inf();
}

/* Where words of two characters or more may begin; how many places there are. Where they do cannot be
   foreseen, so that no branch asks for it, here as in `level_of`: one foreseen wrongly costs more than
   the work it saves. */
static size_t beginnings(const lexicon *l, ways *w, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t node = l->first[w->codes[i]].node;
        w->places[count] = (uint32_t)i;
        w->steps[count] = step_of(node, w->codes[i + 1]);
        count += (node != 0) & passes(l, w->steps[count]);
    }
    return count;
}

/* Take the step at each place and tell the word that ends there; at how many places there may be longer ones. */
static size_t level_of(const lexicon *l, ways *w, int level, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t rank, place = w->places[i];
        if (i + AHEAD < count)
            __builtin_prefetch(&l->slots[node_home(l, w->steps[i + AHEAD])]);
        uint32_t node = child_of(l, w->steps[i], &rank);
        w->worth[level][place] = l->weights[rank];
        w->places[kept] = place;
        w->steps[kept] = step_of(node, w->codes[place + (size_t)level + 2]);
        kept += (node != 0) & passes(l, w->steps[kept]);
    }
    return kept;
}

/* Take the step at a place and all further ones, for words of more than LEVELS + 1 characters. */
static void lengthen(const lexicon *l, ways *w, size_t from, uint64_t step)
{
    uint32_t rank, node;
    for (size_t end = from + LEVELS + 2; (node = child_of(l, step, &rank)); end++) {
        double here = l->weights[rank] + w->route[end];
        if (rank && here >= w->route[from]) {
            w->route[from] = here;
            w->next[from] = (uint32_t)end;
        }
        step = step_of(node, w->codes[end]);
    }
}

/* The best ways from each place on, from the end of the text: of equal ones that with the longest word.
   Not inlined, which compilers have been seen to pay for with branches. */
__attribute__((noinline)) static void find_ways(const lexicon *l, ways *w, size_t length, size_t longer)
{
    double *route = w->route;
    for (size_t i = length; i < length + LEVELS + 1; i++)
        route[i] = 0;
    for (size_t i = length; i-- > 0;) {
        first_step first = l->first[w->codes[i]];
        double alone = l->weights[first.rank] + route[i + 1], best = w->worth[0][i] + route[i + 2];
        size_t to = i + 2;
        for (size_t level = 1; level < LEVELS; level++) {
            double here = w->worth[level][i] + route[i + level + 2];
            to = here >= best ? i + level + 2 : to;
            best = here > best ? here : best;
        }
        to = best >= alone ? to : i + 1;
        best = alone > best ? alone : best;
        route[i] = best;
        w->next[i] = (uint32_t)to;
        if (longer && w->places[longer - 1] == i)
            lengthen(l, w, i, w->steps[--longer]);
        if (route[i] == -__builtin_inf()) {
            route[i] = l->unknown + route[i + 1];
            w->next[i] = (uint32_t)i + 1;
        }
        route[i] = first.inside ? route[i] : 0; /* a block ends before it */
    }
}

/* The words along the best ways, single Latin letters and digits joined. */
static size_t follow(const ways *w, const uint32_t *text, size_t length, uint32_t *ends)
{
    size_t count = 0;
    bool joining = false;
    for (size_t from = 0; from < length;) {
        size_t to = w->next[from];
        bool single = to == from + 1 && is_latin(text[from]);
        if (joining && !single)
            ends[count++] = (uint32_t)from;
        if (text[from] == '\r' && from + 1 < length && text[from + 1] == '\n')
            to++;
        if (!single)
            ends[count++] = (uint32_t)to;
        joining = single;
        from = to;
    }
    if (joining)
        ends[count++] = (uint32_t)length;
    return count;
}

size_t cut(const lexicon *l, const uint32_t *text, size_t length, ways *w, uint32_t *ends)
{
    begin(w, text, length);
    size_t count = beginnings(l, w, length);
    for (int level = 0; level < LEVELS && count; level++)
        count = level_of(l, w, level, count);
    find_ways(l, w, length, count);
    return follow(w, text, length, ends);
}

/* Cut texts: `ends` of all words one text behind the other, within each text; `words`, how many of each.
   The number of all words; -1 where memory has run out. */
EXPORT int64_t kernel_cut(const lexicon *l, const texts *t, uint32_t *ends, int64_t *words)
{
    ways *w = ways_new(longest_of(t));
    int64_t all = w ? 0 : -1;
    for (int64_t i = 0; w && i < t->count; i++) {
        words[i] = (int64_t)cut(l, t->points + t->starts[i], (size_t)t->lengths[i], w, ends + all);
        all += words[i];
    }
    ways_free(w);
    return all;
}
