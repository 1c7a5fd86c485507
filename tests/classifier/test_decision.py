"""Labels and how deep they are sure, from confidences written down by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classifier.decision import NEVER, Threshold, decide, first_confidences
from classifier.taxonomy import Facet, Label

TWO_LEVELS = Facet(
    "category",
    "",
    (Label("a.x", "", "a"), Label("b.x", "", "b"), Label("b.y", "", "b")),
    {"a": "", "b": ""},
)


def labels(facet, confidences, alarm=NEVER):
    return decide(facet, confidences, Threshold(alarm=alarm)).labels.tolist()


def test_a_label_that_is_best_alone_yields_to_the_best_first_level():
    confidences = np.array([[0.4, 0.35, 0.25], [0.6, 0.3, 0.1]])
    assert labels(TWO_LEVELS, confidences) == [1, 0]
    assert first_confidences(TWO_LEVELS, confidences) == pytest.approx(np.array([[0.4, 0.6], [0.6, 0.4]]))


def test_an_alarm_goes_before_a_better_label_from_its_confidence_on():
    facet = Facet.flat("urgent", "紧急", ["0", "1"])
    shares = np.array([[0.9, 0.1], [0.75, 0.25], [0.4, 0.6]])
    assert labels(facet, shares, 0.2) == [0, 0, 1]
    alarming = replace(facet, alarm="1")
    assert labels(alarming, shares, 0.2) == [0, 1, 1]
    assert labels(alarming, shares) == [0, 0, 1]


def test_a_label_may_have_a_higher_threshold_than_the_others():
    """Three texts of label b.x with 70, 80 and 90 %, and one of a.x with 75 %."""
    confidences = np.array([[0.1, 0.7, 0.2], [0.1, 0.8, 0.1], [0.05, 0.9, 0.05], [0.75, 0.15, 0.1]])
    usual = Threshold(0.7, 0.6)
    assert decide(TWO_LEVELS, confidences, usual).levels.tolist() == [2, 2, 2, 2]
    strict = Threshold(0.7, 0.6, second_of={"b.x": 0.85}, first_of={"b": 0.89})
    assert decide(TWO_LEVELS, confidences, strict).levels.tolist() == [1, 1, 2, 2]
    stricter = Threshold(0.7, 0.6, second_of={"b.x": NEVER}, first_of={"b": 0.92})
    assert decide(TWO_LEVELS, confidences, stricter).levels.tolist() == [0, 0, 1, 2]


def test_an_own_threshold_below_the_common_one_lowers_nothing():
    confidences = np.array([[0.1, 0.7, 0.2]])
    assert decide(TWO_LEVELS, confidences, Threshold(0.8, second_of={"b.x": 0.1})).levels.tolist() == [0]
