import multiprocessing
import re

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.schema import CreateTable

from api.ledger import idempotency_table  # noqa: F401 - a table that the program knows, too
from api.ledger.engine import reading, writing
from api.ledger.ledger import Ledger
from api.ledger.schema import metadata
from api.ledger.upgrade import revision, upgrade
from api.settings import Settings
from classifier.errors import LedgerError
from tests.api.conftest import entry


def test_the_revisions_make_the_tables_that_the_program_knows(ledger):
    with reading(ledger.engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        inspector = inspect(connection)
        for table in metadata.sorted_tables:
            checks = {check["name"] for check in inspector.get_check_constraints(table.name)}
            sql = str(CreateTable(table).compile(dialect=connection.dialect))
            assert checks == set(re.findall(r"CONSTRAINT (\w+) CHECK", sql))


def test_upgrading_again_changes_nothing(ledger):
    ledger.record([entry()])
    assert ledger.upgrade() is False
    assert ledger.find("A1")


def test_a_sqlite_ledger_is_made_when_it_is_first_opened_for_recording(tmp_path):
    path = tmp_path / "new.db"
    ledger = Ledger(Settings(database_url=f"sqlite:///{path}"))
    with pytest.raises(LedgerError, match=r"没有台账 .*new\.db.*--record"):
        ledger.open()
    assert not path.exists()
    assert ledger.open(create=True).record([entry()]).new == 1
    ledger.close()


def test_a_postgresql_without_tables_says_what_to_run(postgresql):
    ledger = Ledger(Settings(database_url=postgresql.new_database("empty")))
    with pytest.raises(LedgerError, match="hotline db upgrade"):
        ledger.open(create=True)
    with pytest.raises(LedgerError, match="hotline db upgrade"):
        ledger.record([entry()])
    assert ledger.upgrade() is True
    assert ledger.open().record([entry()]).new == 1
    ledger.close()


def test_tables_of_a_newer_program_are_left_alone(ledger):
    with writing(ledger.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for work in (ledger.upgrade, ledger.open):
        with pytest.raises(LedgerError, match="比本程序新"):
            work()


def test_a_revision_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    engine = create_engine(f"sqlite:///{tmp_path / 'broken.db'}")
    ledger = Ledger(Settings(database_url=str(engine.url)))
    with ledger.engine.connect() as connection:
        connection.execute(text("CREATE TABLE imports (x)"))
        connection.commit()
    with pytest.raises(LedgerError):
        upgrade(ledger.engine)
    assert inspect(engine).get_table_names() == ["imports"]
    assert revision(ledger.engine)[0] is None
    engine.dispose()
    ledger.close()


def _open_in_process(url, barrier):
    barrier.wait()
    Ledger(Settings(database_url=url)).open(create=True).record([entry()])


def test_several_processes_may_open_a_new_ledger_at_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'new.db'}"
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(4)
    processes = [spawning.Process(target=_open_in_process, args=(url, barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    ledger = Ledger(Settings(database_url=url)).open()
    assert ledger.facts()["work_orders"] == 1
    ledger.close()
