"""The link: shares that sum to one, keep the order of scores, and rise as its slopes say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from classifier.link import Link, Links

scores = st.lists(st.floats(-200, 200), min_size=3, max_size=3)
links = st.builds(Link, st.floats(0, 10), st.floats(-5, 5), st.just(np.zeros(3)))


@given(links, scores)
def test_confidences_are_shares_in_the_order_of_the_scores(link, row):
    (shares,) = link.confidences(np.array([row]))
    assert shares.sum() == pytest.approx(1)
    assert (shares >= 0).all()
    assert (np.diff(shares[np.argsort(row)]) >= -1e-12).all()


def test_a_link_without_ratio_is_a_softmax():
    rows = np.random.default_rng(1).normal(size=(50, 4))
    shift = np.array([1.0, 0.0, 0.0, -1.0])
    assert Link(0, 3, shift).confidences(rows) == pytest.approx(softmax(rows + shift, axis=1))


def test_it_is_flatter_at_the_top_than_a_softmax_of_the_low_slope():
    link, low, high = Link(2, 0, np.zeros(2)), np.array([[-9.0, -8.0]]), np.array([[8.0, 9.0]])
    assert link.confidences(low)[0, 1] > link.confidences(high)[0, 1]


def test_slopes_are_the_derivative_of_the_logarithm_of_a_share_before_dividing():
    link, rows, step = Link(1.5, 0.7, np.zeros(3)), np.random.default_rng(2).normal(size=(20, 3)), 1e-6
    shares = link.confidences(rows)
    for label in range(3):
        moved = rows.copy()
        moved[:, label] += step
        odds = shares[:, label] / (1 - shares[:, label])
        after = link.confidences(moved)[:, label]
        rise = (np.log(after / (1 - after)) - np.log(odds)) / step
        assert rise == pytest.approx(link.slopes(rows)[:, label], rel=1e-4)


@pytest.mark.parametrize("ratio", [0, 2, 10])
def test_huge_scores_have_confidences(ratio):
    rows = np.array([[1000, 0, -1000], [0, 0, 0], [-1000, -1001, -1000]], dtype=np.float32)
    shares = Link(ratio, 0, np.zeros(3)).confidences(rows)
    half = 1 / (2 + np.exp(-1.0))
    assert shares == pytest.approx(np.array([[1, 0, 0], [1 / 3] * 3, [half, half * np.exp(-1.0), half]]))


# --- behaviour ---


@given(st.lists(links, min_size=1, max_size=4), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_links_side_by_side_give_what_each_gives(several, texts, seed):
    rows = np.random.default_rng(seed).normal(scale=5, size=(texts, 3 * len(several))).astype(np.float32)
    together = Links(several).confidences(rows)
    for place, link in enumerate(several):
        where = slice(3 * place, 3 * place + 3)
        assert together[:, where] == pytest.approx(link.confidences(rows[:, where]), abs=1e-5)
