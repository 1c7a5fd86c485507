from collections import namedtuple
from datetime import datetime

import pytest

from api.doctor import machine
from api.periods import SHANGHAI

Space = namedtuple("Space", ("total", "used", "free"))


@pytest.mark.parametrize(("free", "state"), [(50 << 20, "broken"), (500 << 20, "warning"), (5 << 30, "ok")])
def test_a_disk_that_is_nearly_full_is_told(monkeypatch, tmp_path, free, state):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _folder: Space(10 << 30, 0, free))
    found = list(machine.examine_disk({"台账": tmp_path / "not" / "yet"}))
    assert [one.state for one in found] == [state, state]
    assert str(tmp_path) in found[0].told


@pytest.mark.parametrize(
    ("year", "ahead", "state"),
    [
        (1970, None, "broken"),
        (2101, None, "broken"),
        (2026, 3600, "broken"),
        (2026, -5, "warning"),
        (2026, 0.1, "ok"),
        (2026, None, "ok"),
    ],
)
def test_a_clock_that_cannot_be_right_is_told(year, ahead, state):
    assert machine.examine_clock(ahead, datetime(year, 6, 1, tzinfo=SHANGHAI)).state == state


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("desk.local", False)],
)
def test_loopback_is_told_apart(host, is_loopback):
    assert machine.is_loopback(host) == is_loopback


@pytest.mark.parametrize(
    ("host", "keys", "state"),
    [
        ("127.0.0.1", None, "ok"),
        ("10.0.0.1", 2, "ok"),
        ("10.0.0.1", 0, "broken"),
        ("10.0.0.1", None, "broken"),
    ],
)
def test_an_open_address_needs_keys(host, keys, state):
    assert machine.examine_exposure(host, keys).state == state
