"""The folder of models: promoting, going back, and never half a version."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from classifier import bundle
from classifier.errors import DamagedBundle, InputError, NoModel, OutputError
from classifier.model import Model
from classifier.store import DEFAULT, ModelStore

ROOT = Path(__file__).parents[2]


def named(model: Model, version: str) -> Model:
    return model.variant(version)


def add(store: ModelStore, model: Model, *versions: str) -> None:
    for version in versions:
        store.save(named(model, version), {"version": version}, f"# 模型 {version}\n")


def damage(folder: Path) -> None:
    with (folder / "arrays.npz").open("r+b") as file:
        file.seek(100)
        byte = file.read(1)[0]
        file.seek(100)
        file.write(bytes([byte ^ 1]))


@pytest.fixture
def with_default(models_dir, tmp_path, monkeypatch) -> ModelStore:
    """A store in nobody's folder, where the default model answers at first."""
    monkeypatch.setattr("classifier.store.shipped", lambda: models_dir / "small")
    monkeypatch.setattr("classifier.store.own_folder", lambda: tmp_path / "own")
    return ModelStore()


# --- which one answers ---


def test_the_first_version_in_an_empty_chosen_folder_is_promoted(model, tmp_path):
    store = ModelStore(tmp_path / "models")
    add(store, model, "first", "second")
    assert store.current_version() == "first"
    assert store.current().version == "first"
    assert store.versions() == ["first", "second"]


def test_a_promoted_version_answers_and_the_one_before_on_rollback(store, model):
    add(store, model, "second", "third")
    store.promote("second")
    store.promote("third")
    assert store.current().version == "third"
    assert [store.rollback(), store.rollback()] == ["second", "small"]
    assert store.current().version == "small"
    with pytest.raises(NoModel, match="没有更早的版本"):
        store.rollback()
    assert store.current_version() == "small"


def test_promoting_the_current_version_again_leaves_nothing_to_go_back_to(store):
    store.promote("small")
    with pytest.raises(NoModel):
        store.rollback()


def test_a_model_is_loaded_once(store):
    assert store.current() is store.current()


def test_a_running_store_notices_the_promotion_of_another_one(store, model):
    running = ModelStore(store.folder)
    before = running.current()
    add(store, model, "second")
    assert running.current() is before
    store.promote("second")
    assert running.current().version == "second"
    store.rollback()
    assert running.current().version == "small"


def test_a_running_store_notices_the_promotion_of_another_process(store, model):
    add(store, model, "second")
    assert store.current().version == "small"
    code = "import sys; from pathlib import Path; from classifier.store import ModelStore\n"
    code += "ModelStore(Path(sys.argv[1])).promote('second')"
    subprocess.run([sys.executable, "-c", code, str(store.folder)], check=True, cwd=ROOT)
    assert store.current_version() == "second"
    assert store.current().version == "second"


def test_a_version_of_the_same_name_but_other_bytes_is_loaded_anew(store, model):
    before = store.current()
    store.path("small").rename(store.folder / "set-aside")
    bundle.save(named(model, "small"), store.folder / "small", {"another": "card"}, "")
    assert store.current() is not before


def test_every_version_can_be_asked_without_being_current(store, model):
    add(store, model, "second")
    assert store.load("second").version == "second"
    assert store.current_version() == "small"


def test_half_written_versions_and_other_files_are_no_versions(store):
    for name in (".new.part", "notes"):
        (store.folder / name).mkdir()
    (store.folder / ".new.part" / bundle.MANIFEST).write_text("")
    (store.folder / "readme.txt").write_text("")
    assert store.versions() == ["small"]


# --- no model ---


def test_a_chosen_folder_without_a_model_says_what_to_do(tmp_path):
    store = ModelStore(tmp_path / "models")
    assert store.versions() == []
    for ask in (store.current, store.current_version):
        with pytest.raises(NoModel, match="hotline train") as caught:
            ask()
        assert str(store.folder) in str(caught.value)


def test_a_chosen_folder_without_a_current_model_names_its_versions(store):
    (store.folder / "current").unlink()
    with pytest.raises(NoModel, match=r"small.*hotline models promote"):
        store.current()


@pytest.mark.parametrize("version", ["none", "..", ".", "", "a/b", "../models/small", "空格", "current"])
def test_an_unknown_version_is_no_model_and_the_message_names_those_that_are(store, version):
    for ask in (store.load, store.promote, store.path):
        with pytest.raises(NoModel, match="small"):
            ask(version)
    assert store.current_version() == "small"


def test_rollback_to_a_version_that_is_gone_changes_nothing(store, model):
    add(store, model, "second")
    store.promote("second")
    store.path("small").rename(store.folder.parent / "gone")
    with pytest.raises(NoModel, match="small"):
        store.rollback()
    assert store.current().version == "second"


# --- damage ---


