"""Confidence: a known temperature is found again, bounds are those of the books, promises are held."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.stats import binomtest

from classifier.link import Link, softmax
from classifier.model import NEVER
from training import calibrate
from training.calibrate import (
    BINS,
    Calibration,
    calibration_error,
    choose_alarm,
    choose_threshold,
    fit_calibration,
    reliability,
    upper_bound,
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
    fit_calibration(scores, drawn(rng, softmax(scores)))
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


# --- upper_bound ---


@pytest.mark.parametrize("count", [1, 10, 100, 700])
@pytest.mark.parametrize("sureness", [0.9, 0.95])
def test_the_bound_is_that_of_the_binomial_test(count, sureness):
    for wrong in {0, 1, count // 20, count // 2, count - 1}:
        if wrong >= count:
            continue
        exact = binomtest(wrong, count).proportion_ci(2 * sureness - 1, method="exact").high
        assert upper_bound(wrong, count, sureness) == pytest.approx(exact, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 150).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_at_the_bound_so_few_errors_have_a_chance_of_a_twentieth(case):
    wrong, count = case
    rate = upper_bound(wrong, count)
    chance = sum(math.comb(count, k) * rate**k * (1 - rate) ** (count - k) for k in range(wrong + 1))
    assert chance == pytest.approx(0.05, abs=1e-8)


def test_all_wrong_allows_any_error():
    assert upper_bound(5, 5) == upper_bound(0, 0) == 1.0


# --- choose_threshold ---


@pytest.mark.parametrize("power", [0.3, 1.0, 3.0])
def test_the_promised_error_is_held_in_at_least_95_of_100_repetitions(power):
    """Of texts whose confidence is more or less honest; what is true is known of all of them."""
    rng = np.random.default_rng(11)
    everyone = rng.random(200_000) ** 0.15
    truly_right = everyone**power
    broken, chosen = 0, 0
    repetitions = 120
    for _ in range(repetitions):
        sample = rng.integers(0, len(everyone), 600)
        right = rng.random(600) < truly_right[sample]
        threshold = choose_threshold(everyone[sample], right)
        automatic = everyone >= threshold
        chosen += automatic.any()
        broken += automatic.any() and 1 - truly_right[automatic].mean() > 0.05
    assert chosen > 0.05 * repetitions
    assert broken <= 0.05 * repetitions


def test_more_texts_allow_a_larger_automatic_part():
    rng = np.random.default_rng(12)
    shares = []
    for count in (500, 5000, 50_000):
        confidence = rng.random(count) ** 0.15
        threshold = choose_threshold(confidence, rng.random(count) < confidence)
        shares.append((confidence >= threshold).mean())
    assert shares == sorted(shares)
    assert shares[0] < shares[2] - 0.02


def test_no_confidence_is_enough_where_it_is_hopeless():
    rng = np.random.default_rng(13)
    assert choose_threshold(rng.random(2000), rng.random(2000) < 0.5) == NEVER


@pytest.mark.parametrize("count", [0, 1, 50, 99])
def test_no_confidence_is_enough_where_there_are_too_few_texts(count):
    assert choose_threshold(np.linspace(0, 1, count), np.ones(count, dtype=bool)) == NEVER


def test_where_all_is_right_all_is_automatic():
    confidence = np.linspace(0.2, 1, 1000)
    assert choose_threshold(confidence, np.ones(1000, dtype=bool)) == pytest.approx(confidence.min())


def test_a_stricter_level_never_lowers_the_threshold():
    rng = np.random.default_rng(14)
    confidence = rng.random(3000) ** 0.1
    right = rng.random(3000) < confidence
    thresholds = [choose_threshold(confidence, right, level) for level in (0.2, 0.1, 0.05, 0.01)]
    assert thresholds == sorted(thresholds)


def test_the_search_ends_where_a_part_fails():
    """The surest 200 of 4,000 are wrong too often; that all others are right does not save them."""
    right = np.ones(4000, dtype=bool)
    right[:200:10] = False
    confidence = np.linspace(1, 0.1, 4000)
    assert upper_bound(20, 1000) < 0.05  # a larger part alone would pass
    assert choose_threshold(confidence, right) == NEVER


def test_texts_of_equal_confidence_are_tested_together():
    """The first hundred are right by their place in the file alone; all of them are half wrong."""
    right = np.r_[np.ones(200, dtype=bool), np.zeros(200, dtype=bool)]
    assert choose_threshold(np.full(400, 0.9), right) == NEVER


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


# --- choose_alarm ---


def test_an_alarm_is_where_f1_is_best():
    confidence = np.array([0.9, 0.6, 0.3, 0.2, 0.1])
    assert choose_alarm(confidence, np.array([True, True, False, False, False])) == 0.6
    assert choose_alarm(confidence, np.array([True, False, True, False, False])) == 0.3
    assert choose_alarm(confidence, np.zeros(5, dtype=bool)) == NEVER
