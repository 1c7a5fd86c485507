"""Writers in processes of their own, one of them killed, and a reader that follows them."""

import multiprocessing
import random
import threading
import time
from collections import Counter

from sqlalchemy import func, select

from api.ledger.corrections import Correction
from api.ledger.engine import reading
from api.ledger.feed import START
from api.ledger.ledger import Ledger
from api.ledger.schema import corrections, labels, work_orders
from api.settings import Settings
from tests.api.conftest import entry

WRITERS = 4  # and one that is killed
ROUNDS = 60
SHARED = 15  # work orders that all of them record again and again
SECONDS = 120
CATEGORIES = ("environment.air", "environment.water", "municipal.lighting", "municipal.road")


def write(url, name, rounds):
    ledger = Ledger(Settings(database_url=url))
    chosen = random.Random(name)  # noqa: S311 - nothing is kept secret
    for number in range(rounds):
        own = [entry(f"{name}-{number}-{place}") for place in range(chosen.randint(1, 40))]
        again = chosen.sample(range(SHARED), chosen.randint(0, 5))
        shared = [entry(f"shared-{one}", category=chosen.choice(CATEGORIES)) for one in again]
        ledger.record([*own, *shared])
        if number % 3 == 0:
            for one in chosen.sample(own, 1):
                ledger.correct(one.work_order_id, {"request_type": Correction("help")}, name, "")
    ledger.close()


class Follower:
    """Reads on from where it was, and keeps what it was told."""

    def __init__(self, url):
        self.ledger = Ledger(Settings(database_url=url))
        self.after = START
        self.events = []

    def read(self):
        """Whether there was something."""
        events = self.ledger.feed(self.after, random.randint(1, 200))  # noqa: S311
        if events:
            self.after = events[-1].cursor
        self.events += events
        return bool(events)

    def follow(self, processes):
        """Read on as long as somebody writes."""
        while any(process.is_alive() for process in processes):
            self.read()


def test_a_reader_misses_nothing_and_is_told_nothing_twice(database_url):
    spawning = multiprocessing.get_context("spawn")
    names = [f"w{number}" for number in range(WRITERS)]
    processes = [spawning.Process(target=write, args=(database_url, name, ROUNDS)) for name in names]
    victim = spawning.Process(target=write, args=(database_url, "victim", 1_000_000))
    follower, other, late = (Follower(database_url) for _ in range(3))
    beside = threading.Thread(target=other.follow, args=(processes,))  # two may number at the same time
    until = time.monotonic() + SECONDS
    victim.start()
    while not follower.read():  # it is there before the others, however slowly processes start
        assert time.monotonic() < until
    for process in (*processes, beside):
        process.start()
    killed = reads = 0
    while any(process.is_alive() for process in processes):
        reads += follower.read()
        seen = sum(one.order.work_order_id.startswith("victim") for one in follower.events)
        if seen > 100 and len(follower.events) > seen and not killed:
            victim.kill()
            killed = len(follower.events)
        assert time.monotonic() < until
    victim.kill()
    for process in (*processes, victim):
        process.join(SECONDS)
    assert [process.exitcode for process in processes] == [0] * WRITERS
    assert victim.exitcode == -9
    beside.join(SECONDS)
    for one in (follower, other, late):
        while one.read():
            pass
    assert killed, "the writer was to be killed in the middle"
    assert reads > 10, "the reader was to follow, not to read everything at the end"
    for one in (follower, other, late):
        check_is_whole(one)
    assert len(late.events) == len(
        {one.order.work_order_id for one in late.events if one.correction is None}
    ) + sum(one.correction is not None for one in late.events)
    for one in (follower, other, late):
        one.ledger.close()


def check_is_whole(follower):
    """See that what was told, put together, is what the ledger holds."""
    cursors = [one.cursor for one in follower.events]
    assert cursors == sorted(set(cursors))
    tagged = [one for one in follower.events if one.correction is None]
    corrected = [one for one in follower.events if one.correction is not None]
    with reading(follower.ledger.engine) as connection:
        query = select(work_orders.c.work_order_id, labels.c.code).join_from(
            work_orders, labels, labels.c.label_id == work_orders.c.category
        )
        held = {row.work_order_id: row.code for row in connection.execute(query)}
        count = connection.execute(select(func.count()).select_from(corrections)).scalar_one()
    assert {one.order.work_order_id: one.order.labels["category"] for one in tagged} == held
    times = Counter(one.order.work_order_id for one in tagged)
    assert {name for name, number in times.items() if number > 1} <= {f"shared-{n}" for n in range(SHARED)}
    assert len(corrected) == count
    assert len({one.cursor for one in corrected}) == count
    assert all(one.order.labels["request_type"] == "help" for one in corrected)
