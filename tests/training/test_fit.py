"""Training: better than guessing, the same twice, and not put off by rare or missing labels."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.errors import InputError
from classifier.grams import Block
from classifier.taxonomy import Taxonomy
from training import fit, heads
from training.evaluate import evaluate_held_out
from training.fit import judge, train
from training.recipe import Recipe
from training.samples import UNKNOWN, Samples

QUICK = Recipe(blocks=(Block("text", "words", 1, 2), Block("text", "characters", 2, 3)))


def part_of(samples: Samples, which, labels=None, folds=None) -> Samples:
    """Some of the samples, perhaps with other labels or folds."""
    which = np.asarray(which)
    labels = labels or {name: own[which] for name, own in samples.labels.items()}
    folds = samples.folds[which] % 2 if folds is None else folds
    taxonomy = Taxonomy(samples.taxonomy.version, {name: samples.taxonomy.facets[name] for name in labels})
    requests = [samples.requests[i] for i in which]
    return Samples([samples.ids[i] for i in which], requests, labels, folds, taxonomy)


@pytest.fixture(scope="module")
def few(samples) -> Samples:
    """A sixth of the samples in two folds."""
    return part_of(samples, np.arange(0, len(samples), 6))


@pytest.fixture(scope="module")
def few_fit(few):
    return train(few, "few", QUICK)


# --- as good as it should be ---


@pytest.mark.parametrize(("facet", "gain"), [("category", 0.15), ("scope", 0.05), ("request_type", 0.1)])
def test_a_model_beats_the_most_frequent_label_by_far_on_unseen_folds(trained, samples, facet, gain):
    _, held_out = trained
    labels = samples.labels[facet]
    right = (held_out.confidences[facet].argmax(axis=1) == labels).mean()
    assert right > np.bincount(labels).max() / len(labels) + gain


def test_held_out_scores_are_not_those_of_the_samples_own_model(trained, samples):
    """A model that had seen a sample would be surer of it: held-out texts are right less often."""
    model, held_out = trained
    labels = samples.labels["category"]
    seen = (model.confidences(samples.requests)["category"].argmax(axis=1) == labels).mean()
    unseen = (held_out.confidences["category"].argmax(axis=1) == labels).mean()
    assert unseen < seen - 0.05


def test_confidences_of_held_out_texts_are_shares(trained, samples):
    _, held_out = trained
    for name, facet in samples.taxonomy.facets.items():
        confidences = held_out.confidences[name]
        assert confidences.shape == held_out.scores[name].shape == (len(samples), len(facet.codes))
        assert confidences.sum(axis=1) == pytest.approx(1)


def test_a_fold_is_judged_by_the_other_folds_alone(few, few_fit):
    """Other labels in one fold change nothing of what is said of that fold."""
    scores = few_fit[1].scores
    first = few.folds == 0
    labels = dict(few.labels)
    labels["scope"] = np.where(first, (few.labels["scope"] + 1) % 3, few.labels["scope"])
    judged = judge(Samples(few.ids, few.requests, labels, few.folds, few.taxonomy), scores)
    before = few_fit[1]
    assert np.array_equal(judged.confidences["scope"][first], before.confidences["scope"][first])
    assert np.array_equal(judged.decided["scope"].levels[first], before.decided["scope"].levels[first])
    assert not np.allclose(judged.confidences["scope"][~first], before.confidences["scope"][~first])


def test_a_model_has_a_threshold_for_each_facet_and_weights_that_survive_storing(trained, samples):
    model, _ = trained
    assert set(model.thresholds) == set(samples.taxonomy.facets)
    assert model.weights.shape == (len(model.features), len(model.bias))
    assert model.weights.steps.dtype == np.int8


# --- the same twice ---


def test_two_fits_are_equal(few, few_fit):
    model, held_out = few_fit
    again, again_held_out = train(few, "few", QUICK)
    assert again.features.words == model.features.words
    assert np.array_equal(again.features.keys, model.features.keys)
    assert np.array_equal(again.weights.steps, model.weights.steps)
    assert np.array_equal(again.weights.scale, model.weights.scale)
    assert np.array_equal(again.bias, model.bias)
    assert (again.stack is None) == (model.stack is None)
    assert again.thresholds == model.thresholds
    for name, scores in held_out.scores.items():
        assert np.array_equal(again_held_out.scores[name], scores)
        assert np.array_equal(again_held_out.confidences[name], held_out.confidences[name])


def test_heads_fitted_in_processes_are_those_fitted_in_one(few, monkeypatch):
    """LIBLINEAR's random numbers are shared by threads: neither threads nor an order may show."""
    rows = fit.Features.fit(list(few.requests), fit.Tokenizer({}), QUICK.blocks).transform(few.requests)
    learned = heads.Learned(rows, few.labels["request_type"], np.ones(len(few)))
    jobs = []

    def parallel(n_jobs, **options):
        jobs.append((n_jobs, options))
        return lambda tasks: [function(*args) for function, args, _ in reversed(list(tasks))][::-1]

    weights, bias = heads._heads(learned, 6, 0.2, 0.5)
    monkeypatch.setattr(heads, "Parallel", parallel)
    backwards, backwards_bias = heads._heads(learned, 6, 0.2, 0.5)
    assert np.array_equal(weights, backwards)
    assert np.array_equal(bias, backwards_bias)
    assert jobs == [(1, {})]


