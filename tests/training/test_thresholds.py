"""Thresholds: bounds are those of the books, promises are held, by the whole and by each label."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from classifier.decision import NEVER, Threshold, decide
from classifier.taxonomy import Taxonomy
from training.thresholds import (
    ALARMS,
    ALSO,
    ERROR_LEVEL,
    choose_alarm,
    choose_threshold,
    choose_thresholds,
    thresholds_of,
    upper_bound,
)

CODES = ("good", "bad", "few")


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


# --- choose_thresholds ---


def labelled(rng, count, tops):
    """Texts whose tags are right with a chance that rises with confidence, each label to its own top."""
    given_ = rng.choice(len(tops), count, p=[0.6, 0.39, 0.01])
    confidence = rng.random(count)
    chance = np.minimum(confidence**0.1, np.array(tops)[given_])
    return confidence, rng.random(count) < chance, given_, rng.integers(5, size=count)


def test_a_label_that_is_often_wrong_gets_a_higher_threshold_of_its_own():
    rng = np.random.default_rng(21)
    confidence, right, given_, folds = labelled(rng, 6000, (1.0, 0.97, 1.0))
    right &= (given_ != 1) | (confidence > 0.95) | (rng.random(6000) < 0.8)
    common, own = choose_thresholds(confidence, right, given_, folds, CODES)
    assert own.keys() == {"bad"}
    assert common < own["bad"] < NEVER
    automatic = confidence >= np.array([common, own["bad"], common])[given_]
    bad = given_ == 1
    assert (~right[automatic & bad]).mean() <= ERROR_LEVEL < (~right[(confidence >= common) & bad]).mean()


def test_a_label_that_is_never_sure_is_never_automatic():
    rng = np.random.default_rng(22)
    confidence, right, given_, folds = labelled(rng, 6000, (1.0, 0.7, 1.0))
    assert choose_thresholds(confidence, right, given_, folds, CODES)[1] == {"bad": NEVER}


def test_a_label_of_few_texts_takes_the_common_threshold():
    rng = np.random.default_rng(23)
    confidence, right, given_, folds = labelled(rng, 6000, (1.0, 1.0, 0.5))
    assert (given_ == 2).sum() < 100
    assert "few" not in choose_thresholds(confidence, right, given_, folds, CODES)[1]


def test_the_whole_holds_its_promise_with_thresholds_of_labels_too():
    """On texts that choosing did not see, over many draws; own thresholds make a mean of many labels."""
    rng = np.random.default_rng(24)
    broken = 0
    for _ in range(100):
        confidence, right, given_, folds = labelled(rng, 3000, (1.0, 0.96, 1.0))
        common, own = choose_thresholds(confidence, right, given_, folds, CODES)
        at = np.array([max(common, own.get(code, 0)) for code in CODES])
        confidence, _, given_, _ = labelled(rng, 20_000, (1.0, 0.96, 1.0))
        chance = np.minimum(confidence**0.1, np.array([1.0, 0.96, 1.0])[given_])
        automatic = confidence >= at[given_]
        broken += (1 - chance[automatic]).mean() > ERROR_LEVEL if automatic.any() else 0
    assert broken <= 10  # five are expected at most; ten of a hundred would be chance in 3 of 100 runs


# --- thresholds_of ---


def test_thresholds_are_chosen_for_each_level_by_itself():
    """All first levels right, half of the second ones wrong: only the first level may be automatic."""
    facet = Taxonomy.load().facets["scope"]
    confidences = np.tile([[0.1, 0.5, 0.4]], (1000, 1))
    chosen = thresholds_of(facet, confidences, np.tile([1, 2], 500), np.arange(1000) % 5)
    assert (chosen.second, chosen.first, chosen.also) == (NEVER, pytest.approx(0.9), ALSO)
    assert set(decide(facet, confidences, chosen).levels.tolist()) == {1}


# --- choose_alarm ---


def test_an_alarm_is_given_for_as_many_texts_as_a_desk_can_look_at():
    confidence = np.random.default_rng(25).random(2000)
    share = (confidence >= choose_alarm(confidence)).mean()
    assert ALARMS - 0.001 <= share <= ALARMS + 0.001


def test_an_alarm_costs_no_review_of_what_it_leaves_out():
    facet = Taxonomy.load().facets["urgent"]
    confidences = np.column_stack([np.linspace(1, 0, 2000), np.linspace(0, 1, 2000)])
    labels = (np.arange(2000) > 1950).astype(int)
    chosen = thresholds_of(facet, confidences, labels, np.arange(2000) % 5)
    decided = decide(facet, confidences, chosen)
    assert decided.labels[1951:].all()
    assert Threshold(alarm=chosen.alarm).second == NEVER
