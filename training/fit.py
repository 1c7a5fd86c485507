"""Samples to a model: one linear head for each label, folded into one weight matrix.

A facet of two levels gets heads for both, and the score of a label is its own head's plus a share of
its first level's head: what is rare below is helped by what is frequent above. Heads are L2-regularised
logistic regressions, one label against the rest with both sides weighted alike, fitted by dual
coordinate descent (Yu, Huang, Lin: Machine Learning 85, 2011, as LIBLINEAR has it). A small layer
lets the facets inform each other (`training.stacking`), and calibration follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, cpu_count, delayed
from sklearn.linear_model import LogisticRegression

from classifier.decision import decide
from classifier.features import BLOCKS, Block, Features
from classifier.model import Model
from classifier.tagging import FacetTags
from classifier.taxonomy import Facet
from classifier.text import clean
from classifier.tokens import Tokenizer, domain_words
from classifier.weights import Weights

from .calibrate import Confidences, Labels, Scores, fit_calibration
from .samples import UNKNOWN, Samples
from .stacking import stacked
from .thresholds import thresholds_of

Progress = Callable[[str], None]

_PARTS = 4  # tasks for each process: few enough to start quickly, many enough to end together
_MANY = 1_000_000  # values in the rows from which on starting processes is worth its seconds
_LARGEST_RATIO = 4.0
_UNSEEN = -10.0  # the score of a label that the samples of a fold do not hold: lower than any head gives


@dataclass(frozen=True, slots=True)
class Recipe:
    """What training may choose; the defaults were chosen on the development data (docs/model.md)."""

    blocks: Sequence[Block] = BLOCKS
    cost: float = 10.0  # of the category's second-level heads: larger fits the samples more closely
    other_cost: float = 3.0  # of all other heads, which have more samples each
    alarm_cost: float = 0.1  # of the heads of a facet with an alarm, whose grams are weighted first
    first_share: float = 0.5  # of the first level's score in a category's own


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What models that had not seen them say of all samples: texts x labels for each facet."""

    scores: Mapping[str, Scores]
    confidences: Mapping[str, Confidences]  # calibrated on the other folds
    decided: Mapping[str, FacetTags]  # by thresholds chosen on the other folds


def train(
    samples: Samples, version: str, recipe: Recipe | None = None, progress: Progress = lambda _: None
) -> tuple[Model, HeldOut]:
    """Fit a model on all samples, calibrated on cross-validated scores, and give those scores too."""
    recipe = recipe or Recipe()
    cleaned = [clean(request) for request in samples.requests]
    tokenizer = Tokenizer(domain_words())
    scores = cross_scores(samples, cleaned, tokenizer, recipe, progress)
    stack, corrected = stacked(samples, scores)
    held_out = judge(samples, corrected)
    progress("全部样本")
    everything = np.arange(len(samples))
    features, weights, bias = _fit(samples, cleaned, tokenizer, everything, recipe)
    links, thresholds = {}, {}
    scale = np.ones_like(bias)
    start = 0
    for name, facet in samples.taxonomy.facets.items():
        labels, known = samples.labels[name], samples.judged(name)
        calibration = fit_calibration(held_out.scores[name][known], labels[known])
        where = slice(start, start + len(facet.codes))
        scale[where] = calibration.scale
        links[name] = calibration.link
        thresholds[name] = thresholds_of(
            facet, held_out.confidences[name][known], labels[known], samples.folds[known]
        )
        start = where.stop
    model = Model(
        version,
        samples.taxonomy,
        features,
        Weights.of(weights * scale),
        bias * scale,
        links,
        thresholds,
        _together(samples),
        stack and stack.scaled(scale),
    )
    return model, held_out


def cross_scores(
    samples: Samples, cleaned: Sequence[str], tokenizer: Tokenizer, recipe: Recipe, progress: Progress
) -> dict[str, Scores]:
    """For each facet the scores of each sample by a model fitted on the other folds only."""
    scores = {name: np.zeros((len(samples), len(f.codes))) for name, f in samples.taxonomy.facets.items()}
    folds = samples.fold_numbers
    for number, fold in enumerate(folds, start=1):
        progress(f"第 {number}/{len(folds)} 折")
        rest, out = np.flatnonzero(samples.folds != fold), np.flatnonzero(samples.folds == fold)
        features, weights, bias = _fit(samples, cleaned, tokenizer, rest, recipe)
        found = features.transform([cleaned[i] for i in out.tolist()]) @ weights + bias
        start = 0
        for facet_scores in scores.values():
            facet_scores[out] = found[:, start : start + facet_scores.shape[1]]
            start += facet_scores.shape[1]
    return scores


def judge(samples: Samples, scores: Mapping[str, Scores]) -> HeldOut:
    """Calibrate the scores of each fold, and choose its thresholds, on the other folds."""
    confidences, decided = {}, {}
    for name, facet in samples.taxonomy.facets.items():
        labels, found = samples.labels[name], np.zeros_like(scores[name])
        order, parts = [], []
        for fold in np.unique(samples.folds).tolist():
            rest, out = (samples.folds != fold) & samples.judged(name), samples.folds == fold
            calibration = fit_calibration(scores[name][rest], labels[rest])
            found[out] = calibration.confidences(scores[name][out])
            others = calibration.confidences(scores[name][rest])
            chosen = thresholds_of(facet, others, labels[rest], samples.folds[rest])
            parts.append(decide(facet, found[out], chosen))
            order.append(np.flatnonzero(out))
        confidences[name] = found
        decided[name] = FacetTags.joined(parts).at(np.argsort(np.concatenate(order)))
    return HeldOut(scores, confidences, decided)


