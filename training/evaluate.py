"""How good tags are: accuracy, per-class scores, calibration, and what the automatic part gets wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_fscore_support

from classifier.decision import Threshold, decide
from classifier.errors import InputError
from classifier.model import Model
from classifier.tagging import FacetTags
from classifier.taxonomy import Facet

from .calibrate import calibration_error, reliability
from .fit import HeldOut
from .samples import UNKNOWN, Samples

FIRST_NAMES = {"category": "category_first", "scope": "scope"}
SECOND_NAMES = {"scope": "scope_detail"}


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one label was found."""

    precision: float
    recall: float
    f1: float
    support: int  # samples that carry the label


@dataclass(frozen=True, slots=True)
class FacetScore:
    """How good the tags of one facet are, at one of its levels."""

    samples: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    coverage: float  # share of the samples whose tag needs no review
    automatic_error: float | None  # of those, the share that is wrong; None where there are none
    reliability: Sequence[tuple[float, float, int]]
    classes: Mapping[str, ClassScore]

    def as_json(self) -> dict[str, Any]:
        """Plain values; shares are of one, not of a hundred."""
        return {
            "samples": self.samples,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "expected_calibration_error": self.calibration_error,
            "coverage": self.coverage,
            "automatic_error": self.automatic_error,
            "reliability": [list(part) for part in self.reliability],
            "classes": {
                code: {"precision": s.precision, "recall": s.recall, "f1": s.f1, "support": s.support}
                for code, s in self.classes.items()
            },
        }


Scores = dict[str, FacetScore]


def evaluate(model: Model, samples: Samples) -> Scores:
    """Score a model on samples that it was not trained on.

    Raises:
        InputError: the samples label no facet that the model knows, in its own labels.
    """
    confidences = model.confidences(samples.requests)
    scores: Scores = {}
    for name in (name for name in model.facets if name in samples.labels):
        facet, labels = model.facets[name], _in_model_order(model, samples, name)
        if (labels == UNKNOWN).all():
            continue
        threshold = model.thresholds.get(name, Threshold())
        decided = decide(facet, confidences[name].astype(np.float64), threshold)
        scores |= _facet_scores(facet, labels, decided)
    if not scores:
        raise InputError("样本里没有这个模型认识的标签列，请检查样本，或用 --model 选择另一个版本")
    return scores


def evaluate_held_out(held_out: HeldOut, samples: Samples) -> Scores:
    """Score the cross-validated confidences of training."""
    scores: Scores = {}
    for name, facet in samples.taxonomy.facets.items():
        labels = np.where(samples.judged(name), samples.labels[name], UNKNOWN)
        scores |= _facet_scores(facet, labels, held_out.decided[name])
    return scores


def as_json(scores: Scores) -> dict[str, Any]:
    """`{"facets": {facet: {"accuracy": …, "macro_f1": …, "classes": {…}, …}}}`."""
    return {"facets": {name: score.as_json() for name, score in scores.items()}}


def _in_model_order(model: Model, samples: Samples, name: str) -> npt.NDArray[np.int64]:
    place = {code: index for index, code in enumerate(model.facets[name].codes)}
    ours = np.array([place.get(code, UNKNOWN) for code in samples.taxonomy.facets[name].codes])
    labels = samples.labels[name]
    return np.where(labels == UNKNOWN, UNKNOWN, ours[labels])


def _facet_scores(facet: Facet, labels: npt.NDArray[np.int64], decided: FacetTags) -> Scores:
    known = np.flatnonzero(labels != UNKNOWN)
    truth, tags = labels[known], decided.at(known)
    name = SECOND_NAMES.get(facet.name, facet.name)
    scores = {name: _score(facet.codes, truth, tags.labels, tags.confidence, tags.levels == 2)}
    if not facet.is_flat:
        scores[FIRST_NAMES[facet.name]] = _score(
            facet.firsts, facet.first_index[truth], tags.firsts, tags.first_confidence, tags.levels >= 1
        )
    return scores


def _score(
    codes: Sequence[str],
    truth: npt.NDArray[np.int64],
    given: npt.NDArray[np.int64],
    confidence: npt.NDArray[np.floating[Any]],
    automatic: npt.NDArray[np.bool_],
) -> FacetScore:
    right = truth == given
    met = np.unique(np.concatenate([truth, given]))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, given, labels=met, zero_division=0
    )
    classes = {
        codes[label]: ClassScore(float(p), float(r), float(f), int(n))
        for label, p, r, f, n in zip(met.tolist(), precision, recall, f1, support, strict=True)
    }
    return FacetScore(
        samples=len(truth),
        accuracy=float(right.mean()),
        macro_f1=float(np.mean(f1)),
        calibration_error=calibration_error(confidence, right),
        coverage=float(automatic.mean()),
        automatic_error=float((~right[automatic]).mean()) if automatic.any() else None,
        reliability=reliability(confidence, right),
        classes=classes,
    )
