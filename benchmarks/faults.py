"""Faults under load: what the service does, and that nothing acknowledged is lost.

    python benchmarks/faults.py [--only kill postgresql disk clock model] [--rate 40]

Mixed traffic (traffic.py) goes to a real service of two workers while one thing after another breaks:

- kill: a worker is killed, several times;
- postgresql: the database is stopped, killed and started again;
- disk: the file system of the ledger and of the jobs, a small tmpfs, runs full and has room again;
- clock: the service's clock is put forward by two days, back by two, and right again;
- model: files of the promoted model are damaged, and a damaged version is promoted.

What is expected stands beside what was found; the exit code tells whether all of it held. A scenario whose
means are not there (the right to mount, libfaketime, PostgreSQL) is skipped, and said to be.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.ledger.ledger import Ledger
from api.settings import Settings
from benchmarks.scene import (
    WORKERS,
    Found,
    Scene,
    answers_again,
    feed,
    only_503,
    send_file,
    tag,
    until,
)
from tests.postgres import NoServer, PostgreSQL

FAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")
CUT = (  # how a connection ends whose other end has gone
    "RemoteDisconnected",
    "ConnectionResetError",
    "BrokenPipeError",
    "ConnectionRefusedError",
    "IncompleteRead",
)


class Skipped(Exception):
    """A scenario cannot be played here; the text says why."""


def killed(scene: Scene) -> Found:
    """Workers are killed."""
    with scene.served() as (served, traffic):
        for _ in range(3):
            victim = served.workers()[0]
            os.kill(victim, signal.SIGKILL)
            back = until(lambda v=victim: v not in served.workers() and len(served.workers()) == WORKERS)  # type: ignore[misc]
            yield f"worker {victim} killed: another one takes its place", back
            time.sleep(2)
        yield from answers_again(traffic)
    broken = {what: number for what, number in traffic.outcome.failed.items() if not what.endswith(CUT)}
    yield f"only requests in flight broke: {dict(traffic.outcome.failed)}", not broken
    yield from scene.kept(traffic)


CUT = (
    "RemoteDisconnected",
    "ConnectionResetError",
    "BrokenPipeError",
    "ConnectionRefusedError",
    "IncompleteRead",
)


def postgresql(scene: Scene) -> Found:
    """The database is stopped, and killed, and started again."""
    try:
        server = PostgreSQL()
        server.start()
    except NoServer as reason:
        raise Skipped(f"PostgreSQL does not run here: {reason}") from reason
    try:
        scene.url = server.new_database("faults")
        ledger = Ledger(Settings(database_url=scene.url))
        ledger.upgrade()
        ledger.close()
        with scene.served() as (served, traffic):
            for how in (signal.SIGINT, signal.SIGQUIT):
                server.stop(how)
                status, said, headers = tag(served)
                title = said.get("title")
                yield f"{how.name}: {status} {title}", status == 503 and "retry-after" in headers
                yield f"{how.name}: /livez stays 200", served.get("/livez")[0] == 200
                yield f"{how.name}: /readyz is 503", served.get("/readyz")[0] == 503
                time.sleep(3)
                server.start()
                yield "started: it records again by itself", until(lambda: tag(served)[0] == 200)
            yield from answers_again(traffic)
        yield from only_503(traffic)
        yield from scene.kept(traffic)
    finally:
        server.remove()


def disk_full(scene: Scene) -> Found:
    """The disk runs full and has room again."""
    mounted = scene.folder / "small"
    mounted.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(mounted)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        raise Skipped("no right to mount a tmpfs")
    try:
        scene.url = f"sqlite:///{mounted / 'hotline.db'}"
        with scene.served(HOTLINE_JOBS_DIR=str(mounted / "jobs")) as (served, traffic):
            filler = mounted / "filler"
            fill(filler)
            full = until(lambda: tag(served)[0] == 503)
            status, said, _ = tag(served)
            yield (
                f"full: {status} {said.get('title')}: {said.get('detail')}",
                full and "磁盘" in said.get("detail", ""),
            )
            yield (
                "full: /livez stays 200",
                served.get("/livez")[0] == 200,
            )
            status, said, _ = send_file(served, b"text\n" + b"x" * 1_000_000)
            left = list((mounted / "jobs").rglob("in.*"))
            yield f"full: a file is refused, {status} {said.get('detail')}", status in (503, 507)
            yield f"full: no half of it stays ({len(left)} files)", not left
            time.sleep(3)
            filler.unlink()
            yield "room again: it records by itself", until(lambda: tag(served)[0] == 200)
            yield from answers_again(traffic)
        yield from only_503(traffic)
        yield from scene.kept(traffic)
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=False)


def clock_moved(scene: Scene) -> Found:
    """The service's clock goes wrong."""
    folders = [Path(one) for one in FAKETIME]
    library = next(
        (one / "libfaketimeMT.so.1" for one in folders if (one / "libfaketimeMT.so.1").exists()), None
    )
    if library is None:
        raise Skipped("libfaketime is not installed")
    offset = scene.folder / "offset"
    offset.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    with scene.served(**faked) as (served, traffic):
        cursor, first = feed(served, None)
        offset.write_text("+2d\n")
        time.sleep(4)
        status, said, _ = tag(served)
        yield f"two days ahead: an order of now is taken, {status}", status == 200
        offset.write_text("-2d\n")
        time.sleep(4)
        status, said, _ = tag(served)
        order = said["results"][0]
        told = order.get("record_error") or order.get("warnings")
        yield f"two days behind: an order of now is tagged, not recorded: {told}", not order["recorded"]
        status, said, _ = tag(served, received=False)
        yield f"two days behind: one without a time is taken, {status}", status == 200
        offset.write_text("+0\n")
        yield "right again: it is taken", until(lambda: tag(served)[0] == 200)
        yield from answers_again(traffic)
        negative = {name for name, value in served.metrics().items() if value < 0}
        yield f"no metric is negative: {negative or 'none'}", not negative
        acknowledged, told = set(traffic.outcome.acknowledged), [*first]

        def all_told() -> bool:
            nonlocal cursor
            cursor, later = feed(served, cursor)
            told.extend(later)
            return acknowledged <= set(told)

        yield f"feed: all {len(acknowledged):,} acknowledged are told", until(all_told)
        again = len(told) - len(set(told))
        yield f"feed: told twice: {again}", not again
    yield f"no request failed: {dict(traffic.outcome.failed)}", not traffic.outcome.failed
    yield (
        f"orders from the future, told as not recorded: {traffic.outcome.unrecorded}",
        bool(traffic.outcome.unrecorded),
    )
    yield from scene.kept(traffic)


