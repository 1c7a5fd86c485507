"""The card: what a model was made from and how good it is, for machines and for people."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import numpy as np
import pytest

from training.card import card_json, card_markdown, title_of
from training.evaluate import as_json, evaluate_held_out
from training.samples import UNKNOWN, Samples


@pytest.fixture(scope="module")
def scores(trained, samples):
    return evaluate_held_out(trained[1], samples)


@pytest.fixture(scope="module")
def card(scores, samples, examples):
    return card_json("2026.1", [examples], samples, scores)


@pytest.fixture(scope="module")
def page(card) -> str:
    return card_markdown(card)


def test_a_card_is_plain_json(card):
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_a_card_names_its_source_by_content(card, examples):
    assert list(card["sources"]) == ["work_orders.xlsx"]
    assert card["sources"]["work_orders.xlsx"] == hashlib.sha256(examples.read_bytes()).hexdigest()


def test_a_card_says_how_many_samples_and_folds_and_when(card, samples):
    assert card["version"] == "2026.1"
    assert card["samples"] == len(samples)
    assert card["folds"] == len(set(samples.folds.tolist())) == 5
    assert card["taxonomy_version"] == samples.taxonomy.version
    assert abs((date.today() - date.fromisoformat(card["trained_on"])).days) <= 1  # noqa: DTZ011 - as the card


def test_a_card_counts_every_label_also_those_without_samples(card, samples):
    for name, facet in samples.taxonomy.facets.items():
        assert list(card["labels"][name]) == list(facet.codes)
        assert sum(card["labels"][name].values()) + card["unlabelled"][name] == len(samples)


def test_unlabelled_samples_are_counted(scores, samples, examples):
    labels = dict(samples.labels)
    labels["scope"] = np.where(np.arange(len(samples)) < 7, UNKNOWN, samples.labels["scope"])
    holey = Samples(samples.ids, samples.requests, labels, samples.folds, samples.taxonomy)
    card = card_json("1", [examples], holey, scores)
    assert card["unlabelled"]["scope"] == samples_unknown(samples) + 7
    assert sum(card["labels"]["scope"].values()) == len(samples) - card["unlabelled"]["scope"]


def samples_unknown(samples) -> int:
    return int((samples.labels["scope"][7:] == UNKNOWN).sum())


def test_a_card_holds_the_scores_and_the_libraries(card, scores):
    assert card["scores"] == as_json(scores)
    assert {"numpy", "scikit-learn", "jieba"} <= set(card["libraries"])
    assert all(card["libraries"].values())


def test_a_card_holds_no_text_of_a_sample(card, page, samples):
    told = json.dumps(card, ensure_ascii=False) + page
    assert not [request for request in samples.requests if request[:12] in told]


# --- for people ---


def test_the_page_has_a_line_and_a_section_for_each_facet(page, card):
    for name, facet in card["scores"]["facets"].items():
        line = next(line for line in page.splitlines() if line.startswith(f"| {title_of(name)} |"))
        assert f"{facet['accuracy']:.1%}" in line
        assert f"{facet['macro_f1']:.1%}" in line
        assert f"{facet['expected_calibration_error']:.1%}" in line
        assert f"## {title_of(name)}" in page


def test_the_page_has_a_line_for_each_class(page, card):
    for facet in card["scores"]["facets"].values():
        for code, one in facet["classes"].items():
            assert f"| {code} | {one['precision']:.1%} | {one['recall']:.1%} | {one['f1']:.1%} |" in page


def test_the_page_says_folds_samples_and_checksum(page, card):
    assert "5 折交叉验证" in page
    assert f"样本 {card['samples']:,} 条" in page
    assert card["sources"]["work_orders.xlsx"][:16] in page
    assert "SHA-256" in page


def test_every_facet_has_a_name_that_people_read(card):
    assert all(title_of(name) != name for name in card["scores"]["facets"])
    assert title_of("another") == "another"


def test_an_empty_automatic_part_has_a_dash_for_its_error(card):
    without = json.loads(json.dumps(card))
    without["scores"]["facets"]["urgent"] |= {"automatic_error": None, "coverage": 0.0}
    line = next(line for line in card_markdown(without).splitlines() if line.startswith("| 紧急 |"))
    assert line.endswith("| 0.0% | — |")
