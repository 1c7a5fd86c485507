"""Fitting the layer that lets the facets inform each other, on held-out scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax
from threadpoolctl import threadpool_limits

from classifier.stack import Gates, Stack, heard
from classifier.taxonomy import Facet

from .calibrate import Labels, Scores, fit_calibration
from .samples import OUTSIDE, UNKNOWN, Samples

UNITS = 32

_PENALTY = 100.0  # in samples, on each squared weight
_STEPS = 150  # of the search; more fit the samples no better than others
_NEAR = 0.3, 0.05  # how far from zero the search starts, for the two sides of the layer
_SCALE = 0.5  # of a head's score in a logarithm of shares, to begin with
_LARGEST = 20.0  # logarithm of a scale
_LEAST_SPREAD = 1e-6
_LEAST_GAIN = 0.01  # of a facet's negative log-likelihood

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """What heads say of texts: for each facet texts x labels, and what experts say, texts x experts."""

    facets: Mapping[str, Scores]
    experts: Scores


def stacked(samples: Samples, scored: Scored) -> tuple[Stack | None, Mapping[str, Scores]]:
    """The layer for held-out scores, and each fold's scores as one fitted on the other folds corrects them.

    A facet whose held-out scores it does not make likelier keeps them; there is no layer where no facet
    gains, or there is but one.
    """
    facets, scores = samples.taxonomy.facets, scored.facets
    if not _told(facets):
        return None, scores
    every = np.concatenate([scores[name] for name in facets], axis=1)
    shown, labels, taught = _without_unseen(samples, every)
    gates = _gates(facets, scored.experts)
    shown = np.hstack([shown, scored.experts])
    shown = np.where(heard(shown, every.shape[1], gates), shown, 0)
    judged = np.isin(samples.folds, samples.fold_numbers)
    corrected = every.copy()
    with threadpool_limits(1):  # on matrices as narrow as these threads only wait for each other
        for fold in samples.fold_numbers:
            out = samples.folds == fold
            layer = _Search(facets, shown, labels, taught, judged & ~out).stack(gates)
            corrected[out] += layer.corrected(shown[out]) - shown[out, : every.shape[1]]
        whole = _Search(facets, shown, labels, taught, judged).stack(gates)
    ends = np.cumsum([len(facet.codes) for facet in facets.values()])
    parts = dict(zip(facets, np.split(corrected, ends[:-1], axis=1), strict=True))
    kept = {name: _is_likelier(parts[name], scores[name], labels[name], judged) for name in _told(facets)}
    gains = np.repeat([kept.get(name, False) for name in facets], [len(f.codes) for f in facets.values()])
    if not gains.any():
        return None, scores
    stack = Stack(whole.inward, whole.offset, whole.outward * gains.astype(np.float32), gates)
    return stack, {name: parts[name] if kept.get(name) else scores[name] for name in facets}


def _gates(facets: Mapping[str, Facet], experts: Scores) -> Gates:
    """The expert of each label of the category: that of its first level; none where there are no experts."""
    if not experts.shape[1]:
        return np.empty(0, dtype=np.int32)
    return facets["category"].first_index.astype(np.int32)


def _without_unseen(
    samples: Samples, every: Scores
) -> tuple[Scores, Mapping[str, Labels], npt.NDArray[np.bool_]]:
    """Scores and labels without what would tell of folds and not of texts, and which labels are taught.

    A label that only one fold holds has no head there: its scores become the mean of the other folds', its
    samples, which no head could have known, are left out, and it is not corrected.
    """
    shown, labels, start = every.copy(), {}, 0
    taught = np.ones(every.shape[1], dtype=np.bool_)
    for name, facet in samples.taxonomy.facets.items():
        own = samples.labels[name].copy()
        for label, column in enumerate(range(start, start + len(facet.codes))):
            holders = np.unique(samples.folds[own == label])
            taught[column] = len(holders) > 1 or OUTSIDE in holders
            if not taught[column] and len(holders):
                out = samples.folds == holders[0]
                shown[out, column] = every[~out & (samples.folds != OUTSIDE), column].mean()
                own[own == label] = UNKNOWN
        labels[name] = own
        start += len(facet.codes)
    return shown, labels, taught


def _is_likelier(corrected: Scores, scores: Scores, labels: Labels, judged: npt.NDArray[np.bool_]) -> bool:
    """Whether known labels are likelier under corrected scores than chance makes them, both calibrated."""
    known = judged & (labels != UNKNOWN)
    if not known.any():
        return False
    after, before = (
        np.log(fit_calibration(one[known], labels[known]).confidences(one[known]))[
            np.arange(known.sum()), labels[known]
        ].sum()
        for one in (corrected, scores)
    )
    return bool(after > (1 - _LEAST_GAIN) * before)  # both are below zero


def _told(facets: Mapping[str, Facet]) -> list[str]:
    """The facets that are corrected: what the others know of the category, its own heads know already."""
    return [name for name in facets if name != "category"] if len(facets) > 1 else []


class _Search:
    """The search for the layer of least negative log-likelihood with a penalty on its squared weights.

    Under each facet's corrected scores stands a softmax with a scale and shifts of its own, fitted along
    and left behind: calibration follows. Scores are read as so many standard deviations from their mean.
    """

    def __init__(
        self,
        facets: Mapping[str, Facet],
        shown: Scores,
        labels: Mapping[str, Labels],
        taught: npt.NDArray[np.bool_],
        which: npt.NDArray[np.bool_],
    ) -> None:
        every, labels = shown[which], {name: own[which] for name, own in labels.items()}
        spread = every.std(axis=0)
        self.spread = np.where(spread < _LEAST_SPREAD, 1.0, spread)  # a constant column says nothing
        self.mean = every.mean(axis=0)
        self.even = (every - self.mean) / self.spread
        told = _told(facets)
        of_label = np.array([name for name, facet in facets.items() for _ in facet.codes])
        self.labels = len(of_label)
        self.columns = np.flatnonzero(np.isin(of_label, told) & taught)
        self.facet = np.array([told.index(name) for name in of_label[self.columns]], dtype=np.int64)
        self.parts = [np.flatnonzero(self.facet == place) for place in range(len(told))]
        self.own = every[:, self.columns]
        self.truth, self.known = np.zeros_like(self.own), np.zeros_like(self.own)
        for part, name in zip(self.parts, told, strict=True):
            place = np.cumsum(taught[of_label == name]) - 1  # of a label among the taught ones
            sure = np.flatnonzero(labels[name] != UNKNOWN)
            self.truth[sure, part[place[labels[name][sure]]]] = 1
            self.known[np.ix_(sure, part)] = 1
        told_of, corrected = every.shape[1], len(self.columns)
        self.shapes = ((told_of, UNITS), (UNITS,), (UNITS, corrected), (corrected,), (len(told),))
        self.cuts = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]

    def stack(self, gates: Gates) -> Stack:
        """The layer that is found, for scores as they are."""
        random = np.random.default_rng(0)
        start = [np.zeros(shape) for shape in self.shapes]
        start[0] = random.normal(0, _NEAR[0] / np.sqrt(len(self.spread)), self.shapes[0])
        start[2] = random.normal(0, _NEAR[1], self.shapes[2])
        start[4] += np.log(_SCALE)
        found = minimize(
            self.loss,
            np.concatenate([part.ravel() for part in start]),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _STEPS},
        )
        inward, offset, outward, _, scales = self._apart(found.x)
        inward = inward / self.spread[:, None]
        whole = np.zeros((UNITS, self.labels))
        whole[:, self.columns] = outward / scales[self.facet]
        offset = offset - self.mean @ inward
        single = np.float32
        return Stack(inward.astype(single), offset.astype(single), whole.astype(single), gates)

    def loss(self, weights: Array) -> tuple[float, Array]:
        """The penalised loss at all weights in one array, and its slope."""
        inward, offset, outward, shift, scales = self._apart(weights)
        before = self.even @ inward + offset
        units = np.maximum(before, 0)
        scaled = self.own * scales[self.facet]
        logs = scaled + units @ outward + shift
        for part in filter(len, self.parts):
            logs[:, part] = log_softmax(logs[:, part], axis=1)
        off = (np.exp(logs) - self.truth) * self.known
        back = (off @ outward.T) * (before > 0)
        gone = np.log(scales / _SCALE)
        slopes = (
            self.even.T @ back + _PENALTY * inward,
            back.sum(axis=0),
            units.T @ off + _PENALTY * outward,
            off.sum(axis=0) + shift,
            np.bincount(self.facet, (off * scaled).sum(axis=0), minlength=len(gone)) + gone,
        )
        penalty = _PENALTY * ((inward**2).sum() + (outward**2).sum()) + (shift**2).sum() + (gone**2).sum()
        loss = float(penalty / 2 - (logs * self.truth).sum())
        return loss, np.concatenate([part.ravel() for part in slopes])

    def _apart(self, weights: Array) -> list[Array]:
        *parts, logs = np.split(weights, self.cuts)
        # A wild step of the search must not overflow.
        parts.append(np.exp(np.clip(logs, -_LARGEST, _LARGEST)))
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]
