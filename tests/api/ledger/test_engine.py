import threading
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.ledger import engine as module
from api.ledger.engine import open_engine, reading, retried, sqlite_file, writing
from api.ledger.ledger import Ledger
from api.settings import Settings
from classifier.errors import InputError, LedgerError, LedgerUnavailable
from tests.api.conftest import entry


@pytest.mark.parametrize("url", ["mysql://h/x", "hotline.db", "", "sqlite://", "postgresql"])
def test_an_address_that_is_none_is_an_error_that_says_what_one_looks_like(url):
    with pytest.raises(InputError, match="HOTLINE_DATABASE_URL"):
        open_engine(url)


def test_sqlite_keeps_a_log_and_syncs_it(settings):
    engine = open_engine(settings.database_url)
    with reading(engine) as connection:
        said = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    engine.dispose()


def test_a_reader_sees_one_moment_while_others_write(ledger):
    ledger.record([entry("A1")])
    counted = text("SELECT count(*) FROM work_orders")
    with reading(ledger.engine) as connection:
        assert connection.execute(counted).scalar_one() == 1
        writer = threading.Thread(target=lambda: ledger.record([entry("A2")]))
        writer.start()
        writer.join()
        assert connection.execute(counted).scalar_one() == 1
    with reading(ledger.engine) as connection:
        assert connection.execute(counted).scalar_one() == 2


def test_what_fails_half_way_leaves_nothing(ledger):
    def fail():
        with writing(ledger.engine) as connection:
            connection.execute(text("INSERT INTO stale_days (received_on) VALUES ('2025-01-01')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ledger.facts()["stale_days"] == 0


def test_a_sqlite_that_stays_busy_is_unavailable_for_now(settings, monkeypatch):
    monkeypatch.setattr(module, "BUSY_SECONDS", 0)
    first, second = Ledger(settings).open(create=True), Ledger(settings).open()
    with writing(first.engine), pytest.raises(LedgerUnavailable, match=r"正忙.*稍后重试"):
        second.record([entry()])
    assert second.record([entry()]).new == 1
    first.close()
    second.close()


def test_an_error_shows_neither_the_password_nor_what_was_to_be_stored(settings):
    ledger = Ledger(Settings(database_url="postgresql://hotline:geheim@127.0.0.1:1/x"))
    with pytest.raises(LedgerUnavailable) as caught:
        ledger.record([entry(text="我家住在迎宾大道")])
    assert "geheim" not in str(caught.value)
    assert "***@127.0.0.1" in str(caught.value)
    assert "迎宾" not in f"{caught.value} {caught.value.__cause__}"


def test_a_mistake_in_a_statement_is_not_called_unavailable(ledger):
    with pytest.raises(LedgerError) as caught, reading(ledger.engine) as connection:
        connection.execute(text("SELEC 1"))
    assert not isinstance(caught.value, LedgerUnavailable)


def test_a_transaction_that_the_database_broke_off_is_done_again():
    class Deadlock(Exception):
        sqlstate = "40P01"

    tries = []

    def work():
        tries.append(1)
        if len(tries) < 3:
            raise LedgerUnavailable("x") from OperationalError("", {}, Deadlock())
        return "done"

    assert retried(work) == "done"
    with pytest.raises(LedgerUnavailable):
        retried(lambda: _raise(LedgerUnavailable("gone")))


def _raise(error):
    raise error


def test_the_log_of_sqlite_is_begun_anew_even_between_readers(settings, monkeypatch):
    """One reader follows the other without a pause, as under load."""
    monkeypatch.setattr(module, "LOG_BYTES", 1 << 16)
    monkeypatch.setattr(module, "_LOG_PAUSE", 0)
    engine, ended = open_engine(settings.database_url), threading.Event()
    log = Path(f"{sqlite_file(engine)}-wal")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER, padding TEXT)"))

    def read():
        while not ended.is_set():
            with reading(engine) as connection:
                connection.execute(text("SELECT sum(number) FROM numbers")).scalar_one()

    readers = [threading.Thread(target=read, daemon=True) for _ in range(2)]
    for reader in readers:
        reader.start()
    sizes = []
    for number in range(60):
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO numbers VALUES (:n, :p)"), {"n": number, "p": "x" * 20_000})
        sizes.append(log.stat().st_size)
    ended.set()
    for reader in readers:
        reader.join()
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM numbers")).scalar_one() == 60
    engine.dispose()
    assert min(sizes[10:]) < 1 << 16
    assert max(sizes) < 1 << 20
