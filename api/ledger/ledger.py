"""The ledger: every tagged work order once, its tags, and what people corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import text

from classifier.errors import InputError, LedgerError

from ..settings import Settings
from . import counts, feed, health, rollups, upkeep, work_orders
from .access import AccessStore
from .changes import last_position, place_changes
from .corrections import Correction, correct
from .counts import Count, Question
from .engine import explained, open_engine, reading, sqlite_file
from .entry import Entry, Recorded
from .feed import Event, FeedCursor
from .imports import Import, note_import
from .jobs import JobQueue
from .labels import LabelNumbers, known_codes
from .record import record
from .upgrade import revision, upgrade
from .work_orders import Cursor, StoredWorkOrder, Wanted


class Ledger:
    """What stands behind the desk. Many threads and processes may use one database."""

    def __init__(self, settings: Settings) -> None:
        self.engine = open_engine(settings.database_url)
        self._store_text = settings.store_text
        self._numbers = LabelNumbers(self.engine)
        self._is_open = False
        self._refreshing = Lock()
        self.access = AccessStore(self.engine)
        """Keys, people and the audit log, in the same database."""
        self.jobs = JobQueue(self.engine)
        """Files that were sent to be tagged."""

    @property
    def name(self) -> str:
        """Where it is, as people may see it."""
        file = sqlite_file(self.engine)
        return str(file.resolve()) if file else self.engine.url.render_as_string()

    def exists(self) -> bool:
        """Whether it was ever made; of a database server only asking it would tell."""
        file = sqlite_file(self.engine)
        return file is None or file.exists()

    def open(self, *, create: bool = False) -> Ledger:
        """Check that the tables are this program's; SQLite's are made or brought up to date by itself.

        Raises:
            LedgerError: there is none, or its tables need `hotline db upgrade` or a newer program.
            LedgerUnavailable: it cannot be reached.
        """
        if self._is_open:
            return self
        file = sqlite_file(self.engine)
        if file and not create and not file.exists():
            raise LedgerError(
                f"没有台账 {file.resolve()}。请先用 hotline batch … --record 或 hotline db import 记录工单，"
                "或用 --database、HOTLINE_DATABASE_URL 指定台账"
            )
        self._check_folder()
        current, needed = revision(self.engine)
        if current != needed:
            if not file:
                raise LedgerError(f"台账（{self.name}）的表结构不是本程序的，请运行 hotline db upgrade")
            upgrade(self.engine)
        self._is_open = True
        return self

    def check_reachable(self) -> None:
        """Refuse to go on without the database.

        Raises:
            LedgerUnavailable: it does not answer.
        """
        with reading(self.engine) as connection:
            connection.execute(text("SELECT 1"))

    @property
    def file(self) -> Path | None:
        """Where a SQLite ledger is, or will be."""
        return sqlite_file(self.engine)

    def revision(self) -> tuple[str | None, str | None]:
        """The revision of its tables, and the one that this program needs."""
        return revision(self.engine)

    def check_writable(self) -> None:
        """Refuse to go on with a database that takes no writes."""
        health.check_writable(self.engine)

    def seconds_ahead(self) -> float | None:
        """By how much the database server's clock is ahead of this machine's, where it has one."""
        return health.seconds_ahead(self.engine)

    def upgrade(self) -> bool:
        """Make the tables, or bring them up to date; False if there was nothing to do."""
        self._check_folder()
        return upgrade(self.engine)

    def _check_folder(self) -> None:
        file = sqlite_file(self.engine)
        if file and not file.resolve().parent.is_dir():
            raise LedgerError(f"台账所在的文件夹 {file.resolve().parent} 不存在，请先建立")

    def record(self, entries: Sequence[Entry]) -> Recorded:
        """Enter tagged work orders; sent again, they are brought up to date and count once.

        Impossible ones are refused, with their place among `entries`; the others are recorded.

        Raises:
            LedgerUnavailable: nothing of the current five thousand was recorded; it may be tried again.
        """
        return record(self.engine, self._numbers, entries, self._store_text)

    def note_import(self, done: Import) -> None:
        """Put down that a file was recorded."""
        note_import(self.engine, done)

    def count(self, *questions: Question) -> list[list[Count]]:
        """The answer to each question, all of them as the ledger was at one moment."""
        with reading(self.engine) as connection:
            outdated = rollups.outdated(connection)
        if outdated and self._refreshing.acquire(blocking=False):  # by one thread: an answer needs it not
            try:
                rollups.refresh(self.engine)
            finally:
                self._refreshing.release()
        with reading(self.engine) as connection:
            return [counts.count(connection, question) for question in questions]

    def find(self, work_order_id: str) -> StoredWorkOrder:
        """One work order with its tags and corrections.

        Raises:
            NoWorkOrder: there is none of this id.
        """
        with reading(self.engine) as connection:
            return work_orders.find(connection, work_order_id)

    def page(
        self, wanted: Wanted, after: Cursor | None = None, most: int = 100
    ) -> tuple[list[StoredWorkOrder], Cursor | None]:
        """Some of the work orders that are wanted, the newest first, and where the next ones begin."""
        with reading(self.engine) as connection:
            return work_orders.page(connection, wanted, after, most)

    def correct(
        self, work_order_id: str, given: Mapping[str, Correction], corrected_by: str, reason: str
    ) -> None:
        """Put down what a person says of a work order in place of the model; it is counted so from now on.

        Raises:
            NoWorkOrder: there is none of this id.
        """
        correct(self.engine, self._numbers, work_order_id, given, corrected_by, reason)

    def feed(
        self, after: FeedCursor, most: int, since: datetime | None = None, last: int | None = None
    ) -> list[Event]:
        """At most `most` events after a cursor, in their order; every one that is written comes, and once.

        `since` leaves out what was written before, `last` is the position to stop at.

        Raises:
            InputError: the cursor is of another ledger, or of this one before it was restored.
        """
        place_changes(self.engine)
        with reading(self.engine) as connection:
            if after.position > last_position(connection):
                raise InputError(
                    "游标在台账最新的变动之后：台账可能换过，或从较早的备份恢复过。请不写游标，从头读取"
                )
            return feed.events(connection, after, most, since, last)

    def feed_end(self) -> int:
        """The position of the newest change: a reader that stops there comes to an end."""
        place_changes(self.engine)
        with reading(self.engine) as connection:
            return last_position(connection)

    def bounds(self) -> tuple[date, date] | None:
        """The first and the last day with a work order, None where there is none."""
        with reading(self.engine) as connection:
            return counts.bounds(connection)

    def codes(self, facet: str) -> list[str]:
        """The labels of a facet that some work order has, or had."""
        with reading(self.engine) as connection:
            return known_codes(connection, facet)

    def purge(self, before: date, *, whole: bool = False, dry_run: bool = False) -> int:
        """Take away the texts of work orders received before a day, or those themselves; how many."""
        return upkeep.purge(self.engine, before, whole=whole, dry_run=dry_run)

    def check(self) -> list[str]:
        """What does not agree with itself, in Chinese; nothing, if all is well."""
        return upkeep.check(self.engine)

    def rebuild(self) -> int:
        """Make every roll-up again from the work orders; give the number of days."""
        return upkeep.rebuild(self.engine)

    def facts(self) -> dict[str, Any]:
        """What is in it, in numbers, and the files that were recorded."""
        return {"revision": revision(self.engine)[0], **upkeep.facts(self.engine)}

    def settle(self) -> None:
        """After many were recorded: make the roll-ups, and have the database look at its tables anew."""
        rollups.refresh(self.engine)
        with explained(self.engine), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                    text("VACUUM ANALYZE work_orders, tags")
                )
            else:
                connection.execute(text("PRAGMA optimize"))

    def close(self) -> None:
        """Let go of the connections."""
        self.engine.dispose()
