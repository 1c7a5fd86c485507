"""Files that nobody should send: at least 10,000 of them, through what a job does with a file.

    python benchmarks/fuzz_files.py [--cases 10000] [--over-http 200] [--seed 12345]

Workbooks, old workbooks, csv and parquet with bytes changed, cut off, lengthened, exchanged, with formulas,
entities, absurd sizes, other suffixes and names that are paths. Each is checked, read and tagged by a
process of its own kind, as in a job; some go to a real service over HTTP. Only our own errors may come of
it: no other one, no crash, no 5xx; and the memory of the processes may not grow.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import sys
import tempfile
import time
import uuid
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from http.client import HTTPConnection
from pathlib import Path

import pandas as pd
import psutil
import xlwt

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.jobs.files import SOURCES, check_source
from classifier.batch import Job, tag_file
from classifier.errors import HotlineError
from classifier.store import shipped
from tests.served import Served

MEMORY = 3 << 30  # bytes that a worker may take
ROWS = [
    ("工单编号", "受理时间", "诉求内容"),
    *((f"A{number}", "2025-07-01 09:00", f"迎宾大道{number}号路灯不亮") for number in range(4)),
    ("=1+1", '=HYPERLINK("http://a")', "@SUM(A1) 小区停水"),
]
NAMES = ("工单", "../../etc/passwd", "a\x00b", "长" * 300, "con", "C:\\x\\y", "<script>", "")


@cache
def good() -> dict[str, bytes]:
    """A sound file of each format."""
    table = pd.DataFrame(ROWS[1:], columns=list(ROWS[0]))
    workbook, parquet, old = io.BytesIO(), io.BytesIO(), io.BytesIO()
    table.to_excel(workbook, index=False)
    table.to_parquet(parquet)
    book = xlwt.Workbook()
    sheet = book.add_sheet("工单")
    for place, row in enumerate(ROWS):
        for column, cell in enumerate(row):
            sheet.write(place, column, cell)
    book.save(old)
    return {
        ".xlsx": workbook.getvalue(),
        ".parquet": parquet.getvalue(),
        ".xls": old.getvalue(),
        ".csv": table.to_csv(index=False).encode("utf-8-sig"),
    }


def made(rng: random.Random) -> tuple[str, bytes]:
    """A suffix and some bytes."""
    suffix = rng.choice(list(good()))
    content = bytearray(good()[suffix])
    action = rng.randrange(9)
    if action == 0:
        content = content[: rng.randrange(len(content))]
    elif action == 1 and suffix == ".xlsx":
        content = bytearray(_within(rng))
    elif action == 2:
        content += rng.randbytes(rng.randrange(2000))
    elif action == 3:
        start = rng.randrange(len(content))
        content[start : start + rng.randrange(200)] = rng.randbytes(rng.randrange(200))
    elif action == 4:
        content = bytearray(rng.randbytes(rng.randrange(5000)))
    elif action == 5:  # numbers that say how much there is
        start = rng.randrange(max(1, len(content) - 8))
        content[start : start + 4] = rng.choice([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4)])
    else:
        for _ in range(rng.randrange(1, 20)):
            content[rng.randrange(len(content))] = rng.randrange(256)
    return (rng.choice(SOURCES) if rng.random() < 0.1 else suffix), bytes(content)


def _within(rng: random.Random) -> bytes:
    """A workbook one of whose parts is changed, and packed again."""
    content = io.BytesIO()
    tricks = (
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><worksheet>&b;</worksheet>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "'
        + b"y" * 1000
        + b'"><!ENTITY z "&x;&x;&x;&x;">]><sst>&z;</sst>',
        b"<worksheet>" + b"<row>" * 5000,
        b"",
    )
    with (
        zipfile.ZipFile(io.BytesIO(good()[".xlsx"])) as before,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        parts = before.namelist()
        chosen = rng.choice(parts)
        for name in parts:
            part = bytearray(before.read(name))
            if name == chosen:
                if rng.random() < 0.5:
                    part = bytearray(rng.choice(tricks))
                else:
                    for _ in range(rng.randrange(1, 10)):
                        part[rng.randrange(len(part))] = rng.randrange(256)
            after.writestr(name, bytes(part))
        if rng.random() < 0.1:
            after.writestr("../../evil.txt", b"x")
    return content.getvalue()


def start_worker() -> None:
    """Bound the memory of a worker, as a job's process is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def one(seed: int) -> tuple[str, int]:
    """What becomes of one file, and how much memory the worker holds, in MiB."""
    suffix, content = made(random.Random(seed))  # noqa: S311 - nothing is kept secret
    model = shipped()
    assert model is not None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"in{suffix}"
        source.write_bytes(content)
        try:
            check_source(source)
            report = tag_file(Job(source, Path(folder) / "out.csv", model))
            told = "tagged in part" if report.decisions["error"] else "tagged"
        except HotlineError:
            told = "refused"
        except MemoryError:
            told = "refused: memory"
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            told = f"BAD {type(error).__name__} seed {seed}"
    return told, psutil.Process().memory_info().rss >> 20


