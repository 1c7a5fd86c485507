"""Samples to a model: heads for all labels, folded into one weight matrix (`training.heads`), a small layer
that lets the facets inform each other (`training.stacking`), calibration and thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from classifier.decision import decide
from classifier.features import Features
from classifier.keys import block_of
from classifier.model import Model
from classifier.tagging import FacetTags
from classifier.taxonomy import Taxonomy
from classifier.text import clean
from classifier.tokens import Tokenizer, domain_words
from classifier.weights import Weights

from .calibrate import Confidences, Scores, fit_calibration
from .heads import Learned, expert_heads, facet_heads
from .recipe import Recipe
from .samples import UNKNOWN, Samples
from .stacking import Scored, stacked
from .thresholds import thresholds_of

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What models that had not seen them say of all samples: texts x labels for each facet."""

    scores: Mapping[str, Scores]  # corrected by what the facets tell each other
    confidences: Mapping[str, Confidences]  # calibrated on the other folds
    decided: Mapping[str, FacetTags]  # by thresholds chosen on the other folds


def train(
    samples: Samples, version: str, recipe: Recipe | None = None, progress: Progress = lambda _: None
) -> tuple[Model, HeldOut]:
    """Fit a model on all samples, calibrated on cross-validated scores, and give those scores too."""
    recipe = recipe or Recipe()
    cleaned = [clean(request) for request in samples.requests]
    tokenizer = Tokenizer(domain_words())
    scored = cross_scores(samples, cleaned, tokenizer, recipe, progress)
    progress("各维度相互参考")
    stack, corrected = stacked(samples, scored)
    held_out = judge(samples, corrected)
    progress("全部样本")
    everything = np.arange(len(samples))
    features, weights, bias = _fit(samples, cleaned, tokenizer, everything, recipe)
    links, thresholds = {}, {}
    labels_of_all = weights.shape[1] - scored.experts.shape[1]
    if stack is None:  # nobody asks the experts
        weights, bias = weights[:, :labels_of_all], bias[:labels_of_all]
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
    weights *= scale
    model = Model(
        version,
        samples.taxonomy,
        features,
        Weights.of(weights),
        bias * scale,
        links,
        thresholds,
        _together(samples),
        stack and stack.scaled(scale[:labels_of_all]),
    )
    return model, held_out


def cross_scores(
    samples: Samples, cleaned: Sequence[str], tokenizer: Tokenizer, recipe: Recipe, progress: Progress
) -> Scored:
    """What models fitted on the other folds only say of each sample."""
    facets, folds = samples.taxonomy.facets, samples.fold_numbers
    ends = np.cumsum([len(facet.codes) for facet in facets.values()])
    found = np.zeros((len(samples), ends[-1] + _experts(samples.taxonomy)))
    for number, fold in enumerate(folds, start=1):
        progress(f"第 {number}/{len(folds)} 折")
        rest, out = np.flatnonzero(samples.folds != fold), np.flatnonzero(samples.folds == fold)
        features, weights, bias = _fit(samples, cleaned, tokenizer, rest, recipe)
        found[out] = features.transform([cleaned[i] for i in out.tolist()]) @ weights + bias
    *parts, experts = np.split(found, ends, axis=1)
    return Scored(dict(zip(facets, parts, strict=True)), experts)


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
    """Features, weights (grams x labels of all facets and experts) and bias from some of the samples."""
    texts = [cleaned[i] for i in which.tolist()]
    counting = samples.counting[which]
    features = Features.fit(texts, tokenizer, recipe.blocks, counting)
    lengths = np.array([recipe.lengths[block.field, block.kind] for block in features.blocks])
    stretch = lengths[block_of(features.keys)].astype(np.float32)
    rows = cast(sp.csr_matrix, features.transform(texts) @ sp.diags_array(stretch))
    heads = []
    for name, facet in samples.taxonomy.facets.items():
        labels = samples.labels[name][which]
        known = labels != UNKNOWN
        heads.append(facet_heads(Learned(rows[known], labels[known], counting[known]), facet, recipe))
    if experts := _experts(samples.taxonomy):
        category, scope = samples.taxonomy.facets["category"], samples.taxonomy.facets["scope"]
        categories, scopes = samples.labels["category"][which], samples.labels["scope"][which]
        known = (categories != UNKNOWN) & (scopes != UNKNOWN)
        sides = Learned(rows[known], scope.first_index[scopes[known]], counting[known])
        heads.append(expert_heads(sides, category.first_index[categories[known]], experts, recipe))
    weights, biases = zip(*heads, strict=True)
    return features, np.concatenate(weights, axis=1) * stretch[:, None], np.concatenate(biases)


def _experts(taxonomy: Taxonomy) -> int:
    """How many experts there are: of public or private, one for each first level of the category."""
    facets = taxonomy.facets
    return len(facets["category"].firsts) if {"category", "scope"} <= facets.keys() else 0
