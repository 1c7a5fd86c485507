import threading

import pytest
from sqlalchemy import select

from api.ledger.engine import reading
from api.ledger.labels import LabelNumbers, known_codes, numbers_of
from api.ledger.schema import labels

AIR, WATER = ("category", "environment.air"), ("category", "environment.water")
PARENTS = {AIR: "environment", WATER: "environment"}


@pytest.fixture
def numbers(ledger):
    return LabelNumbers(ledger.engine)


def test_a_label_keeps_its_number(ledger, numbers):
    first = numbers.of([AIR, ("district", "")], PARENTS)
    assert numbers.of([AIR], PARENTS)[AIR] == first[AIR]
    assert LabelNumbers(ledger.engine).of([AIR], PARENTS)[AIR] == first[AIR]
    assert len(set(first.values())) == 2


def test_a_first_level_stands_for_the_labels_under_it(ledger, numbers):
    found = numbers.of(
        [AIR, WATER, ("category", "planning.land")], PARENTS | {("category", "planning.land"): "planning"}
    )
    with reading(ledger.engine) as connection:
        under = set(connection.execute(numbers_of("first", ["environment"])).scalars())
        assert under == {found[AIR], found[WATER]}
        assert list(connection.execute(numbers_of("category", ["environment.air"])).scalars()) == [found[AIR]]
        assert known_codes(connection, "first") == ["environment", "planning"]


def test_a_label_that_a_new_taxonomy_puts_elsewhere_moves(ledger, numbers):
    numbers.of([AIR], {AIR: "environment"})
    numbers.of([AIR], {AIR: "health"})
    with reading(ledger.engine) as connection:
        parent = labels.alias()
        query = select(parent.c.code).join(labels, labels.c.parent == parent.c.label_id)
        assert connection.execute(query.where(labels.c.code == AIR[1])).scalar_one() == "health"


def test_many_threads_give_one_number(ledger):
    found = []
    keys = [("district", f"{place}") for place in range(20)]
    threads = [
        threading.Thread(target=lambda: found.append(LabelNumbers(ledger.engine).of(keys, {})))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(one == found[0] for one in found)