def test_progress_tells_each_fold(few):
    told = []
    small = part_of(few, np.arange(60), {"urgent": few.labels["urgent"][:60]})
    train(small, "small", QUICK, told.append)
    assert told == ["第 1/2 折", "第 2/2 折", "各维度相互参考", "全部样本"]


# --- labels that are rare or missing ---


@pytest.fixture(scope="module")
def holey(samples):
    """A fit on samples of which each fold lacks something."""
    which = np.arange(0, len(samples), 8)
    folds = np.arange(len(which)) % 3
    labels = {name: own[which].copy() for name, own in samples.labels.items()}
    only_here = labels["category"] == labels["category"][0]
    folds[only_here] = 0  # a category that fold 0 alone holds
    labels["request_type"][folds != 1] = UNKNOWN  # the other folds say nothing of it
    labels["urgent"][:] = 0  # only one of two labels
    labels["scope"][::2] = UNKNOWN
    holey = part_of(samples, which, labels, folds)
    return holey, *train(holey, "holey", QUICK)


def test_labels_that_a_fold_does_not_hold_do_not_stop_training(holey):
    samples, model, held_out = holey
    for name, confidences in held_out.confidences.items():
        assert np.isfinite(confidences).all()
        assert confidences.sum(axis=1) == pytest.approx(1)
        assert model.confidences(samples.requests)[name].sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_label_without_samples_is_never_given(holey, samples):
    """Also not to texts that the model has not seen, of which no head is sure."""
    few, model, held_out = holey
    assert {tags["urgent"].label for tags in model.tag(samples.requests)} == {"0"}
    there = np.unique(few.labels["category"])
    assert len(there) < len(model.facets["category"].codes)
    codes = {model.facets["category"].codes[label] for label in there}
    assert {tags["category"].label for tags in model.tag(samples.requests)} <= codes
    assert set(held_out.scores["category"].argmax(axis=1)) <= set(there.tolist())


def test_samples_without_a_facets_label_teach_it_nothing(few):
    """Whatever the label of a sample is taken for, while it is unknown the facet's scores are the same."""
    which = np.arange(80)
    known = part_of(few, which, {"urgent": few.labels["urgent"][which]}, few.folds[which])
    half = {"urgent": np.where(which % 2 == 0, known.labels["urgent"], UNKNOWN)}
    model, held_out = train(part_of(few, which, half, few.folds[which]), "half", QUICK)
    full_model, _ = train(known, "full", QUICK)
    assert held_out.scores["urgent"].shape == (80, 2)
    assert not np.array_equal(model.weights.steps, full_model.weights.steps)


def test_too_few_samples_are_refused_with_a_reason(few):
    tiny = part_of(few, [0, 1], {"urgent": np.array([0, 1])}, np.array([0, 1]))
    with pytest.raises(InputError, match="太少"):
        train(tiny, "tiny")


