"""Models as a running service reads them."""

import shutil
import threading
import time

import numpy as np
import pytest

from api.served_models import ServedModels
from classifier import bundle
from classifier.errors import NoModel

TEXTS = ["迎宾大道的路灯不亮，夜里看不清路", "邻居半夜唱歌，吵得睡不着"]


def named(model, version):
    return model.variant(version)


@pytest.fixture
def two(store, model):
    """A folder with two versions, of which `small` is the current one."""
    bundle.save(named(model, "again"), store.folder / "again", {}, "")
    return store


def eventually(served, version):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if served.current().version == version:
            return True
        time.sleep(0.01)
    return False


def test_the_old_version_answers_while_the_new_one_loads(two, monkeypatch):
    served = ServedModels(two.folder)
    assert served.current().version == "small"
    let, real = threading.Event(), bundle.load

    def slow(*args):
        assert let.wait(20)
        return real(*args)

    monkeypatch.setattr(bundle, "load", slow)
    two.promote("again")
    begin = time.monotonic()
    for _ in range(100):
        assert served.current().version == "small"
    assert time.monotonic() - begin < 5
    let.set()
    assert eventually(served, "again")


def test_a_damaged_version_is_told_and_the_old_one_goes_on(two):
    heard = []
    served = ServedModels(two.folder, on_load=lambda version, fine: heard.append((version, fine)))
    served.current()
    two.promote("again")
    (two.folder / "again" / "arrays.npz").write_bytes(b"broken")
    served.current()
    until = time.monotonic() + 20
    while not served.trouble and time.monotonic() < until:
        time.sleep(0.01)
    assert "arrays.npz" in served.trouble
    for _ in range(20):  # not tried again at once
        assert served.current().version == "small"
    assert heard == [("small", True), ("again", False)]
    two.rollback()
    assert served.current().version == "small"
    assert served.trouble is None


def test_a_folder_that_goes_away_does_not_stop_the_service(two):
    served = ServedModels(two.folder)
    served.current()
    shutil.rmtree(two.folder)
    assert served.current().version == "small"
    assert "没有当前模型" in served.trouble


def test_without_any_model_it_is_an_error(tmp_path):
    with pytest.raises(NoModel):
        ServedModels(tmp_path).current()


def test_workers_map_the_same_weights_and_answer_the_same(two, model, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    one, other = ServedModels(two.folder, shared), ServedModels(two.folder, shared)
    expected = model.tag(TEXTS)
    assert one.current().tag(TEXTS) == other.current().tag(TEXTS) == expected
    assert len(list(shared.glob("*.npy"))) == 1
    for served in (one, other):
        assert isinstance(served.current().weights.steps, np.memmap)


def test_old_weights_are_cleared_away(two, model, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    served = ServedModels(two.folder, shared)
    served.current()
    for number in range(5):
        bundle.save(named(model, f"v{number}"), two.folder / f"v{number}", {"n": number}, "")
        two.promote(f"v{number}")
        assert eventually(served, f"v{number}")
    assert len(list(shared.glob("*.npy"))) == 3
    assert served.current().tag(TEXTS) == model.tag(TEXTS)
