"""From scores to confidences.

One head opposes one label to all others, and its score means two things: how much a text looks like the
label, and, far below zero, how little. A softmax takes both alike and is too sure at the top. The link
here has two slopes: steeper where scores are low, flatter where they are high,

    confidence = softmax(scores + log sigmoid(ratio * scores + offset) + shift)

of which a plain softmax (ratio 0) and normalised one-against-the-rest probabilities (large ratio:
Zadrozny, Elkan, KDD 2002) are the two ends. On the development data it halves the calibration error of
either (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

_LARGEST = 80.0  # of which exp still is a number in single precision

Scores = npt.NDArray[np.floating[Any]]  # texts x labels


@dataclass(frozen=True, slots=True)
class Link:
    """The link of one facet; `shift` has a number for each of its labels."""

    ratio: float
    offset: float
    shift: npt.NDArray[np.floating[Any]]

    def confidences(self, scores: Scores) -> Scores:
        """The confidence of each label: texts x labels, rows sum to one."""
        bent = np.minimum(-self.offset - self.ratio * scores, _LARGEST)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True) + self.shift) / (1 + np.exp(bent))
        return cast(Scores, shares / shares.sum(axis=1, keepdims=True))

    def slopes(self, scores: Scores) -> Scores:
        """How much a label's share of the confidence, as a logarithm, rises with its score."""
        bent = self.ratio * scores + self.offset
        return cast(Scores, 1 + self.ratio / (1 + np.exp(np.minimum(bent, _LARGEST))))


class Links:
    """The links of several facets whose labels stand side by side, for all of them at once."""

    def __init__(self, links: Sequence[Link]) -> None:
        widths = [len(link.shift) for link in links]
        self._starts = np.cumsum([0, *widths[:-1]])
        self._owner = np.repeat(np.arange(len(links)), widths)
        # Single precision as the scores are: in double precision this would be half of what a batch costs
        # beside its scores.
        self._ratio = np.array([link.ratio for link in links], dtype=np.float32)[self._owner]
        self._offset = np.array([link.offset for link in links], dtype=np.float32)[self._owner]
        self._shift = np.concatenate([link.shift for link in links]).astype(np.float32)

    def confidences(self, scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What each facet's link makes of its scores: texts x labels, the labels of a facet sum to one."""
        bent = np.minimum(-self._offset - self._ratio * scores, np.float32(_LARGEST))
        tops = np.maximum.reduceat(scores, self._starts, axis=1)[:, self._owner]
        shares: npt.NDArray[np.float32] = np.exp(scores - tops + self._shift) / (1 + np.exp(bent))
        sums = np.add.reduceat(shares, self._starts, axis=1)[:, self._owner]
        shares /= sums
        return shares
