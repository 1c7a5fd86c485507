import pytest

from api.access.rates import MOST_KNOWN, Rates


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_minutes_requests_may_come_at_once_and_then_evenly():
    clock = Clock()
    rates = Rates(clock)
    assert [rates.wait("a", 6) for _ in range(6)] == [0] * 6
    assert rates.wait("a", 6) == 10
    clock.now += 9
    assert rates.wait("a", 6) == pytest.approx(1)
    clock.now += 1.01
    assert rates.wait("a", 6) == 0
    assert rates.wait("a", 6) == pytest.approx(10, abs=0.1)


def test_callers_do_not_share_a_bucket():
    rates = Rates(Clock())
    assert rates.wait("a", 1) == 0
    assert rates.wait("b", 1) == 0
    assert rates.wait("a", 1) > 0


def test_no_more_callers_are_remembered_than_fit():
    rates = Rates(Clock())
    for number in range(MOST_KNOWN + 50):
        rates.wait(str(number), 1)
    assert len(rates._buckets) == MOST_KNOWN
