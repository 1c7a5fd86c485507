"""Bodies that nobody should send: at least 10,000 of them, none of which may bring the service down.

    python benchmarks/fuzz_bodies.py [--cases 10000] [--seed 12345]

A real service on this machine gets bytes that are no UTF-8, halves of characters, NULs, huge numbers, deep
nesting, megabytes in one string, doubled keys, gzip that is broken or inflates without end, and bodies that
fit with a few bytes changed, over all routes that take a body. No answer may be 5xx or missing, none may
repeat what was sent, and the service's memory may not grow.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.served import Served

PLANTED = "我家住在迎宾大道三十号13800138000"
GOOD = {
    "/v1/tags": {"work_orders": [{"work_order_id": "A1", "title": "路灯", "text": f"路灯不亮{PLANTED}"}]},
    "/v1/corrections": {
        "corrections": [{"work_order_id": "A1", "corrected_by": "张三", "labels": {"urgent": "1"}}]
    },
    "/v1/work-orders/A1": {
        "corrected_by": "张三",
        "reason": PLANTED,
        "labels": {"category": "municipal.road"},
    },
    "/v1/session": {"name": "张三", "password": "0123456789"},
    "/v2/models/hotline/infer": {
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [f"路灯不亮{PLANTED}"]}]
    },
}
KINDS = ("application/json", "application/x-ndjson", "text/plain", "application/json; charset=gbk", "")


def body(rng: random.Random, path: str) -> tuple[bytes, dict[str, str]]:
    """Some bytes, and the headers that go with them."""
    good = json.dumps(GOOD[path], ensure_ascii=False).encode()
    makers = (
        lambda: rng.randbytes(rng.randrange(200)),
        lambda: _changed(rng, good),
        lambda: _changed(rng, good),
        lambda: good[: rng.randrange(len(good))],
        lambda: good.replace(
            "路灯".encode(), rng.choice([b"\\ud800", b"\\u0000", b"\x00", b"\xff\xfe", b"\\udc00x"])
        ),
        lambda: good.replace(b'"', rng.choice([b"'", b"", b'""', b'\\"'])),
        lambda: b"[" * rng.randrange(1, 100_000),
        lambda: b'{"work_orders":' * rng.randrange(1, 5_000) + b"1",
        lambda: (
            b'{"work_orders": [{"text": '
            + rng.choice([b"1e999999", b"-0", b"9" * 5000, b"NaN", b"1E400"])
            + b"}]}"
        ),
        lambda: good[:-1] + b"," + good[1:],
        lambda: json.dumps(_nested(rng, 5)).encode(),
        lambda: b"",
    )
    made = makers[rng.randrange(len(makers))]()
    headers = {"Content-Type": rng.choice(KINDS)} if rng.random() < 0.3 else {"Content-Type": KINDS[0]}
    if rng.random() < 0.08:
        packed = gzip.compress(made)
        made = rng.choice([packed, packed[:-5], packed + b"x", made, gzip.compress(bytes(40 << 20))])
        headers["Content-Encoding"] = rng.choice(["gzip", "gzip", "deflate", "GZIP"])
    if rng.random() < 0.1:
        headers["Idempotency-Key"] = rng.choice(
            ["a", "b" * 300, "路".encode().decode("latin-1"), str(rng.random())]
        )
    if rng.random() < 0.002:
        made = b'{"work_orders": [{"text": "' + b"x" * 10_000_000 + b'"}]}'
    return made, headers


def _changed(rng: random.Random, good: bytes) -> bytes:
    made = bytearray(good)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(made))
        action = rng.randrange(3)
        if action == 0:
            made[place] = rng.randrange(256)
        elif action == 1:
            del made[place]
        else:
            made[place:place] = rng.choice(
                [b'"', b"{", b"}", b"[", b"]", b"\\", b":", b",", b"null", b"\x00"]
            )
    return bytes(made)


def _nested(rng: random.Random, depth: int) -> object:
    if depth == 0 or rng.random() < 0.3:
        return rng.choice([None, True, 1, -1.5, "", PLANTED, "\x00", 10**30, [], {}])
    if rng.random() < 0.5:
        return [_nested(rng, depth - 1) for _ in range(rng.randrange(4))]
    keys = ("work_orders", "text", "title", "labels", "inputs", "corrections", "explain", PLANTED)
    return {rng.choice(keys): _nested(rng, depth - 1) for _ in range(rng.randrange(4))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=12345)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - nothing is kept secret
    statuses: Counter[int] = Counter()
    bad, held = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        Served("--database", f"{folder}/hotline.db", HOTLINE_KSERVE="true") as served,
    ):
        process = psutil.Process(served.process.pid)
        connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        for case in range(options.cases):
            path = rng.choice(list(GOOD))
            made, headers = body(rng, path)
            try:
                connection.request("PATCH" if path.endswith("/A1") else "POST", path, made, headers)
                answer = connection.getresponse()
                said = answer.read()
            except (HTTPException, OSError) as error:
                bad.append((case, path, type(error).__name__))
                connection.close()
                continue
            statuses[answer.status] += 1
            if answer.status >= 500 or (answer.status >= 400 and PLANTED.encode() in said):
                bad.append((case, path, answer.status))
            if case % (options.cases // 20) == 0:
                held.append(process.memory_info().rss >> 20)
        alive = served.get("/readyz")[0] == 200
        leaked = PLANTED in served.log.read_text(encoding="utf-8", errors="replace")
    print(f"{options.cases:,} bodies: {dict(sorted(statuses.items()))}")
    print(f"bad: {len(bad)} {bad[:10]}; alive: {alive}; what was sent is in the log: {leaked}")
    print(f"memory in MiB, every twentieth: {held}")
    sys.exit(bool(bad) or not alive or leaked)


if __name__ == "__main__":
    main()
