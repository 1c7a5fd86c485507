"""Two million work orders over three years: how fast they are recorded, and how fast counted.

    python benchmarks/ledger.py [--rows 2000000] [--engine sqlite postgresql] [--repeat 5]

The work orders are generated: categories after Zipf's law over the taxonomy, scope, request type and unit
by category and district, districts by size, more on weekdays and in summer, more every year. Each query is
timed several times; shown are the median and the best, for the machine may have other work, and the best's
ratio to the best of a bare `SELECT count(*)` on the same rows. `busy` is the least processor time of this
process: of SQLite that is all there is, and what other programs on the machine do hardly changes it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.ledger.entry import Entry, Given
from api.ledger.ledger import Ledger
from api.memory import collect_less
from api.periods import SHANGHAI, periods
from api.settings import Settings
from api.volumes import Asked, volumes
from classifier.taxonomy import Taxonomy
from tests.postgres import NoServer, PostgreSQL

FIRST, LAST = date(2023, 1, 1), date(2025, 12, 31)
AT_ONCE = 20_000
DISTRICTS = {
    "蓬江区": 24,
    "江海区": 9,
    "新会区": 20,
    "台山市": 16,
    "开平市": 13,
    "鹤山市": 9,
    "恩平市": 6,
    "": 3,
}
CHANNELS = {"12345电话": 62, "微信小程序": 18, "粤省事": 11, "网站": 5, "市长信箱": 3, "其他": 1}
TYPES = {"complaint": 38, "help": 27, "consult": 22, "suggestion": 7, "report": 5, "praise": 1}


def generated(rows: int, seed: int = 12345, first: date = FIRST, last: date = LAST) -> Iterator[list[Entry]]:
    """Work orders from the first to the last day, in order of time, `AT_ONCE` at a time."""
    rng = np.random.default_rng(seed)
    facet = Taxonomy.load().facets["category"]
    departments = Taxonomy.load().departments
    labels = [facet.labels[place] for place in rng.permutation(len(facet.labels))]
    weights = 1 / np.arange(1, len(labels) + 1) ** 0.9
    private = rng.beta(0.8, 1.0, len(labels))  # share of private requests, by category
    mixes = rng.dirichlet(np.array(list(TYPES.values())) / 12, len(labels))
    days = _days(rng, rows, first, last)
    for start in range(0, rows, AT_ONCE):
        size = min(AT_ONCE, rows - start)
        chosen = rng.choice(len(labels), size, p=weights / weights.sum())
        kinds = (rng.random((size, 1)) > mixes[chosen].cumsum(axis=1)).sum(axis=1).clip(0, len(TYPES) - 1)
        is_private = rng.random(size) < private[chosen]
        disputes = rng.random(size) < 0.35
        districts, channels = _drawn(rng, DISTRICTS, size), _drawn(rng, CHANNELS, size)
        urgent, sure = rng.random(size) < 0.016, rng.random(size).round(4)
        yield [
            Entry(
                f"GD{start + row:09}",
                datetime.combine(days[start + row], datetime.min.time(), SHANGHAI)
                + timedelta(seconds=int(sure[row] * 86_399)),
                {
                    "category": Given(labels[chosen[row]].code, sure[row], labels[chosen[row]].first),
                    "scope_detail": _scope(is_private[row], disputes[row], sure[row]),
                    "request_type": Given(list(TYPES)[kinds[row]], sure[row]),
                    "urgent": Given(str(int(urgent[row])), sure[row]),
                },
                "auto" if sure[row] > 0.45 else "review",
                "default",
                "2026.1",
                district=districts[row],
                channel=channels[row],
                department=districts[row] + departments[labels[chosen[row]].first],
            )
            for row in range(size)
        ]


def _days(rng: np.random.Generator, rows: int, first: date, last: date) -> list[date]:
    """The day of each work order, ascending."""
    days = [period.start for period in periods(first, last + timedelta(days=1), "day")]
    weights = np.array(
        [
            (1 + 0.12 * (day.year - first.year))
            * (0.6 if day.weekday() >= 5 else 1)
            * (1 + 0.2 * np.cos((day.timetuple().tm_yday - 200) / 58))
            for day in days
        ]
    )
    return [days[place] for place in np.sort(rng.choice(len(days), rows, p=weights / weights.sum()))]


def _drawn(rng: np.random.Generator, shares: dict[str, int], size: int) -> list[str]:
    weights = np.array(list(shares.values()))
    return [list(shares)[place] for place in rng.choice(len(shares), size, p=weights / weights.sum())]


def _scope(private: bool, dispute: bool, sure: float) -> Given:
    if not private:
        return Given("public", sure, "public")
    return Given("private_dispute" if dispute else "private_affair", sure, "private")


def asked() -> Iterator[tuple[str, Asked]]:
    """The questions that are timed, as the command line would put them."""
    facets = ("category", "first", "scope", "scope_detail", "request_type", "urgent", "district", "channel")
    for facet in (*facets, "department"):
        yield f"--facet {facet}", Asked(facet)
    for by in ("day", "week", "month", "quarter", "year"):
        yield f"--facet category --by {by}", Asked("category", by=by)  # type: ignore[arg-type]
    yield "--by year", Asked(by="year")
    yield "--facet department --by month", Asked("department", by="month")
    year = {"since": date(2025, 1, 1), "last": date(2025, 12, 31)}
    yield (
        "--facet category --since 2025 --until 2025 --compare year",
        Asked("category", compare="year", **year),
    )
    yield (
        "--facet category --by month --since 2025 --until 2025 --compare year",
        Asked("category", by="month", compare="year", **year),
    )
    yield "--facet first --by month --compare period", Asked("first", by="month", compare="period")
    yield "--facet category --top 10", Asked("category", top=10)
    yield "--facet category --private-share", Asked("category", private=True)
    yield "--facet category --cross district", Asked("category", "district")
    yield "--facet category --cross department", Asked("category", "department")
    yield "--facet category --cross district --by month", Asked("category", "district", by="month")
    yield "--facet category --where district=蓬江区", Asked("category", where={"district": ("蓬江区",)})
    for where in (
        {"district": ("蓬江区",), "channel": ("12345电话",)},
        {"channel": ("12345电话",), "urgent": ("0",)},
        {"scope": ("private",), "channel": ("12345电话",), "request_type": ("complaint", "help")},
    ):
        said = " ".join(f"--where {facet}={'|'.join(codes)}" for facet, codes in where.items())
        yield f"--facet category {said}", Asked("category", where=where)
        yield f"--facet category --by month {said}", Asked("category", by="month", where=where)
    where = {"channel": ("12345电话",)}
    yield (
        "--facet category --cross district --where channel=12345电话",
        Asked("category", "district", where=where),
    )
    yield (
        "--facet first --by year --where first=环境保护|违章建筑|交通管理|城市规划",
        Asked(
            "first",
            by="year",
            where={"first": ("environment", "illegal_construction", "traffic", "planning")},
        ),
    )


def recorded(ledger: Ledger, rows: int) -> None:
    """Record the work orders, and print the rate."""
    spent, busy, done = 0.0, 0.0, 0
    for entries in generated(rows):
        started, idle = time.perf_counter(), time.process_time()
        done += ledger.record(entries).recorded
        spent += time.perf_counter() - started
        busy += time.process_time() - idle
    started = time.perf_counter()
    ledger.settle()
    settled = time.perf_counter() - started
    print(f"recorded {done:,} at {done / spent:,.0f}/s ({done / busy:,.0f} for a second of this process's "
          f"processor time); roll-ups of all days {settled:.1f} s, with them "
          f"{done / (spent + settled):,.0f}/s")  # fmt: skip


def timed(ledger: Ledger, repeat: int) -> None:
    """Print each query's median time and its ratio to a bare count."""
    usual, bare, busy = _timed(lambda: _bare_count(ledger), repeat)
    print(f"{'milliseconds':90}  median    best    busy   ratio")
    print(f"{'bare count of the work orders':90} {usual * 1000:7.0f} {bare * 1000:7.0f} {busy * 1000:7.0f}")
    for said, question in asked():
        usual, best, busy = _timed(lambda question=question: volumes(ledger, question), repeat)  # type: ignore[misc]
        shown = " ".join(f"{seconds * 1000:7.0f}" for seconds in (usual, best, busy))
        print(f"{said:90} {shown} {best / bare:7.1f}")


