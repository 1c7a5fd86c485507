import json
import socket
import sqlite3

import pytest

from api.ledger.ledger import Ledger
from api.settings import Settings
from classifier import bundle, golden


def found(hotline, *arguments):
    """The exit code, and each finding by its name."""
    outcome = hotline("doctor", "--json", *arguments)
    return outcome.code, {one["name"]: one for one in json.loads(outcome.out)}


@pytest.fixture(autouse=True)
def free_port(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("HOTLINE_PORT", str(port))
    return port


@pytest.fixture
def at(store, model):
    """A store whose current model has golden answers."""
    card = {"version": "golden", golden.KEY: golden.answers(model)}
    bundle.save(model, store.folder / "golden", card, "")
    store.promote("golden")
    return "--models-dir", store.folder


def test_a_healthy_machine_is_told_line_by_line(hotline, at, settings):
    Ledger(settings).upgrade()
    shown = hotline("doctor", *at)
    assert shown.code == 0, shown.out
    lines = shown.out.splitlines()
    assert all(line.startswith("✓") for line in lines if "磁盘" not in line), shown.out
    assert "0 项有问题" in shown.err
    code, all_found = found(hotline, *at)
    assert code == 0
    names = {"程序", "字体", "设置", "模型", "标准答案", "台账", "时钟", "端口", "对外开放"}
    assert names <= set(all_found)


def test_a_damaged_model_is_broken_and_says_what_to_do(hotline, at, store):
    (store.folder / "golden" / "words.txt").write_text("x 1\n", encoding="utf-8")
    code, all_found = found(hotline, *at)
    assert code == 1
    assert all_found["模型"]["state"] == "broken"
    assert "words.txt" in all_found["模型"]["told"]
    assert "hotline models" in all_found["模型"]["todo"]


def test_other_answers_than_when_it_was_trained_are_broken(hotline, store, model):
    stored = golden.answers(model)
    stored[3]["labels"]["category"] = "other"
    bundle.save(model, store.folder / "odd", {golden.KEY: stored}, "")
    store.promote("odd")
    code, all_found = found(hotline, "--models-dir", store.folder)
    assert (code, all_found["标准答案"]["state"]) == (1, "broken")
    assert "第 4 条" in all_found["标准答案"]["told"]


def test_a_model_without_golden_answers_is_a_remark(hotline, models_dir):
    code, all_found = found(hotline, "--models-dir", models_dir)
    assert (code, all_found["标准答案"]["state"]) == (0, "warning")


def test_a_ledger_on_each_engine_is_reached_and_written(hotline, at, database_url):
    code, all_found = found(hotline, *at, "--database", database_url)
    assert (code, all_found["台账"]["state"]) == (0, "ok"), all_found["台账"]
    assert ("与数据库相差" in all_found["时钟"]["told"]) == database_url.startswith("postgresql")


@pytest.mark.parametrize("kind", ["unreachable", "no folder", "no database", "newer"])
def test_a_ledger_that_is_not_right_is_broken(hotline, at, tmp_path, kind):
    path = tmp_path / "台账.db"
    url = f"sqlite:///{path}"
    if kind == "unreachable":
        url = "postgresql://u:geheim@127.0.0.1:1/x"
    elif kind == "no folder":
        url = f"sqlite:///{tmp_path}/none/x.db"
    elif kind == "no database":
        path.write_bytes(b"no database" * 1000)
    else:
        Ledger(Settings(database_url=url)).upgrade()
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
    code, all_found = found(hotline, *at, "--database", url)
    assert (code, all_found["台账"]["state"]) == (1, "broken")
    assert all_found["台账"]["todo"]
    assert "geheim" not in json.dumps(all_found)


def test_a_wrong_setting_is_told_and_the_rest_waits(hotline, monkeypatch):
    monkeypatch.setenv("HOTLINE_WRKERS", "2")
    code, all_found = found(hotline)
    assert code == 1
    assert "HOTLINE_WORKERS" in all_found["设置"]["told"]
    assert "模型" not in all_found


def test_a_port_that_something_else_has_is_broken(hotline, at, free_port):
    with socket.create_server(("127.0.0.1", free_port)):
        code, all_found = found(hotline, *at)
    assert (code, all_found["端口"]["state"]) == (1, "broken")


def test_an_open_address_without_keys_is_broken(hotline, at, monkeypatch):
    monkeypatch.setenv("HOTLINE_HOST", "0.0.0.0")  # noqa: S104 - only asked about
    code, all_found = found(hotline, *at)
    assert (code, all_found["对外开放"]["state"]) == (1, "broken")