def _together(samples: Samples) -> npt.NDArray[np.int64] | None:
    """How many samples have each category (rows) with each scope (columns)."""
    if not {"category", "scope"} <= samples.labels.keys():
        return None
    facets = samples.taxonomy.facets
    counts = np.zeros((len(facets["category"].codes), len(facets["scope"].codes)), dtype=np.int64)
    categories, scopes = samples.labels["category"], samples.labels["scope"]
    known = (categories != UNKNOWN) & (scopes != UNKNOWN)
    np.add.at(counts, (categories[known], scopes[known]), 1)
    return counts


def _fit(
    samples: Samples,
    cleaned: Sequence[str],
    tokenizer: Tokenizer,
    which: npt.NDArray[np.int64],
    recipe: Recipe,
) -> tuple[Features, npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Features, weights (grams x labels of all facets) and bias from some of the samples."""
    texts = [cleaned[i] for i in which.tolist()]
    features = Features.fit(texts, tokenizer, recipe.blocks)
    rows = features.transform(texts)
    heads = []
    for name, facet in samples.taxonomy.facets.items():
        labels = samples.labels[name][which]
        known = labels != UNKNOWN
        heads.append(_facet_heads(rows[known], labels[known], facet, recipe))
    weights, biases = zip(*heads, strict=True)
    return features, np.concatenate(weights, axis=1), np.concatenate(biases)


def _facet_heads(
    rows: sp.csr_matrix, labels: Labels, facet: Facet, recipe: Recipe
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    if facet.alarm in facet.codes:
        ratios = _log_ratios(rows, labels == facet.codes.index(facet.alarm))
        weighted = sp.csr_matrix(rows @ sp.diags_array(ratios))
        weights, bias = _heads(weighted, labels, len(facet.codes), recipe.alarm_cost)
        return weights * ratios[:, None], bias
    if facet.name != "category":
        return _heads(rows, labels, len(facet.codes), recipe.other_cost)
    weights, bias = _heads(rows, labels, len(facet.codes), recipe.cost)
    if not facet.is_flat:
        above, above_bias = _heads(rows, facet.first_index[labels], len(facet.firsts), recipe.other_cost)
        weights += recipe.first_share * above[:, facet.first_index]
        bias += recipe.first_share * above_bias[facet.first_index]
    return weights, bias


def _log_ratios(rows: sp.csr_matrix, alarming: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """How much more often each gram stands in the texts with an alarm, or without; as a logarithm, no sign.

    Of few texts with an alarm a head remembers whole turns of phrase; weighted so (Wang, Manning: Baselines
    and Bigrams, ACL 2012) it holds to the grams that tell the two apart in all of them.
    """
    met = rows.astype(bool)
    with_alarm, without = (1.0 + met[which].sum(axis=0) for which in (alarming, ~alarming))
    ratios = np.log(with_alarm / with_alarm.sum()) - np.log(without / without.sum())
    sizes: npt.NDArray[np.float32] = np.abs(np.asarray(ratios, dtype=np.float32).ravel())
    return np.minimum(sizes, np.float32(_LARGEST_RATIO))


def _heads(
    rows: sp.csr_matrix, labels: Labels, count: int, cost: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """One label against the rest, for each of `count` labels: grams x labels, and their biases."""
    weights = np.zeros((rows.shape[1], count), dtype=np.float32)
    bias = np.full(count, _UNSEEN, dtype=np.float32)
    present = np.unique(labels)
    if len(present) < 2:
        bias[present] = -_UNSEEN
        return weights, bias
    # Processes, not threads: LIBLINEAR has one random generator for all threads, and two fits would differ.
    jobs = cpu_count() if rows.nnz > _MANY else 1
    parts = np.array_split(present, min(len(present), jobs * _PARTS))
    exact = rows.astype(np.float64)  # what LIBLINEAR works with; converted once, shared by the processes
    fitted = Parallel(n_jobs=jobs)(delayed(_part)(exact, labels, part, cost) for part in parts)
    for part, (slopes, offsets) in zip(parts, fitted, strict=True):
        weights[:, part], bias[part] = slopes, offsets
    return weights, bias


def _part(
    rows: sp.csr_matrix, labels: Labels, part: Labels, cost: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The heads of some labels: grams x labels of the part, and their biases."""
    slopes = np.zeros((rows.shape[1], len(part)), dtype=np.float32)
    offsets = np.zeros(len(part), dtype=np.float32)
    for place, label in enumerate(part):
        # At a tolerance of 0.01 held-out scores have three digits in common with those at 0.0001, and
        # come ten times faster.
        machine = LogisticRegression(
            C=cost, class_weight="balanced", solver="liblinear", dual=True, tol=0.01, random_state=0
        ).fit(rows, labels == label)
        slopes[:, place], offsets[place] = machine.coef_[0], machine.intercept_[0]
    return slopes, offsets
