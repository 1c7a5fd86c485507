"""A tag over HTTP against an empty endpoint of the same service, at sixteen connections.

    python benchmarks/over_http.py [--seconds 5] [--rounds 3]

One server process, `hotline serve`'s application with two endpoints more that answer nothing, a plain
function and an async one; the client is another process on the same machine, which sends the next request
of a connection when the answer to the last has come. Turn by turn: the empty endpoints, `POST /v1/tags`
with one text where nothing is recorded, and where each work order is recorded in a SQLite ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import Figure, printed
from benchmarks.material import requests

CONNECTIONS = 16
SERVER = """
import sys, uvicorn
from fastapi import Request
from api.commands.serve import served_app
app = served_app()
@app.post("/empty")
def empty() -> dict[str, str]:
    return {"status": "ok"}
@app.post("/empty-async")
async def empty_async() -> dict[str, str]:
    return {"status": "ok"}
app.router.routes[:0] = [app.router.routes.pop(), app.router.routes.pop()]
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def measured(seconds: float, rounds: int) -> dict[str, float]:
    """Requests a second, the median of the rounds, by what was asked."""
    texts = [text for _, text in requests(1000, 130)]
    with (
        tempfile.TemporaryDirectory() as folder,
        served(folder, record=False) as plain,
        served(folder, record=True) as recording,
    ):
        turns = {
            "空接口": (plain, "/empty"),
            "空接口（async）": (plain, "/empty-async"),
            "一条文本": (plain, "/v1/tags"),
            "一条文本，记入台账": (recording, "/v1/tags"),
        }
        found: dict[str, list[float]] = {name: [] for name in turns}
        for _ in range(rounds + 1):
            for name, (port, path) in turns.items():
                found[name].append(asyncio.run(load(port, path, texts, seconds)))
    return {name: statistics.median(rates[1:]) for name, rates in found.items()}  # the first warms up


@contextmanager
def served(folder: str, *, record: bool) -> Iterator[int]:
    """A server in a process of its own; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "HOTLINE_RECORD": str(record).lower(),
        "HOTLINE_DATABASE_URL": f"sqlite:///{folder}/hotline.db",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    command = [sys.executable, "-c", SERVER, str(port)]
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }  # its log, which is written all the same
    server = subprocess.Popen(command, env=environment, **quiet)
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if server.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.1)
    sys.exit("the server does not answer")


async def load(port: int, path: str, texts: list[str], seconds: float) -> float:
    """Ask over all connections for so long; requests answered a second."""
    bodies = [json.dumps({"work_orders": [{"text": text}]}, ensure_ascii=False).encode() for text in texts]
    asked = [
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        for body in bodies
    ]
    end = time.perf_counter() + seconds
    start = time.perf_counter()
    counts = await asyncio.gather(*(_ask(port, asked[i::CONNECTIONS], end) for i in range(CONNECTIONS)))
    return sum(counts) / (time.perf_counter() - start)


async def _ask(port: int, asked: list[bytes], end: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while time.perf_counter() < end:
        writer.write(asked[done % len(asked)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            sys.exit(f"an answer was {head[:40]!r}")
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        done += 1
    writer.close()
    return done


def figures(seconds: float, rounds: int) -> Iterator[Figure]:
    """The rates at sixteen connections, and their ratios to an empty endpoint's."""
    rates = measured(seconds, rounds)
    for name, rate in rates.items():
        yield Figure(f"{name}，{CONNECTIONS} 个连接", f"{rate:,.0f} 次/秒")
    one, recorded = rates["一条文本"], rates["一条文本，记入台账"]
    yield Figure("一条文本对空接口", f"{one / rates['空接口']:.0%}", "60%")
    yield Figure("一条文本对 async 空接口", f"{one / rates['空接口（async）']:.0%}")
    yield Figure("一条文本并记入 SQLite 台账，对空接口", f"{recorded / rates['空接口']:.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    list(printed(figures(options.seconds, options.rounds)))


if __name__ == "__main__":
    main()
