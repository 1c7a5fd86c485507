"""A model on disk: the same after loading, refused when a byte is not as it was, and no reader's diary."""

from __future__ import annotations

import io
import json
import pickle
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier import bundle
from classifier.errors import DamagedBundle, OutputError
from classifier.features import BLOCKS
from classifier.text import clean

ALL_FILES = (*bundle.FILES, bundle.MANIFEST)
LAYER = ("inward", "offset", "outward", "gates")


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory) -> Path:
    """The model as `save` writes it; not to be changed."""
    folder = tmp_path_factory.mktemp("bundles") / "small"
    bundle.save(model, folder, {"version": "small"}, "# 模型 small\n", "<svg/>\n")
    return folder


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def seal(folder: Path) -> None:
    """Write a manifest that fits, as somebody would who means to deceive."""
    (folder / bundle.MANIFEST).write_text(bundle._manifest(folder), encoding="utf-8")


def change_model_json(folder: Path, **values) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), encoding="utf-8")
    seal(folder)


def change_arrays(folder: Path, **values) -> None:
    with np.load(folder / "arrays.npz") as stored:
        arrays = dict(stored) | values
    np.savez(folder / "arrays.npz", **{name: array for name, array in arrays.items() if array is not None})
    seal(folder)


# --- there and back ---


def test_a_saved_model_answers_the_same_after_loading(model, saved, samples):
    loaded = bundle.load(saved)
    before, after = model.confidences(samples.requests), loaded.confidences(samples.requests)
    assert set(before) == set(after)
    for name, confidences in before.items():
        assert np.array_equal(confidences, after[name])
    assert loaded.tag(samples.requests) == model.tag(samples.requests)


def test_a_loaded_model_is_the_saved_one_in_every_part(model, saved):
    loaded = bundle.load(saved)
    assert loaded.version == model.version
    assert loaded.taxonomy == model.taxonomy
    assert loaded.thresholds == model.thresholds
    assert loaded.features.words == model.features.words
    assert loaded.features.blocks == model.features.blocks
    assert loaded.features.tokenizer.words == model.features.tokenizer.words
    assert np.array_equal(loaded.features.keys, model.features.keys)
    assert np.array_equal(loaded.features.weights, model.features.weights)
    assert np.array_equal(loaded.weights.steps, model.weights.steps)
    assert np.array_equal(loaded.weights.scale, model.weights.scale)
    assert np.array_equal(loaded.bias, model.bias)
    assert np.array_equal(loaded.together, model.together)
    for name in LAYER:
        assert np.array_equal(getattr(loaded.stack, name), getattr(model.stack, name))
    for name, link in model.links.items():
        assert (loaded.links[name].ratio, loaded.links[name].offset) == (link.ratio, link.offset)
        assert np.array_equal(loaded.links[name].shift, link.shift)


def test_a_loaded_model_can_be_saved_again_to_the_same_bytes(saved, tmp_path):
    bundle.save(bundle.load(saved), tmp_path / "again", {"version": "small"}, "# 模型 small\n", "<svg/>\n")
    for name in ("model.json", "words.txt", "card.json", "card.md"):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()
    with np.load(saved / "arrays.npz") as one, np.load(tmp_path / "again" / "arrays.npz") as other:
        assert set(one) == set(other)
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_bundle_is_exactly_its_files(saved):
    assert sorted(path.name for path in saved.iterdir()) == sorted(ALL_FILES)
    assert [path.name for path in saved.parent.iterdir()] == ["small"]


def test_the_card_comes_back_as_it_was(saved):
    assert bundle.read_card(saved) == {"version": "small"}


def test_the_fingerprint_is_another_when_a_byte_is_another(saved, copy):
    assert bundle.fingerprint(copy) == bundle.fingerprint(saved)
    (copy / "card.md").write_text("# 模型\n", encoding="utf-8")
    seal(copy)
    assert bundle.fingerprint(copy) != bundle.fingerprint(saved)


# --- damage ---


