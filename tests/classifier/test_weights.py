"""Weights in eight bits against the numbers that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.kernel import PANEL
from classifier.weights import Weights


@pytest.fixture
def exact() -> np.ndarray:
    exact = np.random.default_rng(1).normal(size=(500, 40)).astype(np.float32)
    exact[:, 2] = 0
    return exact


def test_weights_are_off_by_half_a_step_at_most(exact):
    weights = Weights.of(exact)
    off = np.abs(weights.of_grams(np.arange(500)) - exact)
    assert weights.shape == exact.shape
    assert (off <= np.abs(exact).max(axis=0) / 127 / 2 + 1e-6).all()
    assert (weights.of_grams(np.arange(500))[:, 2] == 0).all()


def test_some_grams_and_labels_are_those_of_all(exact):
    weights = Weights.of(exact)
    whole = weights.of_grams(np.arange(500))
    assert np.array_equal(weights.of_grams(np.array([7, 3, 7]), slice(5, 9)), whole[[7, 3, 7], 5:9])


@pytest.mark.parametrize("labels", [1, PANEL, PANEL + 1, 400])
def test_rows_are_padded_with_zeros_to_whole_panels_that_begin_on_a_panel(labels):
    weights = Weights(np.full((3, labels), 5, dtype=np.int8), np.ones(labels, dtype=np.float32))
    assert weights.steps.shape[1] % PANEL == 0
    assert weights.steps.ctypes.data % 64 == 0  # where a cache line begins
    assert (weights.steps[:, labels:] == 0).all()
    assert weights.pad(np.ones(labels)).tolist() == [1] * labels + [0] * (weights.steps.shape[1] - labels)
