"""The layer that lets facets inform each other: it finds what is there, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.taxonomy import Facet, Taxonomy
from training.samples import OUTSIDE, UNKNOWN, Samples
from training.stacking import Scored, _Search
from training.stacking import stacked as stacked_with_experts

FACETS = {
    "category": Facet.flat("category", "分类", ["a", "b", "c", "d"]),
    "scope": Facet.flat("scope", "属性", ["p", "q"]),
    "urgent": Facet.flat("urgent", "紧急", ["0", "1"]),
}
TEXTS = 1200


def stacked(samples, scores):
    """The layer where nobody knows one category better than the heads do."""
    return stacked_with_experts(samples, Scored(scores, np.zeros((len(samples), 0))))


def made(related: bool) -> tuple[Samples, dict[str, np.ndarray]]:
    """Scores that tell the category, and a scope that is its parity, or is of no relation to it."""
    random = np.random.default_rng(5)
    category = random.integers(0, 4, TEXTS)
    scope = category % 2 if related else random.integers(0, 2, TEXTS)
    labels = {"category": category, "scope": scope}
    scores = {
        "category": 3 * (np.eye(4)[category] - 0.5) + random.normal(0, 0.5, (TEXTS, 4)),
        "scope": random.normal(0, 1, (TEXTS, 2)) + 0.3 * np.eye(2)[scope],
    }
    return samples_of(labels, random.integers(0, 3, TEXTS)), scores


def samples_of(labels, folds) -> Samples:
    taxonomy = Taxonomy("1", {name: FACETS[name] for name in labels}, {})
    return Samples([""] * len(folds), [""] * len(folds), labels, folds, taxonomy)


def test_a_facet_learns_from_another_what_its_own_head_does_not_know():
    samples, scores = made(related=True)
    _, corrected = stacked(samples, scores)
    right = [(one["scope"].argmax(axis=1) == samples.labels["scope"]).mean() for one in (scores, corrected)]
    assert right[0] < 0.7
    assert right[1] > 0.95


def test_an_expert_is_heard_where_its_category_is_the_likeliest():
    """Nothing else knows the scope: each expert does in its category, and says the reverse in the others."""
    samples, scores = made(related=False)
    random, likeliest = np.random.default_rng(9), scores["category"].argmax(axis=1)
    side = 2.0 * samples.labels["scope"] - 1
    experts = np.where(np.arange(4) == likeliest[:, None], side[:, None], -side[:, None])
    experts += random.normal(0, 0.3, experts.shape)
    layer, corrected = stacked_with_experts(samples, Scored(scores, experts))
    right = (corrected["scope"].argmax(axis=1) == samples.labels["scope"]).mean()
    assert right > 0.95
    assert layer.gates.tolist() == [0, 1, 2, 3]
    assert layer.inward.shape == (10, 32)
    told = np.hstack([scores["category"], scores["scope"], experts])
    given = layer.corrected(told)[:, 4:].argmax(axis=1)
    assert (given == samples.labels["scope"]).mean() > 0.95


def test_where_facets_know_nothing_of_each_other_they_keep_their_scores():
    samples, scores = made(related=False)
    layer, kept = stacked(samples, scores)
    assert layer is None
    assert kept is scores


def test_only_the_facets_that_gain_are_corrected():
    samples, scores = made(related=True)
    random = np.random.default_rng(7)
    chance = random.integers(0, 2, TEXTS)
    both = samples_of(samples.labels | {"urgent": chance}, samples.folds)
    layer, corrected = stacked(both, scores | {"urgent": random.normal(0, 1, (TEXTS, 2))})
    assert layer.outward[:, 4:6].any()
    assert not layer.outward[:, 6:].any()
    assert (corrected["scope"] != scores["scope"]).all()


@pytest.mark.parametrize("folds", [2, 5])
def test_a_label_that_one_fold_holds_alone_teaches_nothing_of_folds(folds):
    """Heads that never met it give it one low score: the layer must not learn to raise it there."""
    samples, scores = made(related=True)
    place, random = np.arange(TEXTS) % folds, np.random.default_rng(8)
    labels = {name: own.copy() for name, own in samples.labels.items()}
    alone = np.flatnonzero((place == 0) & (random.random(TEXTS) < 0.1))
    third = np.full((TEXTS, 1), -3.0)
    third[place == 0] = -10.0
    labels["scope"][alone] = 2
    three = {"category": scores["category"], "scope": np.hstack([scores["scope"], third])}
    facets = {"category": FACETS["category"], "scope": Facet.flat("scope", "属性", ["p", "q", "r"])}
    ours = Samples([""] * TEXTS, [""] * TEXTS, labels, place, Taxonomy("1", facets, {}))
    layer, corrected = stacked(ours, three)
    others = labels["scope"] != 2
    given = corrected["scope"][others].argmax(axis=1)
    assert (given == labels["scope"][others]).mean() > 0.95
    assert (given == 2).sum() == 0
    assert np.array_equal(corrected["scope"][:, 2], three["scope"][:, 2])
    served = layer.corrected(np.hstack([three["category"], scores["scope"], np.full((TEXTS, 1), -3.0)]))
    assert (served[others][:, 4:].argmax(axis=1) == labels["scope"][others]).mean() > 0.95


def test_the_same_layer_is_found_twice():
    samples, scores = made(related=True)
    one, other = (stacked(samples, scores)[0] for _ in range(2))
    assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.__slots__)


def test_the_category_keeps_its_scores():
    samples, scores = made(related=True)
    layer, corrected = stacked(samples, scores)
    assert np.array_equal(corrected["category"], scores["category"])
    assert not layer.outward[:, :4].any()


def test_a_fold_is_corrected_by_what_the_other_folds_taught():
    """Some labels of one fold are turned round: its own scores are corrected as before."""
    samples, scores = made(related=True)
    _, before = stacked(samples, scores)
    some = (samples.folds == 1) & (np.arange(TEXTS) % 5 == 0)
    turned = np.where(some, 1 - samples.labels["scope"], samples.labels["scope"])
    other = samples_of({"category": samples.labels["category"], "scope": turned}, samples.folds)
    _, after = stacked(other, scores)
    same = samples.folds == 1
    assert np.array_equal(before["scope"][same], after["scope"][same])
    assert not np.array_equal(before["scope"][~same], after["scope"][~same])


def test_samples_outside_the_folds_and_without_a_label_do_not_count():
    samples, scores = made(related=True)
    layer, _ = stacked(samples, scores)
    more = {name: np.vstack([one, np.full((50, one.shape[1]), 7.0)]) for name, one in scores.items()}
    labels = {name: np.append(own, np.zeros(50, dtype=np.int64)) for name, own in samples.labels.items()}
    beside = samples_of(labels, np.append(samples.folds, np.full(50, OUTSIDE)))
    again, corrected = stacked(beside, more)
    assert np.array_equal(layer.inward, again.inward)
    assert (corrected["scope"][TEXTS:] == 7).all()
    unlabelled = samples_of(samples.labels | {"scope": np.full(TEXTS, UNKNOWN)}, samples.folds)
    assert stacked(unlabelled, scores) == (None, scores)


@pytest.mark.parametrize("name", ["category", "scope"])
def test_a_facet_alone_has_no_layer(name):
    samples, scores = made(related=True)
    alone = samples_of({name: samples.labels[name]}, samples.folds)
    layer, same = stacked(alone, {name: scores[name]})
    assert layer is None
    assert same[name] is scores[name]


def test_the_loss_has_the_slope_that_it_says():
    samples, scores = made(related=True)
    every = np.concatenate(list(scores.values()), axis=1)
    search = _Search(
        samples.taxonomy.facets, every, samples.labels, np.ones(6, dtype=bool), np.arange(TEXTS) < 60
    )
    at = np.random.default_rng(6).normal(0, 0.3, int(sum(np.prod(shape) for shape in search.shapes)))
    slope = search.loss(at)[1]
    for place in range(0, len(at), 17):
        step = np.zeros(len(at))
        step[place] = 1e-6
        found = (search.loss(at + step)[0] - search.loss(at - step)[0]) / 2e-6
        assert slope[place] == pytest.approx(found, rel=1e-4, abs=1e-4)
