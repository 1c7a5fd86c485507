"""Mixed traffic against a service of this machine, and what became of it.

Of ten requests seven are a single work order, one half a batch of a hundred, and the rest ask for volumes,
for a page of work orders, or for one of them. Work orders are of the last two days. The texts are the
invented ones that ship with the project.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from api.periods import SHANGHAI

TEXTS = Path(__file__).parent.parent / "examples" / "invented_orders.csv"
SECONDS = 60  # of patience
MIX = {"single": 70, "batch": 5, "volumes": 10, "page": 10, "one": 5}  # of a hundred requests


@dataclass
class Outcome:
    """What became of the requests; each thread adds to the same."""

    answered: Counter[str] = field(default_factory=Counter)  # by kind
    failed: Counter[str] = field(default_factory=Counter)  # by kind and status, or the kind of error
    seconds: list[tuple[str, float]] = field(default_factory=list)
    late: list[float] = field(default_factory=list)  # how long after its time a request was sent
    acknowledged: list[str] = field(default_factory=list)  # ids that were answered as recorded
    unrecorded: int = 0  # work orders that were tagged, but answered as not recorded
    versions: Counter[str] = field(default_factory=Counter)
    mixed: int = 0  # answers from more than one version of the model


class Traffic:
    """Threads that send requests: as fast as they are answered, or at a rate (requests a second)."""

    def __init__(self, port: int, threads: int = 4, rate: float | None = None, seed: int = 1) -> None:
        self.port, self.rate = port, rate
        self.outcome = Outcome()
        self._texts = list(pd.read_csv(TEXTS)["诉求内容"].astype(str))
        self._numbers, self._places = count(), count()
        self._seed, self._stopped = seed, False
        self._start = time.monotonic()
        self._threads = [
            threading.Thread(target=self._desk, args=(one,), daemon=True) for one in range(threads)
        ]

    def __enter__(self) -> Traffic:
        self._start = time.monotonic()
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped = True
        for one in self._threads:
            one.join(SECONDS)

    def _desk(self, number: int) -> None:
        rng = random.Random(self._seed * 1000 + number)  # noqa: S311 - the same traffic each time
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        kinds, weights = list(MIX), list(MIX.values())
        while not self._stopped:
            if self.rate:
                due = self._start + next(self._places) / self.rate
                time.sleep(max(0.0, due - time.monotonic()))
                self.outcome.late.append(time.monotonic() - due)
            kind = rng.choices(kinds, weights)[0]
            begin = time.perf_counter()
            try:
                status, answer, ids = self._ask(connection, kind, rng)
            except (OSError, HTTPException) as error:
                connection.close()
                self.outcome.failed[f"{kind} {type(error).__name__}"] += 1
                time.sleep(0.02)
                continue
            self._see(kind, status, answer, ids, time.perf_counter() - begin)

    def _ask(self, connection: HTTPConnection, kind: str, rng: random.Random) -> tuple[int, Any, list[str]]:
        ids: list[str] = []
        if kind in ("single", "batch"):
            orders = [self._order(rng) for _ in range(1 if kind == "single" else 100)]
            ids = [one["work_order_id"] for one in orders]
            body = json.dumps({"work_orders": orders})
            connection.request("POST", "/v1/tags", body, {"content-type": "application/json"})
        else:
            known = self.outcome.acknowledged
            path = {
                "volumes": "/v1/volumes?facet=first&by=month&since=2026",
                "page": f"/v1/work-orders?since=2026-{rng.randint(1, 9):02}&limit=50",
                "one": f"/v1/work-orders/{rng.choice(known) if known else 'none'}",
            }[kind]
            connection.request("GET", path)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content), ids

    def _order(self, rng: random.Random) -> dict[str, str]:
        moment = datetime.now(SHANGHAI) - timedelta(minutes=rng.randrange(2 * 24 * 60))
        return {
            "work_order_id": f"L{self._seed}-{next(self._numbers)}",
            "text": rng.choice(self._texts),
            "received_at": moment.isoformat(),
        }

    def _see(self, kind: str, status: int, answer: Any, ids: list[str], seconds: float) -> None:
        if status != 200 and not (kind == "one" and status == 404 and not self.outcome.acknowledged):
            self.outcome.failed[f"{kind} {status}"] += 1
            if status == 503:
                time.sleep(0.05)
            return
        self.outcome.answered[kind] += 1
        self.outcome.seconds.append((kind, seconds))
        if ids:
            assert [one["work_order_id"] for one in answer["results"]] == ids
            recorded = [one["work_order_id"] for one in answer["results"] if one["recorded"]]
            self.outcome.unrecorded += len(ids) - len(recorded)
            versions = {one["model_version"] for one in answer["results"]}
            self.outcome.mixed += len(versions) > 1
            self.outcome.versions.update(versions)
            self.outcome.acknowledged.extend(recorded)
