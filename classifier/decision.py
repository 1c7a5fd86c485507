"""From confidences to labels, and to how far each of them may be trusted without review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from .tagging import FacetTags, Floats, Places
from .taxonomy import Facet

NEVER = 2.0  # a threshold that no confidence reaches


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which confidence on a facet's tag needs no review, at each level.

    A label that is wrong more often than others has a higher threshold of its own, by its code.
    From `alarm` on the facet's alarm goes before a better label; from `also` on the label of a part of
    the text is named beside that of the whole.
    """

    second: float = NEVER
    first: float = NEVER
    alarm: float = NEVER
    also: float = NEVER
    second_of: Mapping[str, float] = field(default_factory=dict)
    first_of: Mapping[str, float] = field(default_factory=dict)


class Rule:
    """How a facet's confidences become labels: its threshold, laid out by label once for many batches."""

    def __init__(self, facet: Facet, threshold: Threshold) -> None:
        self.facet = facet
        self.alarm = threshold.alarm
        self._second_at = _by_label(facet.codes, threshold.second, threshold.second_of)
        self._first_at = _by_label(facet.firsts, threshold.first, threshold.first_of)

    def decide(self, confidences: Floats) -> FacetTags:
        """The label of each text, and to which level it needs no review; confidences are texts x labels."""
        texts = np.arange(len(confidences))
        of_firsts = first_confidences(self.facet, confidences)
        label = _labels(self.facet, confidences, of_firsts, self.alarm)
        first = self.facet.first_index[label]
        confidence, first_confidence = confidences[texts, label], of_firsts[texts, first]
        level = np.where(first_confidence >= self._first_at[first], 1, 0)
        level[confidence >= self._second_at[label]] = 2
        return FacetTags(self.facet, confidences, label, first, np.minimum(first_confidence, 1), level)


def decide(facet: Facet, confidences: Floats, threshold: Threshold) -> FacetTags:
    """The same for a threshold that is used once."""
    return Rule(facet, threshold).decide(confidences)


def _by_label(codes: Sequence[str], usual: float, higher: Mapping[str, float]) -> Floats:
    return np.array([max(usual, higher.get(code, 0.0)) for code in codes])


def first_confidences(facet: Facet, confidences: Floats) -> Floats:
    """The confidence of each first-level label, the sum of its second-level ones: texts x firsts."""
    if facet.is_flat:
        return confidences
    order, starts = facet.by_first
    # Not `@`, whose rounding depends on the other texts.
    return cast(Floats, np.add.reduceat(confidences[:, order], starts, axis=1))


def _labels(facet: Facet, confidences: Floats, of_firsts: Floats, alarm: float) -> Places:
    """The label of each text: the best below the best first level, so that the levels never contradict.

    The facet's alarm, where it has one, goes before a better label from the confidence `alarm` on.
    """
    if facet.is_flat:
        best = cast(Places, confidences.argmax(axis=1))
        if facet.alarm not in facet.codes:
            return best
        rare = facet.codes.index(facet.alarm)
        return np.where(confidences[:, rare] >= alarm, rare, best)
    below = facet.first_index[None, :] == of_firsts.argmax(axis=1)[:, None]
    return cast(Places, np.where(below, confidences, -1).argmax(axis=1))
