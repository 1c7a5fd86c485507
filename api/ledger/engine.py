"""Connections to the database, and its errors in our terms.

SQLite is opened in WAL mode with a busy timeout; who is going to write says so first
(`BEGIN IMMEDIATE`), so that no transaction fails half-way for want of the lock. Every commit is synced:
what was acknowledged outlives a power cut. PostgreSQL is reached by psycopg 3.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from classifier.errors import InputError, LedgerError, LedgerUnavailable

BUSY_SECONDS = 30  # how long SQLite waits for another writer
CONNECT_SECONDS = 5
LOG_BYTES = 32 << 20  # of SQLite's log, from which on it is begun anew
_LOG_PAUSE, _LOG_WAIT = 2.0, 0.2  # seconds between two tries, and for readers to end
_log_tried: dict[str, float] = {}  # by the log's path, of this process
_TRIES = 5  # of a transaction that the database broke off because of another one
_WRITING = "hotline_writes"
_TABLES_MISSING = ("no such table", "UndefinedTable", "no such column", "UndefinedColumn")
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-4096",  # KiB, of each connection: what a service keeps open adds up; 16 are no quicker
    "temp_store=MEMORY",
)
_BROKEN_OFF = ("40001", "40P01")  # serialization failure, deadlock

T = TypeVar("T")


def open_engine(database_url: str) -> Engine:
    """An engine that connects when it is first used.

    Raises:
        InputError: the URL is none, or of a database that is not supported.
    """
    url = _url(database_url)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,  # a server that was restarted is noticed before work is begun
        pool_timeout=CONNECT_SECONDS,
        max_overflow=30,
        hide_parameters=True,  # an error's text must not hold a citizen's
        connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "hotline"},
    )


def _url(database_url: str) -> URL:
    try:
        url = make_url(database_url)
        known = url.get_backend_name() in ("sqlite", "postgresql", "postgres")
    except ArgumentError:
        known = False
    if not known:
        raise InputError(
            "HOTLINE_DATABASE_URL 不是可用的数据库地址，应为 sqlite:///路径 或 postgresql://用户:口令@主机/库"
        )
    if url.get_backend_name() == "sqlite" and not url.database:
        raise InputError("HOTLINE_DATABASE_URL 没有给出文件，应为 sqlite:///路径，例如 sqlite:///hotline.db")
    return url


def sqlite_file(engine: Engine) -> Path | None:
    """The file of a SQLite database."""
    return Path(str(engine.url.database)) if engine.dialect.name == "sqlite" else None


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=10,
        pool_use_lifo=True,  # few of them in use: each has a cache of its own
        max_overflow=30,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own
        for pragma in _PRAGMAS:
            _set(connection, pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _set(connection: Any, pragma: str) -> None:
    """Set a pragma; where several processes make a new file's log at once SQLite itself does not wait."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees the ledger as it was at one moment, and changes nothing."""
    level = "REPEATABLE READ" if engine.dialect.name == "postgresql" else None
    options = {"isolation_level": level} if level else {}
    with (
        explained(engine),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def writing(engine: Engine, alone_on: Table | None = None) -> Iterator[Connection]:
    """A transaction that is there as a whole after its end, or not at all.

    Others that want to be `alone_on` the same table are waited for, and then what is read is of one moment,
    as it always is on SQLite, which has one writer. It may be broken off (see `retried`).
    """
    options: dict[str, Any] = {_WRITING: True}
    if alone_on is not None and engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with explained(engine), engine.connect().execution_options(**options) as connection:
        with connection.begin():
            if "isolation_level" in options:  # LOCK is the one statement that does not yet fix the moment
                connection.execute(text(f"LOCK TABLE {alone_on} IN SHARE UPDATE EXCLUSIVE MODE"))
            yield connection
        if engine.dialect.name == "sqlite":
            _shorten_log(engine, connection)


def _shorten_log(engine: Engine, connection: Connection) -> None:
    """Begin SQLite's log anew once it has grown long.

    SQLite does so by itself only in a moment without readers, which under load may never come. Here readers
    are waited for, but not for long: writers stand still meanwhile. What does not succeed is tried again a
    little later.
    """
    log = Path(f"{engine.url.database}-wal")
    tried, now = _log_tried.get(str(log), 0.0), time.monotonic()
    if now - tried < _LOG_PAUSE or not log.exists() or log.stat().st_size < LOG_BYTES:
        return
    _log_tried[str(log)] = now
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={_LOG_WAIT * 1000:.0f}")
    try:
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError:
        return  # locked by another process that does the same
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")


def retried(work: Callable[[], T]) -> T:
    """Do a transaction again that the database broke off in favour of another one."""
    for attempt in range(_TRIES):
        try:
            return work()
        except LedgerUnavailable as error:
            cause = error.__cause__
            state = getattr(getattr(cause, "orig", None), "sqlstate", None)
            if state not in _BROKEN_OFF or attempt == _TRIES - 1:
                raise
            time.sleep(0.02 * (attempt + 1))
    raise AssertionError("unreachable")


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn an error of the database into ours; none of them shows a value that was to be stored.

    Raises:
        LedgerUnavailable: it cannot be reached, or broke off; it may be tried again.
        LedgerError: it refuses, for its tables are missing, the disk is full or a constraint is broken.
    """
    where = _shown(engine)
    try:
        yield
    except NoConnectionFree as error:
        raise LedgerUnavailable(f"台账数据库（{where}）连接都在使用中，请稍后重试") from error
    except IntegrityError as error:
        raise LedgerError(f"台账（{where}）的约束不允许写入这样的数据（{_kind(error)}）") from error
    except DBAPIError as error:
        said = f"{type(error.orig).__name__} {error.orig}"
        if any(word in said for word in _TABLES_MISSING):
            raise LedgerError(f"台账（{where}）的表不全，请运行 hotline db upgrade") from error
        if "is full" in said or "DiskFull" in said:
            raise LedgerError(f"台账（{where}）所在磁盘已满，没有写入；请腾出空间后重试") from error
        if "readonly" in said:
            raise LedgerError(f"台账（{where}）不能写入，请检查文件和文件夹的权限") from error
        if "not a database" in said or "malformed" in said:
            raise LedgerError(f"{where} 不是 SQLite 数据库或已损坏，请检查路径，或从备份恢复") from error
        if _may_pass(engine, error):
            raise LedgerUnavailable(f"台账数据库（{where}）暂时连不上或正忙，没有写入，请稍后重试") from error
        raise LedgerError(f"台账（{where}）出错（{_kind(error)}）") from error


def _may_pass(engine: Engine, error: DBAPIError) -> bool:
    """Whether the same may well succeed later."""
    if engine.dialect.name == "sqlite":  # it calls almost everything operational
        return "locked" in str(error.orig) or "unable to open" in str(error.orig)
    return isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated


def _kind(error: DBAPIError) -> str:
    """What the database calls the error: a constraint's name where it has one, never a value."""
    diagnosis = getattr(error.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", None) or getattr(error.orig, "sqlite_errorname", None)
    return str(name or type(error.orig).__name__)


def _shown(engine: Engine) -> str:
    """Where the database is, without a password."""
    return engine.url.database or "" if engine.dialect.name == "sqlite" else engine.url.render_as_string()


def advisory_lock(connection: Connection, name: str) -> None:
    """Hold off others that take this lock, until the transaction's end; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
