"""Processes that are killed, a database that goes away: nothing acknowledged is lost, nothing half there.

In all 52 kills: on each engine 20 of the service and 6 of a batch, at random moments under load.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import date
from http.client import HTTPException

import pandas as pd
import pytest
from sqlalchemy import select

from api.ledger.counts import Question
from api.ledger.engine import reading
from api.ledger.ledger import Ledger
from api.ledger.schema import tags, work_orders
from api.settings import Settings
from tests.postgres import NoServer, PostgreSQL
from tests.preloaded import Preloaded

SERVICE_KILLS, BATCH_KILLS = 20, 6  # on each engine
SECONDS = 60  # of patience
ROWS = 6_000  # of the file
LIGHT = "迎宾大道的路灯不亮，夜里看不清路"
ALL = Question(date(2025, 1, 1), date(2026, 1, 1))


@pytest.fixture(scope="module")
def postgresql():
    try:
        server = PostgreSQL()
        server.start()
    except NoServer as reason:
        pytest.skip(f"PostgreSQL does not run here, its tests are skipped: {reason}")
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hotline.db'}"
    server = request.getfixturevalue("postgresql")
    url = server.new_database(f"crash_{request.node.name.split('[')[0]}")
    ledger = Ledger(Settings(database_url=url))
    ledger.upgrade()
    ledger.close()
    return url


@pytest.fixture
def preloaded():
    with Preloaded() as preloaded:
        yield preloaded


class Desk(threading.Thread):
    """Sends requests of one to thirty work orders as fast as they are answered, and keeps the answers."""

    def __init__(self, port, name):
        super().__init__(daemon=True)
        self.port, self.prefix = port, name
        self.requests = []  # ids of each
        self.acknowledged = []  # ids of each that was answered with 200
        self.statuses = Counter()
        self.problems = []
        self.stopped = False

    def run(self):
        while not self.stopped:
            number = len(self.requests)
            ids = [f"{self.prefix}-{number}-{place}" for place in range(random.randint(1, 30))]
            self.requests.append(ids)
            try:
                status, answer = post(self.port, ids)
            except (OSError, HTTPException):
                time.sleep(0.02)  # nobody is there, or no more; what was sent may have been recorded or not
                continue
            self.statuses[status] += 1
            if status == 200:
                assert all(one["recorded"] for one in answer["results"])
                self.acknowledged.append(ids)
            else:
                self.problems.append(answer)
                time.sleep(0.02)


def post(port, ids):
    orders = [
        {"work_order_id": one, "text": LIGHT, "received_at": "2025-03-10T09:30:00+08:00"} for one in ids
    ]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/tags",
        json.dumps({"work_orders": orders}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - ours
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            headers = {name: error.headers[name] for name in ("content-type", "retry-after")}
            return error.code, json.load(error) | headers


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_open(port):
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    pytest.fail("the service did not come up")


def stop(desks):
    for desk in desks:
        desk.stopped = True
    for desk in desks:
        desk.join(SECONDS)


def check_nothing_is_lost(url, desks):
    """What was acknowledged is there, and each request as a whole or not at all."""
    ledger = Ledger(Settings(database_url=url)).open()
    with reading(ledger.engine) as connection:
        there = set(connection.execute(select(work_orders.c.work_order_id)).scalars())
        assert len(there) == len(connection.execute(select(tags.c.number)).all())
    acknowledged = {one for desk in desks for ids in desk.acknowledged for one in ids}
    assert acknowledged
    assert acknowledged <= there
    for desk in desks:
        for ids in desk.requests:
            assert len(there.intersection(ids)) in (0, len(ids))
    assert ledger.check() == []
    ((only,),) = ledger.count(ALL)
    assert only.volume == len(there)
    ledger.close()


def test_the_service_may_be_killed_at_any_moment(url, preloaded, models_dir):
    port = free_port()
    desks = [Desk(port, "甲"), Desk(port, "乙")]
    command = ("serve", "--port", port, "--models-dir", models_dir, "--database", url)
    for kill in range(SERVICE_KILLS):
        process = preloaded.start(*command)
        wait_until_open(port)
        if not kill:
            for desk in desks:
                desk.start()
        before = sum(len(desk.acknowledged) for desk in desks)
        until = time.monotonic() + SECONDS
        while sum(len(desk.acknowledged) for desk in desks) == before and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.25))
        assert preloaded.kill(process) == -signal.SIGKILL, preloaded.log.read_text()
    stop(desks)
    check_nothing_is_lost(url, desks)


@pytest.fixture(scope="module")
def many(examples, tmp_path_factory):
    """A file so large that there is time to kill its run."""
    path = tmp_path_factory.mktemp("many") / "in.csv"
    frame = pd.DataFrame(
        {
            "工单编号": [f"JM{number:05}" for number in range(ROWS)],
            "受理时间": [
                f"2025-{1 + number % 12:02}-{1 + number % 28:02} 08:00:00" for number in range(ROWS)
            ],
            "诉求内容": [f"{LIGHT}{number % 97}" for number in range(ROWS)],
        }
    )
    frame.to_csv(path, index=False)
    return path


def test_a_batch_may_be_killed_at_any_moment_and_resumed(url, preloaded, models_dir, many, tmp_path):
    target = tmp_path / "out.csv"
    command = ["batch", many, target, "--record", "--workers", "1", "--models-dir", models_dir]
    command += ["--database", url]
    begin = time.monotonic()
    preloaded.start(*command)
    assert preloaded.wait() == 0, preloaded.log.read_text()
    whole = time.monotonic() - begin  # the first, undisturbed, tells how long there is to kill
    ledger = Ledger(Settings(database_url=url))
    for _ in range(BATCH_KILLS):
        ledger.purge(date(2026, 1, 1), whole=True)
        process = preloaded.start(*command)
        time.sleep(random.uniform(0, whole))
        assert preloaded.kill(process) in (-signal.SIGKILL, 0), preloaded.log.read_text()
        assert ledger.facts()["work_orders"] % 2_000 == 0  # chunks are there as a whole or not at all
        preloaded.start(*command, "--resume")
        assert preloaded.wait() == 0, preloaded.log.read_text()
        assert ledger.facts()["work_orders"] == ROWS
        ((only,),) = ledger.count(ALL)
        assert only.volume == ROWS
    assert ledger.check() == []
    ledger.close()


def test_a_database_that_goes_away_under_load_gives_503_and_service_again_when_it_is_back(
    postgresql, preloaded, models_dir
):
    url = postgresql.new_database("goes_away")
    ledger = Ledger(Settings(database_url=url))
    ledger.upgrade()
    ledger.close()
    port = free_port()
    desks = [Desk(port, "甲"), Desk(port, "乙")]
    process = preloaded.start("serve", "--port", port, "--models-dir", models_dir, "--database", url)
    wait_until_open(port)
    for desk in desks:
        desk.start()
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGINT):
        _wait_for(desks, 200)
        postgresql.stop(how)
        _wait_for(desks, 503)
        postgresql.start()
        _wait_for(desks, 200)
    stop(desks)
    for desk in desks:
        assert set(desk.statuses) == {200, 503}
        for problem in desk.problems:
            assert problem["title"] == "台账暂不可用"
            assert "稍后重试" in problem["detail"]
            assert int(problem["retry-after"]) > 0
            assert problem["content-type"] == "application/problem+json"
    preloaded.kill(process)
    check_nothing_is_lost(url, desks)


def _wait_for(desks, status):
    """See every desk get answers of a status, from now on."""
    before = [desk.statuses[status] for desk in desks]
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if all(desk.statuses[status] > one for desk, one in zip(desks, before, strict=True)):
            return
        time.sleep(0.01)
    pytest.fail(f"no answers of {status}")
