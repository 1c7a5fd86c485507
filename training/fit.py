"""Samples to a model: one linear head for each label, folded into one weight matrix.

A facet of two levels gets heads for both, and the score of a label is its own head's plus a share of
its first level's head: what is rare below is helped by what is frequent above. Heads are
L2-regularised, squared-hinge support vector machines, one label against the rest (Fan, Chang, Hsieh,
Wang, Lin: LIBLINEAR, JMLR 9, 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, delayed
from sklearn.svm import LinearSVC

from classifier.bundle import rounded
from classifier.features import BLOCKS, Block, Features
from classifier.model import Model, Threshold, decode, first_confidences
from classifier.taxonomy import Facet
from classifier.text import clean
from classifier.tokens import Tokenizer, domain_words

from .calibrate import Confidences, Labels, Scores, choose_threshold, fit_calibration
from .samples import UNKNOWN, Samples

Progress = Callable[[str], None]

_UNSEEN = -2.0  # the score of a label that the samples of a fold do not hold: lower than any head gives


@dataclass(frozen=True, slots=True)
class Recipe:
    """What training may choose; the defaults were chosen on the development data (docs/model.md)."""

    blocks: Sequence[Block] = BLOCKS
    cost: float = 0.5  # of the category's second-level heads: larger fits the samples more closely
    other_cost: float = 0.2  # of all other heads, which have more samples each
    first_share: float = 0.5  # of the first level's score in a label's own


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What models that had not seen them say of all samples: texts x labels for each facet."""

    scores: Mapping[str, Scores]
    confidences: Mapping[str, Confidences]  # calibrated on the other folds
    thresholds: Mapping[str, npt.NDArray[np.float64]]  # texts x (second, first), chosen on the other folds


def train(
    samples: Samples, version: str, recipe: Recipe | None = None, progress: Progress = lambda _: None
) -> tuple[Model, HeldOut]:
    """Fit a model on all samples, calibrated on cross-validated scores, and give those scores too."""
    recipe = recipe or Recipe()
    cleaned = [clean(request) for request in samples.requests]
    tokenizer = Tokenizer(domain_words())
    held_out = judge(samples, cross_scores(samples, cleaned, tokenizer, recipe, progress))
    progress("全部样本")
    everything = np.arange(len(samples))
    features, weights, bias = _fit(samples, cleaned, tokenizer, everything, recipe)
    thresholds = {}
    start = 0
    for name, facet in samples.taxonomy.facets.items():
        labels = samples.labels[name]
        known = labels != UNKNOWN
        calibration = fit_calibration(held_out.scores[name][known], labels[known])
        where = slice(start, start + len(facet.codes))
        weights[:, where] *= calibration.scale
        bias[where] = bias[where] * calibration.scale + calibration.shift
        thresholds[name] = thresholds_of(facet, held_out.confidences[name][known], labels[known])
        start = where.stop
    return Model(version, samples.taxonomy, features, rounded(weights), bias, thresholds), held_out


def cross_scores(
    samples: Samples, cleaned: Sequence[str], tokenizer: Tokenizer, recipe: Recipe, progress: Progress
) -> dict[str, Scores]:
    """For each facet the scores of each sample by a model fitted on the other folds only."""
    scores = {name: np.zeros((len(samples), len(f.codes))) for name, f in samples.taxonomy.facets.items()}
    folds = np.unique(samples.folds)
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
    confidences, thresholds = {}, {}
    for name, facet in samples.taxonomy.facets.items():
        labels = samples.labels[name]
        confidences[name] = np.zeros_like(scores[name])
        thresholds[name] = np.zeros((len(samples), 2))
        for fold in np.unique(samples.folds):
            rest, out = (samples.folds != fold) & (labels != UNKNOWN), samples.folds == fold
            calibration = fit_calibration(scores[name][rest], labels[rest])
            confidences[name][out] = calibration.confidences(scores[name][out])
            chosen = thresholds_of(facet, calibration.confidences(scores[name][rest]), labels[rest])
            thresholds[name][out] = chosen.second, chosen.first
    return HeldOut(scores, confidences, thresholds)


def thresholds_of(facet: Facet, confidences: Confidences, labels: Labels) -> Threshold:
    """From which confidence on each level of a facet needs no review, by held-out confidences."""
    best = decode(facet, confidences)
    first = facet.first_index[best]
    firsts = first_confidences(facet, confidences)
    every = np.arange(len(labels))
    second = choose_threshold(confidences[every, best], best == labels)
    return Threshold(second, choose_threshold(firsts[every, first], first == facet.first_index[labels]))


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
    cost = recipe.cost if facet.name == "category" else recipe.other_cost
    weights, bias = _heads(rows, labels, len(facet.codes), cost)
    if not facet.is_flat:
        above, above_bias = _heads(rows, facet.first_index[labels], len(facet.firsts), recipe.other_cost)
        weights += recipe.first_share * above[:, facet.first_index]
        bias += recipe.first_share * above_bias[facet.first_index]
    return weights, bias


def _heads(
    rows: sp.csr_matrix, labels: Labels, count: int, cost: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """One label against the rest, for each of `count` labels: grams x labels, and their biases."""
    weights = np.zeros((rows.shape[1], count), dtype=np.float32)
    bias = np.full(count, _UNSEEN, dtype=np.float32)
    present = np.unique(labels)
    if len(present) == 1:
        bias[present] = -_UNSEEN
        return weights, bias
    fitted = Parallel(n_jobs=-1, prefer="threads")(
        delayed(_head)(rows, labels == label, cost) for label in present.tolist()
    )
    for label, (slope, offset) in zip(present.tolist(), fitted, strict=True):
        weights[:, label], bias[label] = slope, offset
    return weights, bias


def _head(
    rows: sp.csr_matrix, is_label: npt.NDArray[np.bool_], cost: float
) -> tuple[npt.NDArray[np.float64], float]:
    machine = LinearSVC(C=cost, random_state=0).fit(rows, is_label)
    return cast(npt.NDArray[np.float64], machine.coef_[0]), float(machine.intercept_[0])
