"""A service of two workers under mixed traffic, and what is looked for while something breaks."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.ledger.counts import Question
from api.ledger.ledger import Ledger
from api.periods import SHANGHAI
from api.settings import Settings
from benchmarks.load import versions
from benchmarks.traffic import Traffic
from classifier.errors import NoWorkOrder
from tests.served import Served

WORKERS = 2
PATIENCE = 30.0  # seconds
PAGE = 5000  # of the feed
ALL_TIME = Question(date(2000, 1, 1), date(2099, 1, 1))

Answer = tuple[int, dict[str, Any], dict[str, str]]  # status, content, headers
Found = Iterator[tuple[str, bool]]  # what was found, and whether it is as it should be


class Scene:
    """A service under load, in a folder of its own."""

    def __init__(self, folder: Path, rate: float) -> None:
        self.folder, self.rate = folder, rate
        self.store = versions(folder / "models", 2)
        self.url = f"sqlite:///{folder / 'hotline.db'}"

    @contextmanager
    def served(self, **environment: str) -> Iterator[tuple[Served, Traffic]]:
        """The service and the traffic to it; it runs for a moment before and after."""
        arguments = ("--models-dir", self.store.folder, "--database", self.url, "--workers", WORKERS)
        with Served(*arguments, **{"HOTLINE_JOBS_DIR": str(self.folder / "jobs")} | environment) as served:
            with Traffic(served.port, 4, self.rate) as traffic:
                time.sleep(3)
                yield served, traffic
                time.sleep(3)
            served.stop()

    def kept(self, traffic: Traffic) -> Found:
        """Everything acknowledged is in the ledger, once, and the ledger agrees with itself."""
        ledger = Ledger(Settings(database_url=self.url)).open()
        ((whole,),) = ledger.count(ALL_TIME)
        problems = ledger.check()
        acknowledged = set(traffic.outcome.acknowledged)
        missing = [one for one in sorted(acknowledged)[::5] if not _is_there(ledger, one)]
        ledger.close()
        counted = f"acknowledged {len(acknowledged):,}, in the ledger {whole.volume:,} with unanswered ones"
        yield counted, whole.volume >= len(acknowledged) > 0 and not missing
        yield f"the ledger agrees with itself: {problems or 'yes'}", not problems
        yield f"answers of two versions at once: {traffic.outcome.mixed}", not traffic.outcome.mixed


def until(is_so: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether something comes to be so within some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if is_so():
                return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


def answers_again(traffic: Traffic) -> Found:
    """The traffic is answered, without further failures, once all is well."""
    time.sleep(2)
    answered, failed = sum(traffic.outcome.answered.values()), sum(traffic.outcome.failed.values())
    time.sleep(3)
    more = sum(traffic.outcome.answered.values()) - answered
    new = sum(traffic.outcome.failed.values()) - failed
    yield f"afterwards {more} answered, {new} failed in three seconds", more > 0 and not new


def only_503(traffic: Traffic) -> Found:
    """What failed was told to come again."""
    other = {what for what in traffic.outcome.failed if not what.endswith(" 503")}
    yield f"what failed: {dict(traffic.outcome.failed)}", not other


def tag(served: Served, *, received: bool = True) -> Answer:
    """Tag one order of this moment; status, answer and headers."""
    order = {"work_order_id": f"P{uuid.uuid4().hex}", "text": "迎宾大道的路灯不亮"}
    if received:
        order["received_at"] = datetime.now(SHANGHAI).isoformat()
    body = json.dumps({"work_orders": [order]}).encode()
    return _ask(served, "POST", "/v1/tags", body, "application/json")


def send_file(served: Served, content: bytes) -> Answer:
    """Send a file to be tagged."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return _ask(served, "POST", "/v1/jobs", body, f"multipart/form-data; boundary={boundary}")


def feed(served: Served, cursor: str | None) -> tuple[str, list[str]]:
    """The ids of the orders in the feed behind a cursor, and the cursor behind them."""
    ids: list[str] = []
    while True:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
        connection.request("GET", f"/v1/feed?limit={PAGE}" + (f"&after={cursor}" if cursor else ""))
        answer = connection.getresponse()
        events = [json.loads(line) for line in answer.read().splitlines()]
        connection.close()
        ids += [one["work_order_id"] for one in events]
        cursor = str(events[-1]["cursor"]) if events else cursor
        if len(events) < PAGE:
            return str(cursor), ids


def _ask(served: Served, method: str, path: str, body: bytes, kind: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, {"content-type": kind})
        answer = connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def _is_there(ledger: Ledger, work_order_id: str) -> bool:
    try:
        ledger.find(work_order_id)
    except NoWorkOrder:
        return False
    return True
