"""Scores against scikit-learn and against numbers worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from classifier.decision import NEVER, Threshold, decide
from classifier.errors import InputError
from classifier.taxonomy import Facet, Label, Taxonomy
from training.evaluate import as_json, evaluate, evaluate_held_out
from training.fit import HeldOut
from training.samples import UNKNOWN, Samples

TWO_LEVELS = Facet(
    "category",
    "事项分类",
    (Label("a.x", "一", "a"), Label("a.y", "二", "a"), Label("b.z", "三", "b")),
    {"a": "甲", "b": "乙"},
)
TRUTH = np.array([0, 1, 1, 2, 2, UNKNOWN])
CONFIDENCES = np.array(
    [
        [0.7, 0.2, 0.1],  # right
        [0.5, 0.3, 0.2],  # wrong, but right above
        [0.1, 0.8, 0.1],  # right
        [0.1, 0.2, 0.7],  # right
        [0.4, 0.2, 0.4],  # wrong on both levels
        [0.0, 0.0, 1.0],  # nobody knows
    ]
)


def by_hand(second=NEVER, first=NEVER):
    samples = Samples(
        list("123456"),
        ["停水"] * 6,
        {"category": TRUTH},
        np.array([0, 1, 0, 1, 0, 1]),
        Taxonomy("1", {"category": TWO_LEVELS}),
    )
    decided = decide(TWO_LEVELS, CONFIDENCES, Threshold(second, first))
    held_out = HeldOut({}, {"category": CONFIDENCES}, {"category": decided})
    return evaluate_held_out(held_out, samples)


# --- by hand ---


def test_both_levels_are_scored_and_unlabelled_samples_left_out():
    scores = by_hand()
    assert set(scores) == {"category", "category_first"}
    assert scores["category"].samples == scores["category_first"].samples == 5
    assert scores["category"].accuracy == pytest.approx(3 / 5)
    assert scores["category_first"].accuracy == pytest.approx(4 / 5)


def test_the_scores_of_a_class_are_as_worked_out_by_hand():
    classes = by_hand()["category"].classes
    assert list(classes) == ["a.x", "a.y", "b.z"]
    x = classes["a.x"]  # given three times, once rightly, to one that carries it
    assert (x.precision, x.recall, x.f1, x.support) == (pytest.approx(1 / 3), 1, pytest.approx(1 / 2), 1)
    z = classes["b.z"]
    assert (z.precision, z.recall, z.f1, z.support) == (1, 1 / 2, pytest.approx(2 / 3), 2)
    assert by_hand()["category"].macro_f1 == pytest.approx((1 / 2 + 2 / 3 + 2 / 3) / 3)


def test_without_thresholds_nothing_is_automatic_and_has_no_error():
    score = by_hand()["category"]
    assert (score.coverage, score.automatic_error) == (0, None)


def test_what_is_automatic_and_wrong_is_counted_on_each_level():
    scores = by_hand(0.5, 0.6)
    assert scores["category"].coverage == pytest.approx(4 / 5)
    assert scores["category"].automatic_error == pytest.approx(1 / 4)
    assert scores["category_first"].coverage == pytest.approx(5 / 5)  # the last is sure of a to 60 %
    assert scores["category_first"].automatic_error == pytest.approx(1 / 5)


def test_the_calibration_error_is_the_mean_distance_where_every_bin_holds_one():
    expected = np.mean(np.abs(np.array([0.7, 0.5, 0.8, 0.7, 0.4]) - np.array([1, 0, 1, 1, 0])))
    assert by_hand()["category"].calibration_error == pytest.approx(expected)


def test_a_facet_of_the_model_scores_its_detail_and_its_first_level(trained, samples):
    scores = evaluate_held_out(trained[1], samples)
    assert set(scores) == {
        "category", "category_first", "scope", "scope_detail", "request_type", "urgent"
    }  # fmt: skip
    assert set(scores["scope"].classes) == {"public", "private"}
    assert set(scores["scope_detail"].classes) == {"public", "private_affair", "private_dispute"}
    assert scores["scope"].accuracy >= scores["scope_detail"].accuracy
    assert scores["category_first"].accuracy >= scores["category"].accuracy


# --- against scikit-learn ---


def test_scores_are_those_of_scikit_learn(model, samples):
    scores = evaluate(model, samples)
    tags = model.tag(samples.requests)
    for facet, name, level in (
        ("category", "category", "label"),
        ("category", "category_first", "first"),
        ("scope", "scope_detail", "label"),
        ("scope", "scope", "first"),
        ("urgent", "urgent", "label"),
    ):
        known = samples.taxonomy.facets[facet]
        truth = [
            known.labels[i].code if level == "label" else known.labels[i].first for i in samples.labels[facet]
        ]
        given = [getattr(one[facet], level) for one in tags]
        score = scores[name]
        assert score.accuracy == pytest.approx(accuracy_score(truth, given))
        assert score.macro_f1 == pytest.approx(f1_score(truth, given, average="macro", zero_division=0))
        codes = sorted(set(truth) | set(given))
        assert set(score.classes) == set(codes)
        for code, *numbers in zip(
            codes, *precision_recall_fscore_support(truth, given, labels=codes, zero_division=0), strict=True
        ):
            one = score.classes[code]
            assert [one.precision, one.recall, one.f1, one.support] == pytest.approx(numbers)


def test_the_automatic_part_is_the_one_that_the_model_decides(model, samples):
    scores = evaluate(model, samples)
    tags = model.tag(samples.requests)
    for facet, second, first in (
        ("category", "category", "category_first"),
        ("scope", "scope_detail", "scope"),
    ):
        levels = [one[facet].level for one in tags]
        assert scores[second].coverage == pytest.approx(np.mean([level == "second" for level in levels]))
        assert scores[first].coverage == pytest.approx(np.mean([level != "none" for level in levels]))


# --- other label orders and sets ---


def test_labels_are_matched_by_code_not_by_position(model, samples):
    scope = samples.taxonomy.facets["scope"]
    turned = Facet("scope", scope.title, scope.labels[::-1], scope.first_names)
    labels = {"scope": len(scope.codes) - 1 - samples.labels["scope"]}
    other = Samples(samples.ids, samples.requests, labels, samples.folds, Taxonomy("1", {"scope": turned}))
    assert evaluate(model, other)["scope_detail"] == evaluate(model, samples)["scope_detail"]


@pytest.mark.parametrize("facet", ["category", "another"])
def test_samples_without_a_label_that_the_model_knows_are_refused(model, samples, facet):
    foreign = Taxonomy("1", {facet: Facet.flat(facet, "别的", ["水务", "城管"])})
    labels = {facet: np.zeros(len(samples), dtype=np.int64)}
    with pytest.raises(InputError, match="没有这个模型认识的标签"):
        evaluate(model, Samples(samples.ids, samples.requests, labels, samples.folds, foreign))


# --- as JSON ---


def test_scores_are_plain_json_by_facet(model, samples):
    plain = json.loads(json.dumps(as_json(evaluate(model, samples)), allow_nan=False))
    assert list(plain) == ["facets"]
    for facet in plain["facets"].values():
        assert set(facet) == {
            "samples", "accuracy", "macro_f1", "expected_calibration_error", "coverage", "automatic_error",
            "reliability", "classes",
        }  # fmt: skip
        assert 0 <= facet["accuracy"] <= 1
        assert facet["samples"] == sum(one["support"] for one in facet["classes"].values()) == len(samples)
        for one in facet["classes"].values():
            assert set(one) == {"precision", "recall", "f1", "support"}
        assert sum(count for _, _, count in facet["reliability"]) == len(samples)


def test_nothing_automatic_has_no_error_in_json_either():
    assert as_json(by_hand(NEVER, NEVER))["facets"]["category"]["automatic_error"] is None
    assert Threshold() == Threshold(NEVER, NEVER)
