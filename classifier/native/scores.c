/* Rows times weights, what the facets tell each other, and rows as they are.

   The product runs across labels, so that each label's sum is formed gram after gram in one order,
   whatever the width of the processor's registers: the two versions give the same bits. */

#include <string.h>

#include "kernel.h"

#define PANEL 32 /* the weights of a gram are padded to a multiple of it */
#define WIDE 96  /* labels summed at once, where there are as many */
#define AHEAD 32 /* grams between asking for weights and needing them */
#define LINE 64
#define LANES 8
#define UNITS 64

typedef float lanes __attribute__((vector_size(32)));
typedef int8_t steps8 __attribute__((vector_size(8)));

typedef struct {
    const int8_t *steps; /* grams x stride */
    int64_t stride;
    const float *scale; /* stride */
    const float *bias;  /* stride */
    const float *inward; /* stride x units */
    const float *offset; /* units */
    const float *outward; /* units x stride */
    int64_t units;       /* of the layer over the scores, a multiple of PANEL and at most UNITS; 0 without */
    int64_t first;       /* label that it corrects, rounded down to a multiple of LANES */
    const int32_t *gates; /* gated: which expert the layer is told where that label is the likeliest of them */
    int64_t gated;
    int64_t experts; /* where they begin among the labels */
} weights;

__attribute__((always_inline)) static inline lanes widened(const int8_t *at)
{
    steps8 some;
    memcpy(&some, at, sizeof some);
    return __builtin_convertvector(some, lanes);
}

/* One text's scores of `width` labels from `panel` on. */
__attribute__((always_inline)) static inline void panel_of(const weights *w, const entry *entries, size_t count,
                                                           int64_t panel, int width, float *restrict out)
{
    lanes sums[WIDE / LANES] = {0};
    for (size_t i = 0; i < count; i++) {
        if (panel == 0 && i + AHEAD < count)
            for (int64_t byte = 0; byte < w->stride; byte += LINE)
                __builtin_prefetch(w->steps + entries[i + AHEAD].column * w->stride + byte);
        const int8_t *at = w->steps + entries[i].column * w->stride + panel;
        float value = entries[i].value;
        for (int part = 0; part < width / LANES; part++)
            sums[part] += value * widened(at + LANES * part);
    }
    float plain[WIDE];
    memcpy(plain, sums, sizeof plain);
    for (int label = 0; label < width; label++)
        out[panel + label] = plain[label] * w->scale[panel + label] + w->bias[panel + label];
}

static inline int64_t likeliest(const float *scores, int64_t count)
{
    int64_t best = 0;
    for (int64_t label = 1; label < count; label++)
        if (scores[label] > scores[best])
            best = label;
    return best;
}

/* One text's scores: of all labels, and where there are experts of the one whose label is the likeliest, the
   others' being 0 (classifier/stack.py). */
__attribute__((always_inline)) static inline void score(const weights *w, const entry *entries, size_t count,
                                                        float *out)
{
    int64_t panel = 0, wanted = w->gated ? w->experts : w->stride;
    for (; panel + WIDE <= w->stride && panel < wanted; panel += WIDE)
        panel_of(w, entries, count, panel, WIDE, out);
    for (; panel < wanted; panel += PANEL)
        panel_of(w, entries, count, panel, PANEL, out);
    if (w->gated) {
        int64_t expert = w->experts + w->gates[likeliest(out, w->gated)];
        if (expert >= panel)
            panel_of(w, entries, count, expert / LANES * LANES, LANES, out);
        float heard = out[expert];
        memset(out + w->experts, 0, (size_t)(w->stride - w->experts) * sizeof *out);
        out[expert] = heard;
    }
}

