from collections import Counter
from datetime import date
from itertools import product

import pytest

from api.ledger.counts import Question
from api.ledger.ledger import Ledger
from api.ledger.schema import FACETS
from api.periods import period_start
from api.settings import Settings
from tests.api.conftest import entry

SINCE, UNTIL = date(2024, 1, 1), date(2026, 1, 1)
CATEGORIES = ("environment.air", "environment.water", "municipal.road")
SCOPES = ("public", "private_affair", "private_dispute")


@pytest.fixture(scope="module")
def orders():
    """Work orders whose labels are all combined, on days all over two years."""
    combined = product(
        CATEGORIES, SCOPES, ("help", "complaint"), ("0", "1"), ("蓬江区", "新会区"), ("电话", "网站")
    )
    return [
        entry(
            f"A{number}",
            date.fromordinal(date(2024, 11, 10).toordinal() + number % 100).isoformat(),
            category=category,
            scope=scope,
            request_type=kind,
            urgent=urgent,
            district=district,
            channel=channel,
            department=district + channel,
        )
        for number, (category, scope, kind, urgent, district, channel) in enumerate(combined)
    ]


@pytest.fixture(
    scope="module", params=product(["sqlite", "postgresql"], ["fresh", "stale", "some stale"]), ids=str
)
def filled(request, orders, tmp_path_factory):
    """A ledger of these, on each engine, its roll-ups made, not made, or made for most days."""
    engine, state = request.param
    url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'hotline.db'}"
    if engine == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = server.new_database(f"filled_{state.replace(' ', '_')}", "ready")
    ledger = Ledger(Settings(database_url=url)).open(create=True)
    ledger.record(orders)
    if state != "stale":
        ledger.settle()
    if state == "some stale":
        ledger.record(orders[10:13])
    yield ledger
    ledger.close()


def label(order, facet):
    if facet in ("district", "channel", "department"):
        return getattr(order, facet)
    given = order.given[{"first": "category", "scope": "scope_detail"}.get(facet, facet)]
    return given.first if facet in ("first", "scope") else given.label


def expected(orders, question):
    chosen = [
        order
        for order in orders
        if question.since <= order.received_at.date() < question.until
        and all(label(order, facet) in codes for facet, codes in question.where.items())
    ]
    return Counter(
        (
            period_start(order.received_at.date(), question.by) if question.by else None,
            tuple(label(order, facet) for facet in question.facets),
        )
        for order in chosen
    )


def found(ledger, question):
    (counts,) = ledger.count(question)
    return {(count.start, count.codes): count.volume for count in counts}


def test_every_facet_is_counted_as_counting_by_hand_does(filled, orders):
    questions = [Question(SINCE, UNTIL, None, (facet,)) for facet in FACETS]
    assert [found(filled, one) for one in questions] == [expected(orders, one) for one in questions]


def test_every_period_is_counted_as_counting_by_hand_does(filled, orders):
    for by in ("day", "week", "month", "quarter", "year"):
        for since, until in ((SINCE, UNTIL), (date(2024, 2, 17), date(2025, 8, 9))):
            for facets in ((), ("category",), ("first", "district")):
                question = Question(since, until, by, facets)
                assert found(filled, question) == expected(orders, question)


@pytest.mark.parametrize(
    "where",
    [
        {"district": ["蓬江区"]},
        {"first": ["environment"]},
        {"category": ["environment.air", "municipal.road"]},
        {"scope": ["private"], "district": ["新会区"]},
        {"first": ["environment"], "category": ["environment.air", "municipal.road"]},
        {"urgent": ["1"], "channel": ["电话"], "request_type": ["help"]},
        {"category": ["unknown"]},
    ],
)
def test_conditions_are_alternatives_in_a_facet_and_all_hold_between_facets(filled, orders, where):
    for facets in ((), ("category",), ("scope", "district")):
        for by in (None, "month", "week"):
            question = Question(SINCE, UNTIL, by, facets, where)
            assert found(filled, question) == expected(orders, question)


def test_private_requests_are_counted_beside_all(filled, orders):
    (counts,) = filled.count(Question(SINCE, UNTIL, None, ("first",), private=True))
    private = Counter(label(order, "first") for order in orders if label(order, "scope") == "private")
    assert {count.codes[0]: count.private for count in counts} == private


def test_a_category_crossed_with_its_own_first_level_is_counted(filled, orders):
    question = Question(SINCE, UNTIL, None, ("first", "category"))
    assert found(filled, question) == expected(orders, question)


def test_an_empty_ledger_has_no_counts_and_no_bounds(ledger):
    assert found(ledger, Question(SINCE, UNTIL, "month", ("category",))) == {}
    assert ledger.bounds() is None


def test_bounds_are_the_first_and_last_day(filled, orders):
    assert filled.bounds() == (date(2024, 11, 10), date(2025, 2, 17))
