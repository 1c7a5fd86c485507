/* jieba's cut of a text without the hidden Markov model.

   The reference is jieba 0.42.1, `Tokenizer.cut(text, HMM=False)`: blocks of `re_han_default`, in them
   the most probable path through the graph of dictionary words (`calc`), single Latin letters and
   digits joined (`__cut_DAG_NO_HMM`). Sums are formed in jieba's order and ties fall as they do there. */

#include <stdlib.h>

#include "lexicon.h"

#define AHEAD 6 /* characters between asking for a slot and needing it */

static inline void ask_for(const lexicon *l, const uint32_t *at)
{
    uint64_t key = (uint64_t)l->first[at[0]].node << CODE_BITS | at[1];
    __builtin_prefetch(&l->slots[node_home(l, key)]);
}

/* The best way on from `from` in a block that ends at `until`: the most probable, of equal ones the longest. */
static void step(const lexicon *l, const uint32_t *text, size_t from, size_t until, double *route, uint32_t *next)
{
    first_step start = l->first[text[from]];
    uint32_t node = start.node, rank = start.rank;
    double best = l->weights[0] + route[from + 1];
    size_t to = from + 1;
    bool any = false;
    for (size_t end = from + 1; node; end++) {
        if (rank) {
            double here = l->weights[rank] + route[end];
            if (!any || here >= best) {
                best = here;
                to = end;
                any = true;
            }
        }
        if (end == until)
            break;
        node = child_of(l, node, text[end], &rank);
    }
    route[from] = best;
    next[from] = (uint32_t)to;
}

/* The words of a block along its best way, single Latin letters and digits joined. */
static size_t follow(const uint32_t *text, size_t from, size_t until, const uint32_t *next, uint32_t *ends)
{
    size_t count = 0;
    bool joining = false;
    while (from < until) {
        size_t to = next[from];
        bool single = to == from + 1 && is_latin(text[from]);
        if (joining && !single)
            ends[count++] = (uint32_t)from;
        if (!single)
            ends[count++] = (uint32_t)to;
        joining = single;
        from = to;
    }
    if (joining)
        ends[count++] = (uint32_t)until;
    return count;
}

size_t cut(const lexicon *l, const uint32_t *text, size_t length, double *route, uint32_t *next, uint32_t *ends)
{
    size_t count = 0;
    for (size_t from = 0; from < length;) {
        size_t until = from;
        while (until < length && is_in_words(text[until]))
            until++;
        if (until == from) {
            until += text[from] == '\r' && from + 1 < length && text[from + 1] == '\n' ? 2 : 1;
            ends[count++] = (uint32_t)until;
        } else {
            route[until] = 0;
            for (size_t i = until; i-- > from;) {
                if (i >= from + AHEAD)
                    ask_for(l, text + i - AHEAD);
                step(l, text, i, until, route, next);
            }
            count += follow(text, from, until, next, ends + count);
        }
        from = until;
    }
    return count;
}

/* Cut texts: `ends` of all words one text behind the other, within each text; `words`, how many of each.
   The number of all words; -1 where memory has run out. */
EXPORT int64_t kernel_cut(const lexicon *l, const texts *t, uint32_t *ends, int64_t *words)
{
    size_t room = (size_t)longest_of(t) + 1;
    double *route = malloc(room * sizeof *route);
    uint32_t *next = malloc(room * sizeof *next);
    int64_t all = route && next ? 0 : -1;
    for (int64_t i = 0; all >= 0 && i < t->count; i++) {
        words[i] = (int64_t)cut(l, t->points + t->starts[i], (size_t)t->lengths[i], route, next, ends + all);
        all += words[i];
    }
    free(route);
    free(next);
    return all;
}
