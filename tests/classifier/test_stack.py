"""The layer over the scores: linear between its bends, and the same in other units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.stack import Stack

LABELS, EXPERTS, UNITS = 6, 2, 4
GATES = np.array([0, 1, 1], np.int32)  # the first three labels are the category's


def layer(seed: int) -> Stack:
    random = np.random.default_rng(seed)
    shapes = (LABELS + EXPERTS, UNITS), (UNITS,), (UNITS, LABELS)
    return Stack(*(random.normal(size=shape).astype(np.float32) for shape in shapes), GATES)


def scores(seed: int, texts: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, size=(texts, LABELS + EXPERTS))


def test_a_unit_speaks_only_from_its_offset_on():
    one = Stack(
        np.array([[1.0], [0.0]], np.float32), np.array([-2.0], np.float32), np.array([[0.0, 3.0]], np.float32)
    )
    assert one.corrected(np.array([[1.0, 5.0], [4.0, 5.0]])).tolist() == [[1, 5], [4, 11]]


def test_one_expert_is_heard_that_of_the_likeliest_category():
    one = Stack(
        np.array([[0], [0], [0], [1], [10]], np.float32),
        np.zeros(1, np.float32),
        np.array([[0, 0, 1]], np.float32),
        np.array([0, 1], np.int32),
    )
    assert one.labels == 3
    given_scores = np.array([[5.0, 4, 0, 2, 3], [4, 5, 0, 2, 3], [4, 5, 7, 2, -3]])
    assert one.corrected(given_scores)[:, 2].tolist() == [2, 30, 7]
    assert one.drawn(given_scores[1], np.array([0.0, 0, 1])).tolist() == [0, 0, 1, 0, 10]


@given(st.integers(0, 999))
def test_the_drawn_pull_is_the_slope_of_the_pulled_correction(seed):
    stack, near = layer(seed), 1e-7
    pull = np.random.default_rng(seed).normal(size=LABELS)
    for row in scores(seed, 3):
        steps = row + near * np.vstack([np.eye(len(row)), -np.eye(len(row))])
        up, down = np.split(stack.corrected(steps) @ pull, 2)
        assert stack.drawn(row, pull) == pytest.approx((up - down) / (2 * near), abs=1e-4)


@given(st.integers(0, 999))
def test_in_other_units_it_says_the_same(seed):
    stack, factors = layer(seed), np.random.default_rng(seed).uniform(0.1, 5, LABELS)
    factors[: len(GATES)] = factors[0]
    given_scores = scores(seed)
    of_all = np.append(factors, np.ones(EXPERTS))  # an expert's word is taken as it is
    scaled = stack.scaled(factors).corrected(given_scores * of_all)
    assert scaled == pytest.approx(stack.corrected(given_scores) * factors, rel=1e-4, abs=1e-4)


def test_arrays_that_do_not_fit_are_refused():
    sound = layer(0)
    few = sound.inward[:LABELS]
    for broken in (
        (sound.inward[:, 1:], sound.offset, sound.outward, GATES),
        (sound.inward, sound.offset[1:], sound.outward, GATES),
        (sound.inward, sound.offset, sound.outward[1:], GATES),
        (few, sound.offset, sound.outward, GATES),
        (sound.inward, sound.offset, sound.outward),
        (sound.inward, sound.offset, sound.outward, GATES + np.int32(1)),
        (sound.inward, sound.offset, sound.outward, GATES.astype(np.int64)),
        (sound.inward, sound.offset, sound.outward, np.zeros(7, np.int32)),
        (np.zeros((6, 65), np.float32), np.zeros(65, np.float32), np.zeros((65, 6), np.float32)),
    ):
        with pytest.raises(ValueError, match="fit"):
            Stack(*broken)
    nothing = np.full_like(sound.offset, np.nan)
    for broken in ((sound.inward, nothing, sound.outward), (sound.inward.astype(float), *parts(sound)[1:])):
        with pytest.raises(ValueError, match="numbers"):
            Stack(*broken, GATES)


def parts(stack: Stack) -> tuple[np.ndarray, ...]:
    return stack.inward, stack.offset, stack.outward
