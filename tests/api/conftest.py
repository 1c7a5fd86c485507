"""The command line, run inside the test's process: as a user would, but in milliseconds."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from api.cli import main
from api.settings import Settings, read_settings


class Outcome(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


Hotline = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger of the test's own, also for the commands that it runs."""
    url = f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'hotline.db'}"
    monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
    return read_settings()


@pytest.fixture
def hotline(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Hotline:
    """`hotline(*arguments, stdin=…)`: run the command and give its exit code and both its outputs."""

    def run(*arguments: object, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["hotline", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Outcome(int(str(code)), out, err)

    return run
