import threading
from concurrent.futures import CancelledError

import pytest

from api.gathered import Gathered

WAIT = 10  # seconds; nothing here takes so long


class Work:
    """Doubles numbers; keeps what it was given at once, and can be held up."""

    def __init__(self):
        self.seen = []
        self.free = threading.Event()
        self.begun = threading.Event()

    def __call__(self, numbers):
        self.begun.set()
        assert self.free.wait(WAIT)
        self.seen.append(list(numbers))
        if 13 in numbers:
            raise ValueError("thirteen")
        return [2 * number for number in numbers]


@pytest.fixture
def work():
    return Work()


def brought(work, *numbers, most=8):
    """The futures of numbers that gather while the first is worked on."""
    gathered = Gathered(work, most)
    futures = [gathered.bring(numbers[0])]
    assert work.begun.wait(WAIT)
    futures += [gathered.bring(number) for number in numbers[1:]]
    return futures


def test_what_gathers_while_it_is_busy_is_worked_on_together(work):
    futures = brought(work, 1, 2, 3, 4)
    work.free.set()
    assert [future.result(WAIT) for future in futures] == [2, 4, 6, 8]
    assert work.seen == [[1], [2, 3, 4]]


def test_no_more_than_the_most_are_worked_on_at_once(work):
    futures = brought(work, 1, 2, 3, 4, most=2)
    work.free.set()
    assert [future.result(WAIT) for future in futures] == [2, 4, 6, 8]
    assert work.seen == [[1], [2, 3], [4]]


def test_none_suffers_for_another(work):
    futures = brought(work, 1, 2, 13, 4)
    work.free.set()
    with pytest.raises(ValueError, match="thirteen"):
        futures[2].result(WAIT)
    assert [futures[place].result(WAIT) for place in (0, 1, 3)] == [2, 4, 8]


def test_what_nobody_waits_for_any_more_is_not_worked_on(work):
    futures = brought(work, 1, 2, 3)
    assert futures[1].cancel()
    work.free.set()
    assert futures[2].result(WAIT) == 6
    assert work.seen == [[1], [3]]
    with pytest.raises(CancelledError):
        futures[1].result(WAIT)


def test_it_goes_on_after_an_error(work):
    work.free.set()
    gathered = Gathered(work, 8)
    with pytest.raises(ValueError, match="thirteen"):
        gathered.bring(13).result(WAIT)
    assert gathered.bring(7).result(WAIT) == 14