def test_a_damaged_version_is_not_promoted_and_the_current_one_stays(store, model):
    add(store, model, "second")
    damage(store.path("second"))
    with pytest.raises(DamagedBundle, match=r"arrays\.npz"):
        store.promote("second")
    assert store.current().version == "small"


def test_rollback_does_not_go_to_a_damaged_version(store, model):
    add(store, model, "second")
    store.promote("second")
    damage(store.path("small"))
    with pytest.raises(DamagedBundle):
        store.rollback()
    assert store.current().version == "second"


def test_a_damaged_version_does_not_answer(store):
    damage(store.path("small"))
    with pytest.raises(DamagedBundle):
        store.current()


def test_a_version_without_its_manifest_is_damaged(store):
    (store.path("small") / bundle.MANIFEST).unlink()
    with pytest.raises(DamagedBundle, match="manifest"):
        store.current()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", "{}", '{"version": null}', '{"version": "../x"}', '"small"', "\udcff"]
)
def test_a_damaged_current_has_a_clear_error_and_promoting_mends_it(store, content):
    (store.folder / "current").write_bytes(content.encode("utf-8", "surrogateescape"))
    for ask in (store.current, store.current_version, store.rollback):
        with pytest.raises(DamagedBundle, match="hotline models promote"):
            ask()
    store.promote("small")
    assert store.current().version == "small"


# --- writing ---


@pytest.mark.parametrize(
    "version",
    ["", ".", "..", "a/b", "a\\b", "/a", "空格", "a b", ".hidden", "-x", "a\n", "x" * 65, "current"],
)
def test_names_that_no_folder_should_have_are_refused(model, tmp_path, version):
    store = ModelStore(tmp_path / "models")
    with pytest.raises(InputError, match="版本名"):
        add(store, model, version)
    with pytest.raises(InputError, match="版本名"):
        store.check_name(version)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["v1", "2026.1", "a_b-c.d", "x" * 64, "0"])
def test_plain_names_are_taken(tmp_path, version):
    ModelStore(tmp_path).check_name(version)


def test_a_name_is_taken_only_once(store, model):
    before = bundle.fingerprint(store.path("small"))
    with pytest.raises(InputError, match="已经存在"):
        add(store, model, "small")
    assert bundle.fingerprint(store.path("small")) == before


def test_a_promotion_that_cannot_be_written_leaves_the_current_one(store, model, monkeypatch):
    add(store, model, "second")
    before = sorted(path.name for path in store.folder.iterdir())

    def replace(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", replace)
        with pytest.raises(OutputError, match="No space left"):
            store.promote("second")
    assert store.current_version() == "small"
    assert sorted(path.name for path in store.folder.iterdir()) == before


def test_readers_never_see_half_a_promotion(store, model):
    add(store, model, "second")
    seen, stop = set(), threading.Event()
    failures: list[Exception] = []

    def read() -> None:
        own = ModelStore(store.folder)
        while not stop.is_set():
            try:
                seen.add(own.current_version())
            except (NoModel, DamagedBundle) as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(30):
        store.promote("second")
        store.promote("small")
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert seen == {"small", "second"}


def test_promotions_from_several_threads_leave_a_sound_current(store, model):
    add(store, model, "second")
    failures: list[Exception] = []

    def promote(version: str) -> None:
        try:
            for _ in range(20):
                store.promote(version)
        except (NoModel, DamagedBundle, OutputError) as error:
            failures.append(error)

    writers = [threading.Thread(target=promote, args=(version,)) for version in ("small", "second") * 2]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert store.current_version() in {"small", "second"}
    assert not [path.name for path in store.folder.iterdir() if path.name.startswith(".")]


def test_the_pointer_is_plain_json(store, model):
    add(store, model, "second")
    store.promote("second")
    assert json.loads((store.folder / "current").read_text("utf-8")) == {
        "version": "second",
        "earlier": ["small"],
    }


# --- the default model ---


def test_without_a_folder_the_default_model_answers(with_default):
    assert with_default.current_version() == DEFAULT
    assert with_default.versions() == [DEFAULT]
    assert with_default.current().tag(["停水"])


def test_a_first_version_of_ones_own_does_not_push_the_default_aside(with_default, model):
    add(with_default, model, "own")
    assert with_default.current_version() == DEFAULT
    with_default.promote("own")
    assert with_default.current().version == "own"
    assert with_default.rollback() == DEFAULT
    assert with_default.current_version() == DEFAULT


def test_the_name_of_the_default_model_is_taken(with_default, model):
    with pytest.raises(InputError, match="已经存在"):
        add(with_default, model, DEFAULT)


def test_no_default_stands_in_for_a_chosen_folder(with_default, tmp_path):
    with pytest.raises(NoModel):
        ModelStore(tmp_path / "chosen").current()
    with pytest.raises(NoModel):
        ModelStore(tmp_path / "chosen").promote(DEFAULT)
