"""Confidence: a known temperature is found again, bounds are those of the books, promises are held."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import softmax

from classifier.link import Link
from training import calibrate
from training.calibrate import (
    BINS,
    Calibration,
    calibration_error,
    fit_calibration,
    reliability,
)


def drawn(rng, shares):
    """A label for each row, drawn by its shares."""
    return (shares.cumsum(axis=1) > rng.random((len(shares), 1))).argmax(axis=1)


# --- fit_calibration ---


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("ratio", [0.0, 2.0])
def test_confidences_of_a_known_link_are_found_again(scale, ratio):
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(20_000, 4))
    truth = Calibration(scale, Link(ratio, 1.0, np.array([0.5, 0.0, 0.0, -0.5])))
    found = fit_calibration(scores, drawn(rng, truth.confidences(scores)))
    assert np.abs(found.confidences(scores) - truth.confidences(scores)).mean() < 0.01


def test_the_slope_of_the_loss_is_its_derivative(monkeypatch):
    rng = np.random.default_rng(9)
    scores = rng.normal(size=(300, 5))
    kept = {}

    def minimize(loss, start, **options):
        kept["loss"] = loss
        return type("Found", (), {"x": start})

    monkeypatch.setattr(calibrate, "minimize", minimize)
    fit_calibration(scores, drawn(rng, softmax(scores, axis=1)))
    for _ in range(5):
        point = rng.normal(size=8)
        error = check_grad(lambda x: kept["loss"](x)[0], lambda x: kept["loss"](x)[1], point)
        assert error < 1e-4 * np.linalg.norm(kept["loss"](point)[1])


def test_a_label_that_never_occurs_does_not_run_away():
    rng = np.random.default_rng(10)
    scores = rng.normal(size=(500, 3))
    found = fit_calibration(scores, rng.integers(0, 2, 500))
    assert np.isfinite(found.link.shift).all()
    assert np.abs(found.link.shift).max() < 10
    assert 0 < found.scale < 10


def test_confidences_are_shares_and_keep_the_order_of_scores():
    scores = np.array([[1.0, 3.0, 2.0], [-900.0, 0.0, 900.0]])
    confidences = Calibration(2.0, Link(0.5, 0.0, np.zeros(3))).confidences(scores)
    assert confidences.sum(axis=1) == pytest.approx(1)
    assert (np.argsort(confidences[0]) == np.argsort(scores[0])).all()


# --- calibration_error ---


def test_the_error_of_perfectly_calibrated_confidences_is_none():
    confidence = np.repeat([0.25, 0.5, 0.75], 400)
    right = np.concatenate([np.tile([True, *[False] * 3], 100), np.tile([True, False], 200)])
    right = np.concatenate([right, np.tile([True, True, True, False], 100)])
    assert calibration_error(confidence, right) == pytest.approx(0, abs=1e-9)


def test_the_error_of_a_case_by_hand_is_right():
    """15 texts are 15 bins of one: the mean distance between each confidence and 0 or 1."""
    confidence = np.linspace(0.5, 0.92, BINS)
    right = np.array([i % 3 != 0 for i in range(BINS)])
    assert calibration_error(confidence, right) == pytest.approx(np.abs(confidence - right).mean())


def test_boasting_costs_its_measure():
    assert calibration_error(np.full(300, 0.9), np.tile([True, False], 150)) == pytest.approx(0.4, abs=0.03)
    assert calibration_error(np.full(30, 1.0), np.zeros(30, dtype=bool)) == pytest.approx(1)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=100))
def test_bins_hold_every_text_once_in_rising_confidence(texts):
    confidence, right = np.array([c for c, _ in texts]), np.array([r for _, r in texts])
    bins = reliability(confidence, right)
    assert sum(count for _, _, count in bins) == len(texts)
    assert max(count for _, _, count in bins) - min(count for _, _, count in bins) <= 1
    stated = [mean for mean, _, _ in bins]
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(stated))
    assert sum(found * count for _, found, count in bins) == pytest.approx(right.sum())
    assert 0 <= calibration_error(confidence, right) <= 1


def test_no_texts_have_no_error():
    assert calibration_error(np.array([]), np.array([], dtype=bool)) == 0
    assert reliability(np.array([]), np.array([], dtype=bool)) == []
