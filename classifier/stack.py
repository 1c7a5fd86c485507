"""What the facets tell each other: one small layer between the heads and the links.

A head sees words; whether a request is a private affair also depends on what it is about, and whether it
is a complaint on who is blamed. The layer reads the scores of all facets' labels and corrects some of them
(stacked generalisation: Wolpert, Neural Networks 5, 1992),

    corrected = scores + max(0, scores @ inward + offset) @ outward.

Between two bends of its units it is a linear map, so what a word adds to a corrected score is still known
exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .kernel import MOST_UNITS

Scores = npt.NDArray[np.floating[Any]]  # texts x labels, those of all facets side by side
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stack:
    """A layer of some units over the labels of all facets.

    Raises:
        ValueError: the arrays do not fit each other, are more units than the kernel reads, or no numbers.
    """

    inward: Matrix  # labels x units
    offset: Matrix  # a number for each unit
    outward: Matrix  # units x labels

    def __post_init__(self) -> None:
        labels, units = self.inward.shape
        if units > MOST_UNITS or self.offset.shape != (units,) or self.outward.shape != (units, labels):
            raise ValueError("the layer's arrays do not fit each other")
        for part in (self.inward, self.offset, self.outward):
            if part.dtype != np.float32 or not np.isfinite(part).all():
                raise ValueError("the layer's weights are no finite numbers of single precision")

    def corrected(self, scores: Scores) -> Scores:
        """The scores with what the layer adds."""
        units = np.maximum(scores @ self.inward + self.offset, 0)
        return cast(Scores, scores + units @ self.outward)

    def drawn(self, scores: Scores, pull: Scores) -> Scores:
        """The pull on one text's scores that is the same as `pull` on its corrected ones."""
        awake = scores @ self.inward + self.offset > 0
        return pull + self.inward @ np.where(awake, self.outward @ pull, 0)

    def scaled(self, factors: npt.NDArray[np.floating[Any]]) -> Stack:
        """The layer for scores that are `factors`, one for each label, times as large."""
        inward, outward = self.inward / factors[:, None], self.outward * factors
        return Stack(inward.astype(np.float32), self.offset, outward.astype(np.float32))