# --- other label sets ---


def test_a_foreign_flat_label_set_is_learnt(samples, few):
    facet = samples.taxonomy.facets["request_type"]
    foreign = Taxonomy.of_labels([f"类{code}" for code in facet.codes])
    place = {code: i for i, code in enumerate(foreign.facets["category"].codes)}
    labels = np.array([place[f"类{facet.codes[i]}"] for i in few.labels["request_type"]])
    own = Samples(few.ids, few.requests, {"category": labels}, few.folds, foreign)
    model, held_out = train(own, "foreign", QUICK)
    assert list(model.facets) == ["category"]
    assert (held_out.confidences["category"].argmax(axis=1) == labels).mean() > np.bincount(
        labels
    ).max() / len(labels)
    tags = model.tag(few.requests[:20])
    assert all(tag["category"].label == tag["category"].first for tag in tags)
    assert all(tag["category"].confidence == tag["category"].first_confidence for tag in tags)


# --- samples that are only learned from ---


def test_what_is_only_learned_from_changes_scores_but_is_not_scored(few, few_fit):
    both = few.beside(few)
    _, held_out = train(both, "both", QUICK)
    assert held_out.scores["scope"].shape[0] == 2 * len(few)
    assert not np.allclose(held_out.scores["scope"][: len(few)], few_fit[1].scores["scope"])
    assert not held_out.scores["scope"][len(few) :].any()
    scores = evaluate_held_out(held_out, both)
    assert scores["scope"].samples == len(few)
    assert scores["scope"].accuracy > 0.95  # each text was learned from, beside


def test_what_is_only_learned_from_counts_by_its_share(few):
    """The same texts under other labels, which the folds' own have to outweigh."""
    facet = "request_type"
    labels = {facet: few.labels[facet]}
    own = part_of(few, np.arange(len(few)), labels, few.folds)
    turned = part_of(few, np.arange(len(few)), {facet: (few.labels[facet] + 1) % 6}, few.folds)

    def right(share: float) -> float:
        _, held_out = train(own.beside(turned, share), "turned", QUICK)
        return float((held_out.scores[facet][: len(few)].argmax(axis=1) == labels[facet]).mean())

    assert right(0.01) > right(1.0) + 0.1


def test_grams_are_weighed_by_their_texts_shares(few):
    """Texts that hardly count cannot make their grams telling."""
    rows = fit.Features.fit(list(few.requests), fit.Tokenizer({}), QUICK.blocks).transform(few.requests)
    alarming = np.arange(len(few)) % 2 == 1
    shares = np.where(np.arange(len(few)) < 60, 1.0, 1e-9)

    def ratios(which: slice) -> np.ndarray:
        own, some = rows[which], shares[which]
        label = heads._texts_with(own[alarming[which]], some[alarming[which]])
        return heads._log_ratios(label, heads._texts_with(own, some))

    counted, alone = ratios(slice(None)), ratios(slice(60))
    assert counted.max() > 1
    assert counted == pytest.approx(alone, abs=1e-5)


def test_an_expert_knows_the_samples_of_its_category_alone(few):
    """Others may say the reverse; and one who has hardly a sample of one side says nothing."""
    rows = fit.Features.fit(list(few.requests), fit.Tokenizer({}), QUICK.blocks).transform(few.requests)
    owners, sides = np.arange(len(few)) % 3, few.labels["scope"] % 2
    sides[owners == 2] = 0
    learned = heads.Learned(rows, sides, np.ones(len(few)))
    weights, bias = heads.expert_heads(learned, owners, 4, QUICK)
    turned = heads.Learned(rows, np.where(owners == 1, 1 - sides, sides), np.ones(len(few)))
    others_turned, _ = heads.expert_heads(turned, owners, 4, QUICK)
    assert np.array_equal(weights[:, 0], others_turned[:, 0])
    assert weights[:, 0].any()
    assert weights[:, 1] == pytest.approx(-others_turned[:, 1], abs=1e-3)
    assert not weights[:, 2:].any()
    assert not bias[2:].any()
