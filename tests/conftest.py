"""Small real things for the tests: a true fit on invented samples, and a store that holds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier.model import Model
from classifier.stack import Stack
from classifier.store import ModelStore
from classifier.taxonomy import Taxonomy
from classifier.weights import Weights
from training.card import card_json, card_markdown
from training.evaluate import evaluate_held_out
from training.fit import HeldOut, train
from training.samples import Samples, read_samples

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples" / "work_orders.xlsx"


@pytest.fixture(scope="session")
def examples() -> Path:
    """The invented work orders that ship with the project."""
    return EXAMPLES


@pytest.fixture(scope="session")
def samples() -> Samples:
    """The same, as samples for training."""
    return read_samples(EXAMPLES, Taxonomy.load())


@pytest.fixture(scope="session")
def trained(samples: Samples) -> tuple[Model, HeldOut]:
    """A true fit on them, with experts and a layer over the scores, for which they are too few."""
    fitted, held_out = train(samples, "small")
    random, labels, category = np.random.default_rng(0), fitted.labels, fitted.facets["category"]
    experts, grams = len(category.firsts), len(fitted.features)
    learned = fitted.weights.of_grams(np.arange(grams))[:, :labels]
    fitted.weights = Weights.of(np.hstack([learned, random.normal(0, 0.1, (grams, experts))]))
    fitted.bias = np.append(fitted.bias[:labels], random.normal(size=experts).astype(np.float32))
    shapes = ((labels + experts, 12), (12,), (12, labels))
    inward, offset, outward = (random.normal(0, 0.1, shape).astype(np.float32) for shape in shapes)
    outward[:, fitted.columns["category"]] = 0
    fitted.stack = Stack(inward, offset, outward, category.first_index.astype(np.int32))
    return fitted, held_out


@pytest.fixture(scope="session")
def model(trained: tuple[Model, HeldOut]) -> Model:
    """The model of that fit."""
    return trained[0]


@pytest.fixture(scope="session")
def models_dir(
    trained: tuple[Model, HeldOut], samples: Samples, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder of models in which that fit is the current one; not to be changed."""
    folder = tmp_path_factory.mktemp("models")
    save_small(ModelStore(folder), trained, samples)
    return folder


@pytest.fixture
def store(trained: tuple[Model, HeldOut], samples: Samples, tmp_path: Path) -> ModelStore:
    """A store of its own for tests that change it."""
    store = ModelStore(tmp_path / "models")
    save_small(store, trained, samples)
    return store


def save_small(
    store: ModelStore, trained: tuple[Model, HeldOut], samples: Samples, version: str = "small"
) -> None:
    """Store the fit under a name."""
    fitted, held_out = trained
    named = fitted.variant(version)
    card = card_json(version, [EXAMPLES], samples, evaluate_held_out(held_out, samples))
    store.save(named, card, card_markdown(card))