/* Add to one text's scores what the layer makes of them (classifier/stack.py). */
__attribute__((always_inline)) static inline void correct(const weights *w, float *restrict scores)
{
    float units[UNITS];
    for (int64_t start = 0; start < w->units; start += PANEL) {
        lanes sums[PANEL / LANES];
        memcpy(sums, w->offset + start, sizeof sums);
        for (int64_t label = 0; label < w->stride; label++)
            for (int part = 0; part < PANEL / LANES; part++) {
                lanes row;
                memcpy(&row, w->inward + label * w->units + start + LANES * part, sizeof row);
                sums[part] += scores[label] * row;
            }
        memcpy(units + start, sums, sizeof sums);
    }
    for (int64_t unit = 0; unit < w->units; unit++) {
        if (units[unit] <= 0)
            continue;
        for (int64_t label = w->first; label < w->stride; label += LANES) {
            lanes sum, row;
            memcpy(&sum, scores + label, sizeof sum);
            memcpy(&row, w->outward + unit * w->stride + label, sizeof row);
            sum += units[unit] * row;
            memcpy(scores + label, &sum, sizeof sum);
        }
    }
}

/* All texts one after the other, when they are scored: the layer stays in the processor's nearest cache. */
__attribute__((always_inline)) static inline void correct_all(const weights *w, int64_t count, float *out)
{
    for (int64_t i = 0; i < count; i++)
        correct(w, out + i * w->stride);
}

static void correct_plain(const weights *w, int64_t count, float *out)
{
    correct_all(w, count, out);
}

static void score_plain(const weights *w, const entry *entries, size_t count, float *out)
{
    score(w, entries, count, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void score_avx2(const weights *w, const entry *entries, size_t count,
                                                       float *out)
{
    score(w, entries, count, out);
}

__attribute__((target("avx2"))) static void correct_avx2(const weights *w, int64_t count, float *out)
{
    correct_all(w, count, out);
}
#endif

typedef struct {
    void (*score)(const weights *, const entry *, size_t, float *);
    void (*correct)(const weights *, int64_t, float *);
} version;

/* Which version the processor can run; `plain` takes the one that all can. */
static version version_for(const grams *g, bool plain)
{
#if defined(__x86_64__)
    if (!plain && has_avx2(g))
        return (version){score_avx2, correct_avx2};
#endif
    (void)g, (void)plain;
    return (version){score_plain, correct_plain};
}

/* The scores of texts: `out` is texts x stride, a row of it `sum * scale + bias`, corrected; `blank` tells of each
   text whether it has no known gram. Returns 0, or -1 where memory has run out. */
EXPORT int32_t kernel_scores(const lexicon *l, const grams *g, const weights *w, const texts *t, float *out,
                             uint8_t *blank, int32_t plain)
{
    scratch *s = scratch_new(g, longest_of(t));
    version runs = version_for(g, plain);
    entry *entries;
    if (!s)
        return -1;
    for (int64_t i = 0; i < t->count; i++) {
        size_t count = row_of(l, g, t->points + t->starts[i], (size_t)t->lengths[i], s, &entries);
        runs.score(w, entries, count, out + i * w->stride);
        blank[i] = count == 0;
    }
    if (w->units)
        runs.correct(w, t->count, out);
    scratch_free(s);
    return 0;
}

/* The rows of texts as CSR, columns in the order in which they were met; `starts` has `count + 1` numbers.
   Returns how many values there are, or -1 where memory has run out. */
EXPORT int64_t kernel_rows(const lexicon *l, const grams *g, const texts *t, int64_t *starts, int32_t *columns,
                           float *values)
{
    scratch *s = scratch_new(g, longest_of(t));
    int64_t all = 0;
    entry *entries;
    if (!s)
        return -1;
    starts[0] = 0;
    for (int64_t i = 0; i < t->count; i++) {
        size_t count = row_of(l, g, t->points + t->starts[i], (size_t)t->lengths[i], s, &entries);
        for (size_t place = 0; place < count; place++, all++) {
            columns[all] = (int32_t)entries[place].column;
            values[all] = entries[place].value;
        }
        starts[i + 1] = all;
    }
    scratch_free(s);
    return all;
}