@pytest.mark.parametrize("name", ALL_FILES)
def test_any_flipped_byte_is_refused(copy, name):
    path, chance = copy / name, random.Random(name)  # noqa: S311 - the same places each time
    sound = path.read_bytes()
    places = {0, len(sound) - 1, *(chance.randrange(len(sound)) for _ in range(40))}
    for place in places:
        damaged = bytearray(sound)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(DamagedBundle) as caught:
            bundle.load(copy)
        if name != bundle.MANIFEST:
            assert name in str(caught.value)
    path.write_bytes(sound)
    bundle.load(copy)


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_file_that_is_cut_or_longer_is_refused(copy, name):
    sound = (copy / name).read_bytes()
    for damaged in (sound[:-1], sound[: len(sound) // 2], b"", sound + b"\n"):
        (copy / name).write_bytes(damaged)
        with pytest.raises(DamagedBundle):
            bundle.load(copy)


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_missing_file_is_refused_by_its_name(copy, name):
    (copy / name).unlink()
    with pytest.raises(DamagedBundle, match=re.escape(name)):
        bundle.load(copy)


def test_a_damaged_card_is_not_read(copy):
    (copy / "card.json").write_text('{"version": "better"}', encoding="utf-8")
    with pytest.raises(DamagedBundle, match=r"card\.json"):
        bundle.read_card(copy)


@pytest.mark.parametrize("number", [0, 1, 99, "3"])
def test_an_unknown_format_is_refused_by_its_number(copy, number):
    change_model_json(copy, format=number)
    with pytest.raises(DamagedBundle, match=f"格式是 {number}"):
        bundle.load(copy)


def test_a_bundle_of_an_older_format_is_told_apart_from_one_with_a_file_lost(copy):
    """Format 1 had no diagram: to look for it in a backup would help nobody."""
    change_model_json(copy, format=1)
    (copy / "reliability.svg").unlink()
    with pytest.raises(DamagedBundle, match=r"格式是 1.*重新训练"):
        bundle.load(copy)


def without_experts(copy: Path, model) -> None:
    labels = model.labels
    with np.load(copy / "arrays.npz") as stored:
        cut = {name: stored[name][:labels] for name in ("steps", "scale", "bias")}
    change_arrays(copy, **cut, gates=None, inward=model.stack.inward[:labels])


def test_a_bundle_from_before_facets_informed_each_other_is_read(copy, model, samples):
    """Format 2 had no layer over the scores."""
    without_experts(copy, model)
    change_arrays(copy, **dict.fromkeys(LAYER))
    change_model_json(copy, format=2, units=None)
    loaded = bundle.load(copy)
    assert loaded.stack is None
    before, after = model.confidences(samples.requests[:50]), loaded.confidences(samples.requests[:50])
    assert np.array_equal(before["category"], after["category"])
    assert not np.array_equal(before["scope"], after["scope"])


def test_a_bundle_from_before_there_were_experts_is_read(copy, model, samples):
    """Format 3 had a layer over the scores, and no experts that it was told of."""
    without_experts(copy, model)
    change_model_json(copy, format=3)
    loaded = bundle.load(copy)
    assert loaded.weights.shape == (len(model.features), model.labels)
    assert len(loaded.stack.gates) == 0
    after = loaded.confidences(samples.requests[:50])
    assert np.array_equal(after["category"], model.confidences(samples.requests[:50])["category"])


def test_a_lost_file_is_named(copy):
    (copy / "reliability.svg").unlink()
    with pytest.raises(DamagedBundle, match=r"缺少文件 reliability\.svg"):
        bundle.load(copy)


@pytest.mark.parametrize(
    "values",
    [
        {"taxonomy": {"version": "1", "facets": [], "departments": {}}},
        {"taxonomy": None},
        {"blocks": [{"field": "text"}]},
        {"thresholds": {"category": {"third": 1}}},
        {"thresholds": []},
    ],
)
def test_a_description_that_makes_no_model_is_refused_although_its_sums_fit(copy, values):
    change_model_json(copy, **values)
    with pytest.raises(DamagedBundle):
        bundle.load(copy)


def test_a_description_that_is_no_json_is_refused_although_its_sums_fit(copy):
    for text in ("", "[]", "{", "\0"):
        (copy / "model.json").write_text(text, encoding="utf-8")
        seal(copy)
        with pytest.raises(DamagedBundle):
            bundle.load(copy)


# --- never a pickle ---


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_an_array_of_objects_is_refused_and_never_unpickled(copy, tmp_path):
    sprung = tmp_path / "sprung"
    change_arrays(copy, bias=np.array([Trap(sprung)], dtype=object))
    with pytest.raises(DamagedBundle):
        bundle.load(copy)
    assert not sprung.exists()
    with np.load(copy / "arrays.npz", allow_pickle=True) as arrays:
        arrays["bias"]
    assert sprung.exists()  # the trap works


def test_a_pickle_in_the_arrays_place_is_refused_and_never_unpickled(copy, tmp_path):
    (copy / "arrays.npz").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    seal(copy)
    with pytest.raises(DamagedBundle):
        bundle.load(copy)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_beside_the_files_is_never_loaded(copy, model, tmp_path):
    for name in ("model.pkl", "model.joblib", "arrays.pickle"):
        (copy / name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    assert bundle.load(copy).tag(["停水"]) == model.tag(["停水"])
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["keys", "words", "steps", "scale", "bias", "gram_weights", *LAYER])
def test_a_missing_array_is_refused(copy, name):
    change_arrays(copy, **{name: None})
    with pytest.raises(DamagedBundle):
        bundle.load(copy)


@pytest.mark.parametrize("name", ["keys", "steps", "scale", "bias", "gram_weights", *LAYER])
def test_an_array_of_another_length_is_refused(copy, name):
    with np.load(copy / "arrays.npz") as arrays:
        shorter = arrays[name][:-1]
    change_arrays(copy, **{name: shorter})
    with pytest.raises(DamagedBundle):
        bundle.load(copy)


def test_a_single_array_instead_of_an_archive_is_refused(copy):
    held = io.BytesIO()
    np.save(held, np.zeros(3))
    (copy / "arrays.npz").write_bytes(held.getvalue())
    seal(copy)
    with pytest.raises(DamagedBundle):
        bundle.load(copy)


# --- nothing of a sample's text ---


def grams_in(folder: Path) -> tuple[list[str], list[str]]:
    """All words that a bundle holds, and all grams that its keys name, as people would read them."""
    with np.load(folder / "arrays.npz") as arrays:
        words = arrays["words"].tobytes().decode().split("\n")
        keys = np.cumsum(arrays["keys"], dtype=np.uint64).tolist()
    grams = []
    for key in keys:
        block, rest = BLOCKS[(key >> 48) - 1], key & (1 << 48) - 1
        bits = 24 if block.kind == "words" else 16
        units = (rest >> 2 * bits, rest >> bits & (1 << bits) - 1, rest & (1 << bits) - 1)
        named = [words[unit - 1] if bits == 24 else chr(unit) for unit in units if unit]
        grams.append("".join(named))
        assert len(named) <= (3 if bits == 16 else 2)
    return words, grams


def test_no_sentence_of_a_sample_is_in_the_bundle(saved, samples):
    words, grams = grams_in(saved)
    held = set(words) | set(grams)
    readable = "\n".join((saved / name).read_text("utf-8") for name in ALL_FILES if name != "arrays.npz")
    public = readable + "\n".join(grams)
    sentences = {
        sentence
        for request in samples.requests
        for sentence in re.split(r"\W+", clean(request))
        if len(sentence) >= 8
    }
    assert len(sentences) > 500
    assert not [sentence for sentence in sentences if sentence in held or sentence in public]


def test_words_stand_in_alphabetical_order_not_in_that_of_the_first_sample(saved, model):
    words, _ = grams_in(saved)
    assert words == sorted(words)
    assert len(words) == len(set(words))


def test_every_gram_stood_in_several_samples(saved, samples):
    cleaned = [clean(request) for request in samples.requests]
    for word in grams_in(saved)[0]:
        assert sum(word in text for text in cleaned) >= min(block.min_texts for block in BLOCKS)


# --- written once, whole or not at all ---


def test_saving_over_an_existing_folder_is_refused_and_changes_nothing(copy, model):
    before = bundle.fingerprint(copy)
    with pytest.raises(OutputError, match="已经存在"):
        bundle.save(model, copy, {}, "")
    assert bundle.fingerprint(copy) == before
    bundle.check(copy)


@pytest.mark.parametrize("survives", range(len(ALL_FILES)))
def test_a_disk_that_is_full_leaves_nothing_behind(model, tmp_path, monkeypatch, survives):
    flushed = []

    def fsync(number: int) -> None:
        flushed.append(number)
        if len(flushed) > survives:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("classifier.bundle.os.fsync", fsync)
    with pytest.raises(OutputError, match="No space left"):
        bundle.save(model, tmp_path / "new", {}, "")
    assert list(tmp_path.iterdir()) == []


def test_a_card_that_cannot_be_written_leaves_nothing_behind(model, tmp_path):
    with pytest.raises(TypeError):
        bundle.save(model, tmp_path / "new", {"thing": object()}, "")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_refused(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        bundle.save(model, tmp_path / "file" / "new", {}, "")


def test_what_a_broken_off_save_left_is_cleared_away(model, tmp_path):
    left = tmp_path / ".new.part"
    left.mkdir()
    (left / "arrays.npz").write_bytes(b"half")
    bundle.save(model, tmp_path / "new", {}, "")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    bundle.check(tmp_path / "new")
