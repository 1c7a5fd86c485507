"""Scores to honest confidences, and how honest they are.

Everything here is fitted on held-out scores: those that a text got from a model that had not seen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax

from classifier.link import Link

Scores = npt.NDArray[np.float64]  # texts x labels
Labels = npt.NDArray[np.int64]
Confidences = npt.NDArray[np.float64]

BINS = 15

_SHIFT_PENALTY = 2.0  # in samples: keeps the shift of a rare label near zero
_LINK_PENALTY = 1.0  # in samples: keeps the link where it is usual when there are few samples


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns scores into confidences: a scale, and the link behind it."""

    scale: float
    link: Link

    def confidences(self, scores: Scores) -> Confidences:
        """The confidence of each label: texts x labels, rows sum to one."""
        return cast(Confidences, self.link.confidences(self.scale * scores))


def fit_calibration(scores: Scores, labels: Labels) -> Calibration:
    """The scale and link of least negative log-likelihood on held-out scores.

    As in temperature scaling with a bias for each label (Guo, Pleiss, Sun, Weinberger: On Calibration
    of Modern Neural Networks, ICML 2017, section 4.2), the biases held small by a quadratic penalty,
    but with the two slopes of `classifier.link`.
    """
    texts, count = scores.shape
    truth = np.zeros_like(scores)
    truth[np.arange(texts), labels] = 1

    def loss(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        (scale, steep), offset, shift = np.exp(parameters[:2]), parameters[2], parameters[3:]
        bent = steep * scores + offset
        logs = log_softmax(scale * scores + log_expit(bent) + shift, axis=1)
        likelihood = logs[np.arange(texts), labels].sum()
        off = np.exp(logs) - truth
        low = off * expit(-bent)
        slope = np.array([scale * (off * scores).sum(), steep * (low * scores).sum(), low.sum()])
        gone = parameters[:3] - start[:3]
        penalty = (_SHIFT_PENALTY * (shift**2).sum() + _LINK_PENALTY * (gone**2).sum()) / 2
        slopes = [slope + _LINK_PENALTY * gone, off.sum(axis=0) + _SHIFT_PENALTY * shift]
        return float(penalty - likelihood), np.concatenate(slopes)

    start = np.concatenate([np.log([0.5, 0.7]), [2.0], np.zeros(count)])
    found: Any = minimize(loss, start, jac=True, method="L-BFGS-B")
    scale, steep = np.exp(found.x[:2])
    return Calibration(float(scale), Link(float(steep / scale), float(found.x[2]), found.x[3:]))


def calibration_error(confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over 15 bins of equal mass (Nguyen, O'Connor: EMNLP 2015)."""
    bins = reliability(confidence, right)
    return float(sum(count * abs(stated - found) for stated, found, count in bins) / max(len(confidence), 1))


def reliability(
    confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_]
) -> list[tuple[float, float, int]]:
    """For each bin of equal mass: mean confidence, share of right tags, number of texts."""
    parts = np.array_split(np.argsort(confidence, kind="stable"), BINS)
    return [
        (float(confidence[part].mean()), float(right[part].mean()), len(part)) for part in parts if len(part)
    ]