def _bare_count(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM work_orders")).scalar_one()


def _timed(work: Any, repeat: int) -> tuple[float, float, float]:
    """The median and the least of several times, and the least processor time, in seconds."""
    found, busy = [], []
    for _ in range(repeat):
        started, idle = time.perf_counter(), time.process_time()
        work()
        found.append(time.perf_counter() - started)
        busy.append(time.process_time() - idle)
    return statistics.median(found), min(found), min(busy)


def main() -> None:
    """Measure the engines that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--engine", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--database", help="a ledger that stays, and is not recorded again where it is full")
    options = parser.parse_args()
    collect_less()  # as the command and the service do
    for engine in options.engine:
        print(f"\n{engine}")
        if engine == "sqlite":
            with tempfile.TemporaryDirectory() as folder:
                path = options.database or f"{folder}/hotline.db"
                _measure(Ledger(Settings(database_url=f"sqlite:///{path}", store_text="none")), options)
        else:
            _on_postgresql(options)


def _on_postgresql(options: argparse.Namespace) -> None:
    try:
        server = PostgreSQL()
    except NoServer as error:
        sys.exit(f"no PostgreSQL: {error}")
    try:
        server.start()
        _measure(Ledger(Settings(database_url=server.new_database("ledger"), store_text="none")), options)
    finally:
        server.remove()


def _measure(ledger: Ledger, options: argparse.Namespace) -> None:
    ledger.upgrade()
    if ledger.bounds() is None:
        recorded(ledger, options.rows)
    timed(ledger, options.repeat)
    ledger.close()


if __name__ == "__main__":
    main()
