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
