import asyncio
import threading

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


async def brought(work, *numbers, most=8, given_up=()):
    """What comes of numbers that gather while the first is worked on; some callers give up meanwhile."""
    gathered = Gathered(work, most)
    callers = [asyncio.create_task(gathered.bring(numbers[0]))]
    assert await asyncio.to_thread(work.begun.wait, WAIT)
    callers += [asyncio.create_task(gathered.bring(number)) for number in numbers[1:]]
    await asyncio.sleep(0)  # each has put down what it brings
    for place in given_up:
        callers[place].cancel()
    await asyncio.sleep(0)
    work.free.set()
    async with asyncio.timeout(WAIT):
        return await asyncio.gather(*callers, return_exceptions=True)


def test_what_gathers_while_it_is_busy_is_worked_on_together(work):
    assert asyncio.run(brought(work, 1, 2, 3, 4)) == [2, 4, 6, 8]
    assert work.seen == [[1], [2, 3, 4]]


def test_no_more_than_the_most_are_worked_on_at_once(work):
    assert asyncio.run(brought(work, 1, 2, 3, 4, most=2)) == [2, 4, 6, 8]
    assert work.seen == [[1], [2, 3], [4]]


def test_none_suffers_for_another(work):
    first, second, error, fourth = asyncio.run(brought(work, 1, 2, 13, 4))
    assert (first, second, fourth) == (2, 4, 8)
    assert isinstance(error, ValueError)


def test_what_nobody_waits_for_any_more_is_not_worked_on(work):
    first, gone, third = asyncio.run(brought(work, 1, 2, 3, given_up=[1]))
    assert (first, third) == (2, 6)
    assert isinstance(gone, asyncio.CancelledError)
    assert work.seen == [[1], [3]]


def test_it_serves_one_loop_after_another_and_goes_on_after_an_error(work):
    work.free.set()
    gathered = Gathered(work, 8)
    with pytest.raises(ValueError, match="thirteen"):
        asyncio.run(gathered.bring(13))
    assert asyncio.run(gathered.bring(7)) == 14