def over_http(cases: int, seed: int) -> tuple[Counter[int], Counter[str], bool]:
    """Statuses, ends of the jobs, and whether the service is alive."""
    rng = random.Random(seed)  # noqa: S311
    statuses: Counter[int] = Counter()
    states: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"HOTLINE_JOBS_DIR": f"{folder}/jobs"}
        with Served("--database", f"{folder}/hotline.db", **environment) as served:
            connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
            links = []
            for _ in range(cases):
                suffix, content = made(rng)
                name = rng.choice(NAMES) + (
                    suffix if rng.random() < 0.9 else rng.choice((".exe", "", ".zip"))
                )
                boundary = uuid.uuid4().hex
                head = (
                    f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
                )
                body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
                kind = f"multipart/form-data; boundary={boundary if rng.random() < 0.97 else 'x'}"
                connection.request("POST", "/v1/jobs", body, {"Content-Type": kind})
                answer = connection.getresponse()
                said = answer.read()
                statuses[answer.status] += 1
                if answer.status == 202:
                    links.append(json.loads(said)["links"]["self"])
            for link in links:
                states[_end(served, link)] += 1
            alive = served.get("/readyz")[0] == 200
    return statuses, states, alive


def _end(served: Served, link: str) -> str:
    for _ in range(6000):
        state = str(json.loads(served.get(link)[1])["state"])
        if state not in ("queued", "running"):
            return state
        time.sleep(0.05)
    return "never"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--over-http", type=int, default=200)
    parser.add_argument("--seed", type=int, default=12345)
    options = parser.parse_args()
    told: Counter[str] = Counter()
    held, crashes = [], 0
    seeds = list(range(options.seed, options.seed + options.cases))
    while seeds:
        done = 0
        try:
            with ProcessPoolExecutor(2, initializer=start_worker) as pool:
                for what, memory in pool.map(one, seeds, chunksize=20):
                    told[what] += 1
                    done += 1
                    if len(held) < 20 and done % max(1, options.cases // 20) == 0:
                        held.append(memory)
        except BrokenProcessPool:
            crashes += 1
            print(f"a worker crashed near seed {seeds[done]}")
            done += 20
        seeds = seeds[done:]
    print(f"{options.cases:,} files: {dict(told)}; crashed workers: {crashes}")
    print(f"memory of a worker in MiB, every twentieth: {held}")
    statuses, states, alive = over_http(options.over_http, options.seed)
    print(f"over HTTP: {dict(statuses)}, jobs: {dict(states)}; alive: {alive}")
    bad = [what for what in told if what.startswith("BAD")]
    worst = max(statuses, default=0)
    sys.exit(bool(bad) or crashes > 0 or worst >= 500 or not alive or "never" in states)


if __name__ == "__main__":
    main()
