"""What the facets tell each other: one small layer between the heads and the links.

A head sees words; whether a request is a private affair also depends on what it is about, and whether it
is a complaint on who is blamed. The layer reads the scores of all facets' labels and corrects some of them
(stacked generalisation: Wolpert, Neural Networks 5, 1992),

    corrected = scores + max(0, told @ inward + offset) @ outward,

where `told` are those scores and, beside them, what experts say: heads that know one first level of the
category each, and of which the one is heard whose first level the likeliest category has (experts behind a
gate: Jacobs, Jordan, Nowlan, Hinton, Neural Computation 3, 1991). The same words speak for a private
dispute about a flat, and for the public's concern about a street.

Between two bends of its units and two gates it is a linear map, so what a word adds to a corrected score is
still known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .kernel import MOST_UNITS

Scores = npt.NDArray[np.floating[Any]]  # texts x labels of all facets side by side, then experts
Matrix = npt.NDArray[np.float32]
Gates = npt.NDArray[np.int32]


def heard(scores: Scores, labels: int, gates: Gates) -> npt.NDArray[np.bool_]:
    """Which scores the layer is told of each text: all labels', and of the experts behind them one's.

    `gates` tells of each label of the first facet, the category, which expert is heard where it is the
    likeliest.
    """
    told = np.zeros(scores.shape, dtype=np.bool_)
    told[:, :labels] = True
    if len(gates):
        told[np.arange(len(scores)), labels + gates[scores[:, : len(gates)].argmax(axis=1)]] = True
    return told


@dataclass(frozen=True, slots=True)
class Stack:
    """A layer of some units over the labels of all facets, and over experts where there are any.

    Raises:
        ValueError: the arrays do not fit each other, are more units than the kernel reads, or no numbers.
    """

    inward: Matrix  # labels and experts x units
    offset: Matrix  # a number for each unit
    outward: Matrix  # units x labels
    gates: Gates = field(default_factory=lambda: np.empty(0, np.int32))  # an expert for each category

    def __post_init__(self) -> None:
        (told, units), experts = self.inward.shape, len(self.inward) - self.labels
        fit = units <= MOST_UNITS and self.offset.shape == (units,) and len(self.outward) == units
        if not fit or not len(self.gates) <= self.labels <= told:
            raise ValueError("the layer's arrays do not fit each other")
        known = self.gates.dtype == np.int32 and np.isin(self.gates, np.arange(experts)).all()
        if not known or bool(experts) != bool(len(self.gates)):
            raise ValueError("the gates do not fit the experts")
        for part in (self.inward, self.offset, self.outward):
            if part.dtype != np.float32 or not np.isfinite(part).all():
                raise ValueError("the layer's weights are no finite numbers of single precision")

    @property
    def labels(self) -> int:
        """How many labels it reads; experts stand behind them."""
        return int(self.outward.shape[1])

    def corrected(self, scores: Scores) -> Scores:
        """The labels' scores with what the layer adds: texts x labels."""
        told = np.where(heard(scores, self.labels, self.gates), scores, 0)
        units = np.maximum(told @ self.inward + self.offset, 0)
        return cast(Scores, scores[:, : self.labels] + units @ self.outward)

    def drawn(self, scores: Scores, pull: Scores) -> Scores:
        """The pull on one text's scores, experts' too, that is the same as `pull` on its corrected ones."""
        told = heard(scores[None, :], self.labels, self.gates)[0]
        awake = (scores * told) @ self.inward + self.offset > 0
        drawn = told * (self.inward @ np.where(awake, self.outward @ pull, 0))
        drawn[: self.labels] += pull
        return cast(Scores, drawn)

    def scaled(self, factors: npt.NDArray[np.floating[Any]]) -> Stack:
        """The layer for labels' scores that are `factors`, one for each label, times as large.

        Those of the category's labels must all be the same, or another of them would be the likeliest.
        """
        inward, outward = self.inward.copy(), self.outward * factors
        inward[: self.labels] /= factors[:, None]
        return Stack(inward.astype(np.float32), self.offset, outward.astype(np.float32), self.gates)