def model_damaged(scene: Scene) -> Found:
    """The folder of models is damaged."""
    with scene.served() as (served, traffic):
        arrays = scene.store.path("v0") / "arrays.npz"
        arrays.write_bytes(arrays.read_bytes()[:1000])
        time.sleep(3)
        status, said = served.get("/readyz")
        yield (
            f"arrays cut off: the loaded model answers, /readyz {status}",
            status == 200 and tag(served)[0] == 200,
        )
        broken = scene.store.path("v1")
        (broken / "arrays.npz").write_bytes(b"")
        pointer = scene.store.folder / "current"
        before = pointer.read_text()
        pointer.write_text(before.replace('"v0"', '"v1"'))
        time.sleep(4)
        status, said = served.get("/readyz")
        warning = json.loads(said).get("warning", "")
        yield (
            f"a damaged version is promoted: {status}, warning {warning[:60]}",
            status == 200 and bool(warning),
        )
        yield (
            "a damaged version is promoted: the old one answers",
            tag(served)[1]["results"][0]["model_version"] == "v0",
        )
        pointer.unlink()
        time.sleep(4)
        yield "nothing is promoted any more: the old one answers", tag(served)[0] == 200
        pointer.write_text(before)
        yield from answers_again(traffic)
    yield f"no request failed: {dict(traffic.outcome.failed)}", not traffic.outcome.failed
    yield from scene.kept(traffic)
    again = subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", "serve", "--models-dir",
         str(scene.store.folder), "--database", scene.url],
        capture_output=True, check=False, timeout=60, text=True,
    )  # fmt: skip
    told = again.stderr.strip().splitlines()[-1][:90] if again.stderr.strip() else ""
    yield (
        f"started anew it refuses: exit {again.returncode}, {told}",
        again.returncode not in (0, None) and bool(told),
    )


SCENARIOS: dict[str, Callable[[Scene], Found]] = {
    "kill": killed,
    "postgresql": postgresql,
    "disk": disk_full,
    "clock": clock_moved,
    "model": model_damaged,
}


def fill(path: Path) -> None:
    """Take all room that a file system has."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def main() -> int:
    """Play the scenarios, print what was found, and say by the exit code whether all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--rate", type=float, default=40, help="requests a second")
    given = parser.parse_args()
    fine = True
    for name in given.only:
        folder = Path(tempfile.mkdtemp(prefix=f"hotline-{name}-"))
        print(f"\n{name}: {SCENARIOS[name].__doc__}", flush=True)
        try:
            for found, held in SCENARIOS[name](Scene(folder, given.rate)):
                print(f"  {'✓' if held else '✗'} {found}", flush=True)
                fine = fine and held
        except Skipped as reason:
            print(f"  skipped: {reason}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print("\nall held" if fine else "\nNOT all held")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
