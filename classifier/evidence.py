"""Which words of a text decided.

A label's score is a sum over the grams of the text, and what each adds is known exactly; where the facets
inform each other (`classifier.stack`), through the scores of the other facets, too. What speaks for a
label is what a gram adds to its score beyond what it adds to the other labels, these weighted by their
confidence, each score by the slope of the link: together the slope of the label's log-odds along the
gram.
A gram's part is spread evenly over its characters and gathered by jieba's words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .model import Model
from .text import align

STRONGEST = 8

_LEAST = np.finfo(np.float64).tiny  # of the others' confidence, lest it be divided by zero


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the untouched text and what it adds to the label: above zero for, below against."""

    start: int
    until: int
    weight: float


def explain(model: Model, request: str, facet: str, label: str) -> list[Evidence]:
    """The words that spoke most for or against a label, strongest first; offsets are those of `request`."""
    cleaned, offsets = align(request)
    parts = contributions(model, cleaned, facet, label)
    found = []
    start = 0
    for word in model.features.tokenizer.cut_many([cleaned])[0]:
        until = start + len(word)
        weight = float(parts[start:until].sum())
        if weight and any(map(str.isalnum, word)):
            found.append(Evidence(offsets[start], offsets[until - 1] + 1, weight))
        start = until
    return sorted(found, key=lambda one: -abs(one.weight))[:STRONGEST]


def contributions(model: Model, cleaned: str, facet: str, label: str) -> npt.NDArray[np.float64]:
    """What each character of a cleaned text adds to a label, beyond what it adds to the others.

    The sum is what the text's grams add to the label's score less the others' average, along the slopes of
    the link and of the layer before it.
    """
    columns, starts, untils = model.features.occurrences(cleaned)
    parts = np.zeros(len(cleaned))
    if not len(columns):
        return parts
    slope = _slopes(model, cleaned, facet, label)
    times = np.bincount(columns, minlength=len(model.features))[columns]
    shares = slope[columns] / times / (untils - starts)
    for share, start, until in zip(shares.tolist(), starts.tolist(), untils.tolist(), strict=True):
        parts[start:until] += share
    return parts


def _slopes(model: Model, cleaned: str, facet: str, label: str) -> npt.NDArray[np.float64]:
    """For each gram: its value in the text times the label's weight over the others' average."""
    where = model.columns[facet]
    grams, values = model.features.row(cleaned)
    weights = model.weights.of_grams(grams)
    scores = (values @ weights + model.bias).astype(np.float64)
    corrected = model.stack.corrected(scores[None, :])[0] if model.stack else scores
    chosen = model.facets[facet].codes.index(label)
    link, own = model.links[facet], corrected[None, where]
    pull = -link.confidences(own)[0]
    pull[chosen] = 0
    pull /= max(-pull.sum(), _LEAST)
    pull[chosen] = 1
    of_all = np.zeros(model.labels)
    of_all[where] = pull * link.slopes(own)[0]
    drawn = model.stack.drawn(scores, of_all) if model.stack else of_all
    slopes = np.zeros(len(model.features))
    slopes[grams] = values * (weights @ drawn)
    return slopes
