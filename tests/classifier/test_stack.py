"""The layer over the scores: linear between its bends, and the same in other units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.stack import Stack

LABELS, UNITS = 6, 4


def layer(seed: int) -> Stack:
    random = np.random.default_rng(seed)
    shapes = (LABELS, UNITS), (UNITS,), (UNITS, LABELS)
    return Stack(*(random.normal(size=shape).astype(np.float32) for shape in shapes))


def scores(seed: int, texts: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, size=(texts, LABELS))


def test_a_unit_speaks_only_from_its_offset_on():
    one = Stack(
        np.array([[1.0], [0.0]], np.float32), np.array([-2.0], np.float32), np.array([[0.0, 3.0]], np.float32)
    )
    assert one.corrected(np.array([[1.0, 5.0], [4.0, 5.0]])).tolist() == [[1, 5], [4, 11]]


@given(st.integers(0, 999))
def test_the_drawn_pull_is_the_slope_of_the_pulled_correction(seed):
    stack, near = layer(seed), 1e-7
    pull = np.random.default_rng(seed).normal(size=LABELS)
    for row in scores(seed, 3):
        steps = row + near * np.vstack([np.eye(LABELS), -np.eye(LABELS)])
        up, down = np.split(stack.corrected(steps) @ pull, 2)
        assert stack.drawn(row, pull) == pytest.approx((up - down) / (2 * near), abs=1e-4)


@given(st.integers(0, 999))
def test_in_other_units_it_says_the_same(seed):
    stack, factors = layer(seed), np.random.default_rng(seed).uniform(0.1, 5, LABELS)
    given_scores = scores(seed)
    scaled = stack.scaled(factors).corrected(given_scores * factors)
    assert scaled == pytest.approx(stack.corrected(given_scores) * factors, rel=1e-4, abs=1e-4)


def test_arrays_that_do_not_fit_are_refused():
    sound = layer(0)
    for broken in (
        (sound.inward[:, 1:], sound.offset, sound.outward),
        (sound.inward, sound.offset[1:], sound.outward),
        (sound.inward, sound.offset, sound.outward[:, 1:]),
        (np.zeros((6, 65), np.float32), np.zeros(65, np.float32), np.zeros((65, 6), np.float32)),
    ):
        with pytest.raises(ValueError, match="fit"):
            Stack(*broken)
    nothing = np.full_like(sound.offset, np.nan)
    for broken in ((sound.inward, nothing, sound.outward), (sound.inward.astype(float), *parts(sound)[1:])):
        with pytest.raises(ValueError, match="numbers"):
            Stack(*broken)


def parts(stack: Stack) -> tuple[np.ndarray, ...]:
    return stack.inward, stack.offset, stack.outward
