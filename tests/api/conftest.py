"""The command line, run inside the test's process, and ledgers: each test's own, on each engine in turn."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

import pytest

from api import logs
from api.cli import main
from api.ledger.entry import Entry, Given
from api.ledger.ledger import Ledger
from api.periods import SHANGHAI
from api.settings import Settings, read_settings
from tests.postgres import NoServer, PostgreSQL


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


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """`log()`: the lines that the service's log has so far."""
    before, written = logging.getLogger().handlers[:], io.StringIO()
    logs.set_up("json", written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    logging.getLogger().handlers[:] = before


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL with one ledger's tables ready to be copied."""
    try:
        server = PostgreSQL(("fsync=off", "max_connections=60"))  # processes are killed here, not the machine
        server.start()
    except NoServer as reason:
        pytest.skip(f"PostgreSQL does not run here, its tests are skipped: {reason}")
    try:
        ready = Ledger(Settings(database_url=server.new_database("ready")))
        ready.upgrade()
        ready.close()
        yield server
    finally:
        server.remove()


_names = (f"ledger{number}" for number in count())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, settings: Settings) -> str:
    """An empty database on each engine in turn, with the ledger's tables."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql").new_database(next(_names), "ready")
    Ledger(settings).upgrade()
    return settings.database_url


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """An empty ledger on each engine in turn."""
    ledger = Ledger(Settings(database_url=database_url))
    yield ledger
    ledger.close()


def entry(work_order_id: str = "A1", day: str = "2025-03-10 09:30", **more: Any) -> Entry:
    """A tagged work order; `category`, `scope`, `request_type`, `urgent` and each field may be given."""
    category, scope = more.pop("category", "environment.air"), more.pop("scope", "public")
    first = "public" if scope == "public" else "private"
    given = {
        "category": Given(category, 0.9, category.split(".")[0]),
        "scope_detail": Given(scope, 0.8, first),
        "request_type": Given(more.pop("request_type", "complaint"), 0.7),
        "urgent": Given(more.pop("urgent", "0"), 0.99),
    }
    moment = datetime.fromisoformat(day)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
    fields: dict[str, Any] = {
        "decision": "auto",
        "model_version": "m1",
        "taxonomy_version": "t1",
        "district": "蓬江区",
        "channel": "12345电话",
        "department": "生态环境局",
    }
    return Entry(work_order_id, moment, given, **(fields | more))
