"""Fitting the layer that lets the facets inform each other, on held-out scores."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import log_softmax

from classifier.stack import Stack
from classifier.taxonomy import Facet

from .calibrate import Labels, Scores
from .samples import UNKNOWN, Samples

UNITS = 32

_PENALTY = 100.0  # in samples, on each squared weight
_STEPS = 150  # of the search; more fit the samples no better than others
_NEAR = 0.3, 0.05  # how far from zero the search starts, for the two sides of the layer
_SCALE = 0.5  # of a head's score in a logarithm of shares, to begin with
_LARGEST = 20.0  # logarithm of a scale, lest a wild step of the search overflow
_LEAST_SPREAD = 1e-6

Array = npt.NDArray[np.float64]


def stacked(samples: Samples, scores: Mapping[str, Scores]) -> tuple[Stack | None, Mapping[str, Scores]]:
    """The layer for held-out scores, and each fold's scores as one fitted on the other folds corrects them.

    There is none where there is nothing to inform: a single facet, or nothing but categories.
    """
    facets = samples.taxonomy.facets
    if not _told(facets):
        return None, scores
    every = np.concatenate([scores[name] for name in facets], axis=1)
    judged = np.isin(samples.folds, samples.fold_numbers)
    corrected = every.copy()
    for fold in samples.fold_numbers:
        out = samples.folds == fold
        layer = _fitted(facets, every, samples.labels, judged & ~out)
        corrected[out] = layer.corrected(every[out])
    ends = np.cumsum([len(facet.codes) for facet in facets.values()])
    parts = np.split(corrected, ends[:-1], axis=1)
    return _fitted(facets, every, samples.labels, judged), dict(zip(facets, parts, strict=True))


def _told(facets: Mapping[str, Facet]) -> list[str]:
    """The facets that are corrected: what the others know of the category, its own heads know already."""
    return [name for name in facets if name != "category"] if len(facets) > 1 else []


def _fitted(
    facets: Mapping[str, Facet], every: Scores, labels: Mapping[str, Labels], which: npt.NDArray[np.bool_]
) -> Stack:
    return _Search(facets, every[which], {name: labels[name][which] for name in facets}).stack()


class _Search:
    """For the layer of least negative log-likelihood with a penalty on its squared weights.

    Under each facet's corrected scores stands a softmax with a scale and shifts of its own, fitted along
    and left behind: calibration follows. Scores are read as so many standard deviations from their mean.
    """

    def __init__(self, facets: Mapping[str, Facet], every: Scores, labels: Mapping[str, Labels]) -> None:
        self.spread = np.maximum(every.std(axis=0), _LEAST_SPREAD)
        self.mean = every.mean(axis=0)
        self.even = (every - self.mean) / self.spread
        told = _told(facets)
        widths = [len(facets[name].codes) for name in told]
        of_label = np.array([name for name, facet in facets.items() for _ in facet.codes])
        self.columns = np.concatenate([np.flatnonzero(of_label == name) for name in told])
        self.facet = np.repeat(np.arange(len(told)), widths)
        self.parts = np.split(np.arange(len(self.columns)), np.cumsum(widths)[:-1])
        self.own = every[:, self.columns]
        self.truth, self.known = np.zeros_like(self.own), np.zeros_like(self.own)
        for part, name in zip(self.parts, told, strict=True):
            sure = np.flatnonzero(labels[name] != UNKNOWN)
            self.truth[sure, part[labels[name][sure]]] = 1
            self.known[np.ix_(sure, part)] = 1
        shown, corrected = every.shape[1], len(self.columns)
        self.shapes = ((shown, UNITS), (UNITS,), (UNITS, corrected), (corrected,), (len(told),))
        self.cuts = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]

    def stack(self) -> Stack:
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
        inward, offset, outward, _, scale = self._apart(found.x)
        inward = inward / self.spread[:, None]
        whole = np.zeros((UNITS, len(self.spread)))
        whole[:, self.columns] = outward / np.exp(scale)[self.facet]
        offset = offset - self.mean @ inward
        return Stack(*(part.astype(np.float32) for part in (inward, offset, whole)))

    def loss(self, weights: Array) -> tuple[float, Array]:
        """The penalised loss at all weights in one array, and its slope."""
        inward, offset, outward, shift, scale = self._apart(weights)
        before = self.even @ inward + offset
        units = np.maximum(before, 0)
        scaled = self.own * np.exp(np.minimum(scale, _LARGEST))[self.facet]
        logs = scaled + units @ outward + shift
        for part in self.parts:
            logs[:, part] = log_softmax(logs[:, part], axis=1)
        off = (np.exp(logs) - self.truth) * self.known
        back = (off @ outward.T) * (before > 0)
        gone = scale - np.log(_SCALE)
        slopes = (
            self.even.T @ back + _PENALTY * inward,
            back.sum(axis=0),
            units.T @ off + _PENALTY * outward,
            off.sum(axis=0) + shift,
            np.bincount(self.facet, (off * scaled).sum(axis=0)) + gone,
        )
        penalty = _PENALTY * ((inward**2).sum() + (outward**2).sum()) + (shift**2).sum() + (gone**2).sum()
        loss = float(penalty / 2 - (logs * self.truth).sum())
        return loss, np.concatenate([part.ravel() for part in slopes])

    def _apart(self, weights: Array) -> list[Array]:
        parts = np.split(weights, self.cuts)
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]
