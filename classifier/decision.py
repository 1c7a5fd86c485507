"""From confidences to labels, and to how far each of them may be trusted without review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .taxonomy import Facet

Shares = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.int64]

NEVER = 2.0  # a threshold that no confidence reaches


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which confidence on a facet's tag needs no review, at each level.

    A label that is wrong more often than others has a higher threshold of its own, by its code.
    From `alarm` on the facet's alarm goes before a better label; from `also` on a further label is
    named beside the best.
    """

    second: float = NEVER
    first: float = NEVER
    alarm: float = NEVER
    also: float = NEVER
    second_of: Mapping[str, float] = field(default_factory=dict)
    first_of: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decided:
    """The labels of some texts, each array as long as there are texts; labels are places in the facet."""

    label: Indices
    confidence: Shares
    first: Indices
    first_confidence: Shares
    level: Indices  # to which level no review is needed: 0 none, 1 the first, 2 the second

    @classmethod
    def joined(cls, parts: Sequence[tuple[npt.NDArray[np.bool_], Decided]]) -> Decided:
        """Parts of some texts as one; each comes with the places of its texts."""
        count = len(parts[0][0])
        whole = cls(*(np.zeros(count, dtype=getattr(parts[0][1], one.name).dtype) for one in fields(cls)))
        for places, part in parts:
            for one in fields(cls):
                getattr(whole, one.name)[places] = getattr(part, one.name)
        return whole


def decide(facet: Facet, confidences: Shares, threshold: Threshold) -> Decided:
    """The label of each text, and how deep it is sure; confidences are texts x labels."""
    label = decode(facet, confidences, threshold.alarm)
    confidence = np.take_along_axis(confidences, label[:, None], axis=1)[:, 0]
    first = facet.first_index[label]
    firsts = first_confidences(facet, confidences)
    first_confidence = np.take_along_axis(firsts, first[:, None], axis=1)[:, 0]
    second_at = _by_label(facet.codes, threshold.second, threshold.second_of)
    first_at = _by_label(facet.firsts, threshold.first, threshold.first_of)
    level = np.where(confidence >= second_at[label], 2, np.where(first_confidence >= first_at[first], 1, 0))
    return Decided(label, confidence, first, first_confidence, level)


def _by_label(codes: Sequence[str], usual: float, higher: Mapping[str, float]) -> Shares:
    return np.array([max(usual, higher.get(code, 0.0)) for code in codes])


def first_confidences(facet: Facet, confidences: Shares) -> Shares:
    """The confidence of each first-level label, the sum of its second-level ones: texts x firsts."""
    firsts = np.zeros((len(confidences), len(facet.firsts)), dtype=confidences.dtype)
    for label, first in enumerate(facet.first_index.tolist()):
        firsts[:, first] += confidences[:, label]  # not `@`, whose rounding depends on the other texts
    return firsts


def decode(facet: Facet, confidences: Shares, alarm: float = NEVER) -> Indices:
    """The label of each text: the best below the best first level, so that the levels never contradict.

    The facet's alarm, where it has one, goes before a better label from the confidence `alarm` on.
    """
    if facet.is_flat:
        best = cast(Indices, confidences.argmax(axis=1))
        if facet.alarm not in facet.codes:
            return best
        rare = facet.codes.index(facet.alarm)
        return np.where(confidences[:, rare] >= alarm, rare, best)
    first = first_confidences(facet, confidences).argmax(axis=1)
    below = facet.first_index[None, :] == first[:, None]
    return cast(Indices, np.where(below, confidences, -1).argmax(axis=1))
