"""Mixed traffic for half an hour, a model promoted every minute: no error, flat memory, how long it takes.

    python benchmarks/load.py [--minutes 30] [--share 0.7] [--workers 2] [--every 60] [--filled 300000]
                              [--database URL]

The ledger holds `--filled` work orders of yesterday and the day before to begin with, many times a
city's: what counts and shows them has work to do from the first minute on as in the last. First the
capacity is measured with as many requests at once as there are threads; then requests come at their
times, at `--share` of it, however long the answers take. Memory is the processes' proportional set size
(what they share counted once), at the start, at each minute and at the end. The time in the process is
taken from the service's own metrics. The generator runs on the same machine and takes its part of it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.ledger.counts import Question
from api.ledger.ledger import Ledger
from api.periods import SHANGHAI
from api.settings import Settings
from benchmarks.ledger import generated
from benchmarks.traffic import Traffic
from classifier import bundle
from classifier.store import ModelStore, shipped
from tests.served import Served

WARM_UP, MEASURED = 5, 20  # seconds


def main() -> int:
    """Measure, print, and say by the exit code whether all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--share", type=float, default=0.7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--every", type=float, default=60, help="seconds from promotion to promotion")
    parser.add_argument("--filled", type=int, default=300_000, help="work orders in the ledger before")
    parser.add_argument("--database", help="a URL; a SQLite file of its own where none is given")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hotline-load-"))
    try:
        url = given.database or f"sqlite:///{folder / 'hotline.db'}"
        store = versions(folder / "models", 3)
        fill(url, given.filled)
        with Served("--models-dir", store.folder, "--database", url, "--workers", given.workers) as served:
            return measure(served, store, url, given)
    finally:
        shutil.rmtree(folder)


def versions(folder: Path, number: int) -> ModelStore:
    """The default model under several names, the first one promoted."""
    source = shipped()
    assert source is not None
    loaded, card = bundle.load(source), bundle.read_card(source)
    store = ModelStore(folder)
    for place in range(number):
        one = loaded.variant(f"v{place}")
        bundle.save(one, folder / one.version, card, "")
    store.promote("v0")
    return store


def fill(url: str, number: int) -> None:
    """Work orders of yesterday and the day before."""
    ledger = Ledger(Settings(database_url=url))
    ledger.upgrade()
    now = datetime.now(SHANGHAI).date()
    for entries in generated(number, first=now - timedelta(days=2), last=now - timedelta(days=1)):
        assert not ledger.record(entries).refused
    ledger.settle()
    ledger.close()


def measure(served: Served, store: ModelStore, url: str, given: argparse.Namespace) -> int:
    """Capacity, then the long run; the exit code."""
    with Traffic(served.port, given.threads, seed=1) as warming:
        time.sleep(WARM_UP)
        before = sum(warming.outcome.answered.values())
        time.sleep(MEASURED)
        capacity = (sum(warming.outcome.answered.values()) - before) / MEASURED
    print(f"capacity: {capacity:.0f} requests/s with {given.threads} at once, {given.workers} workers")
    rate = capacity * given.share
    before_metrics = served.metrics()
    samples = [memory(served)]
    done = threading.Event()
    promoting = threading.Thread(target=promote, args=(store, given.every, done))
    begin = time.monotonic()
    with Traffic(served.port, given.threads * 2, rate, seed=2) as traffic:
        promoting.start()
        while (left := begin + given.minutes * 60 - time.monotonic()) > 0:
            time.sleep(min(60.0, left))
            samples.append(memory(served))
            found = traffic.outcome
            print(
                f"{(time.monotonic() - begin) / 60:5.1f} min  {sum(found.answered.values()):>8,} answered  "
                f"{sum(found.failed.values())} failed  {samples[-1]:.0f} MB",
                flush=True,
            )
    done.set()
    promoting.join()
    return tell(traffic, warming, rate, samples, (before_metrics, served.metrics()), url, given.filled)


def promote(store: ModelStore, every: float, done: threading.Event) -> None:
    """Promote one version after the other."""
    place = 0
    while not done.wait(every):
        place += 1
        store.promote(f"v{place % 3}")


def memory(served: Served) -> float:
    """Megabytes of all processes of the service."""
    total = 0
    for process in {served.process.pid, *served.workers()}:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        total += int(found[1]) if found else 0
    return total / 1024


def tell(traffic, warming, rate, samples, metrics, url, filled) -> int:  # type: ignore[no-untyped-def]
    """Print what came out, and say whether all held."""
    found = traffic.outcome
    print(f"\nsent at {rate:.0f} requests/s; answered by kind, milliseconds as the client saw them")
    print(f"{'kind':<8} {'answered':>9} {'p50':>8} {'p99':>8} {'most':>8}")
    for kind, number in found.answered.most_common():
        times = sorted(seconds * 1000 for name, seconds in found.seconds if name == kind)
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
        print(f"{kind:<8} {number:>9,} {p50:>8.1f} {p99:>8.1f} {times[-1]:>8.1f}")
    for route in ("/v1/tags", "/v1/volumes", "/v1/work-orders"):
        print(f"in the process, {route}: p99 under {p99_of(route, *metrics):.0f} ms (bucket's upper bound)")
    print(f"in the model: p99 under {p99_of('', *metrics, name='hotline_tagging_seconds'):.0f} ms")
    late = sorted(found.late)
    print(f"sent late by: p99 {late[int(len(late) * 0.99)] * 1000:.0f} ms")
    print(f"versions: {dict(found.versions)}; answers from more than one: {found.mixed}")
    print(f"memory MB: {' '.join(f'{one:.0f}' for one in samples)}")
    print(f"failed: {dict(found.failed) or 'none'}")
    print(f"failed while measuring capacity: {dict(warming.outcome.failed) or 'none'}")
    ledger = Ledger(Settings(database_url=url)).open()
    acknowledged = set(found.acknowledged) | set(warming.outcome.acknowledged)
    ((whole,),) = ledger.count(Question(date(2000, 1, 1), date(2099, 1, 1)))
    held = whole.volume - filled
    ledger.close()
    print(f"acknowledged {len(acknowledged):,}, in the ledger {held:,} more than before")
    fine = not found.failed and not found.mixed and not found.unrecorded and held == len(acknowledged)
    print("all held" if fine else "NOT all held")
    return 0 if fine else 1


def p99_of(
    route: str, before: dict[str, float], after: dict[str, float], name: str = "hotline_request_seconds"
) -> float:
    """The upper bound, in milliseconds, of the bucket in which the 99th of a hundred requests lies."""
    counts: dict[float, float] = {}
    for sample, value in after.items():
        if not sample.startswith(f"{name}_bucket") or (route and f'route="{route}"' not in sample):
            continue
        bound = float(sample.split('le="')[1].split('"')[0])
        counts[bound] = counts.get(bound, 0) + value - before.get(sample, 0)
    whole = max(counts.values(), default=0)
    return 1000 * min((bound for bound, number in counts.items() if number >= 0.99 * whole), default=0)


if __name__ == "__main__":
    sys.exit(main())
