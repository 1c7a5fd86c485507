"""The feed: how fast work orders are recorded with it, how fast it is read, what an empty question costs.

    python benchmarks/feed.py [--rows 200000] [--engine sqlite postgresql]

Recorded are the generated work orders of `benchmarks/ledger.py`, in bulk and then a few one by one; read is
the whole feed from the beginning, in pages, without and with making the lines that HTTP sends.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.feed_schemas import EventOut
from api.label_names import LabelNames
from api.ledger.feed import START, Event
from api.ledger.ledger import Ledger
from api.settings import Settings
from benchmarks.ledger import generated
from classifier.taxonomy import Taxonomy
from tests.postgres import PostgreSQL

ALONE = 500  # work orders recorded one by one
PAGES = (1_000, 5_000)
POLLS = 100


def measure(engine: str, url: str, rows: int) -> None:
    """Print a line for each figure."""
    ledger = Ledger(Settings(database_url=url))
    ledger.upgrade()
    for what in ("new", "again"):
        began = time.perf_counter()
        busy = sum(_timed(lambda some=entries: ledger.record(some)) for entries in generated(rows))
        print(f"{engine}: recorded {what} {rows / busy:,.0f}/s ({time.perf_counter() - began:.0f} s)")
    alone = [entry for entries in generated(rows) for entry in islice(entries, ALONE)][:ALONE]
    times = [_timed(lambda one=entry: ledger.record([one])) for entry in alone]
    print(f"{engine}: one by one {statistics.median(times) * 1000:.1f} ms")
    names = LabelNames(Taxonomy.load())
    after = START
    for most in PAGES:
        after, pages, lines, count = START, [], 0.0, 0
        while True:
            began = time.perf_counter()
            events = ledger.feed(after, most)
            pages.append(time.perf_counter() - began)
            if not events:
                break
            count += len(events)
            after = events[-1].cursor
            lines += _timed(lambda some=events: _written(some, names))
        assert count == rows, "every work order once"
        print(
            f"{engine}: pages of {most}: {count / sum(pages):,.0f}/s, with lines "
            f"{count / (sum(pages) + lines):,.0f}/s; a page {statistics.median(pages) * 1000:.0f} ms, "
            f"the slowest {max(pages) * 1000:.0f} ms"
        )
    polls = [_timed(lambda: ledger.feed(after, 1_000)) for _ in range(POLLS)]
    print(f"{engine}: nothing new {statistics.median(polls) * 1000:.1f} ms")
    ledger.close()


def _timed(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began


def _written(events: list[Event], names: LabelNames) -> str:
    return "".join(EventOut.of(event, names).line() for event in events)


def main() -> None:
    """Measure each engine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--engine", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    for engine in asked.engine:
        if engine == "sqlite":
            with tempfile.TemporaryDirectory() as folder:
                measure(engine, f"sqlite:///{folder}/feed.db", asked.rows)
            continue
        server = PostgreSQL()
        try:
            server.start()
            measure(engine, server.new_database("feed"), asked.rows)
        finally:
            server.remove()


if __name__ == "__main__":
    main()
