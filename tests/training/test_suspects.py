"""Planted wrong labels are found, right ones are left alone, and the table tells no number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from classifier.taxonomy import Taxonomy
from training.samples import Samples
from training.suspects import COLUMNS, suspects, write_suspects

WRONG = (7, 31, 160)


@pytest.fixture
def planted():
    """200 samples of three scopes that a model is sure of, three of them with another label."""
    taxonomy = Taxonomy.load()
    truth = np.arange(200) % 3
    shares = np.full((200, 3), 0.05)
    shares[np.arange(200), truth] = 0.9
    labels = truth.copy()
    labels[list(WRONG)] = (truth[list(WRONG)] + 1) % 3
    requests = [f"第{i}条 请回电13812345678" for i in range(200)]
    samples = Samples(
        [str(i) for i in range(200)],
        requests,
        {"scope": labels},
        np.arange(200) % 5,
        Taxonomy("1", {"scope": taxonomy.facets["scope"]}),
    )
    return samples, {"scope": shares}, truth


def test_wrong_labels_are_found_with_what_they_should_be(planted):
    samples, confidences, truth = planted
    found = suspects(samples, confidences)
    codes = samples.taxonomy.facets["scope"].codes
    assert {one.place for one in found} == set(WRONG)
    assert all(one.suggested == codes[truth[one.place]] != one.label for one in found)
    assert all(one.confidence == pytest.approx(0.05) for one in found)


def test_samples_that_are_only_learned_from_are_not_judged(planted):
    samples, confidences, _ = planted
    samples.folds[:] = -1
    samples.folds[:50] = 0
    assert {one.place for one in suspects(samples, confidences)} <= set(range(50))


def test_the_table_holds_masked_requests(planted, tmp_path):
    samples, confidences, _ = planted
    path = tmp_path / "suspects.csv"
    write_suspects(path, samples, suspects(samples, confidences))
    table = pd.read_csv(path, dtype=str)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == len(WRONG)
    assert not table["诉求内容"].str.contains("13812345678").any()


def test_no_suspects_make_an_empty_table(planted, tmp_path):
    samples, _, _ = planted
    write_suspects(tmp_path / "none.xlsx", samples, [])
    assert pd.read_excel(tmp_path / "none.xlsx", engine="calamine").empty
