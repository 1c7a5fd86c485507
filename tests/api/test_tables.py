from datetime import date

import pytest

from api.label_names import LabelNames
from api.ledger.ledger import Ledger
from api.tables import as_json, cells, header, shown
from api.volumes import Asked, volumes
from classifier.taxonomy import Taxonomy
from tests.api.conftest import entry

NAMES = LabelNames(Taxonomy.load())
YEAR = {"since": date(2025, 1, 1), "last": date(2025, 12, 31)}


@pytest.fixture
def filled(settings):
    ledger = Ledger(settings).open(create=True)
    ledger.record(
        [
            entry("A0", "2024-03-01"),
            *(entry(f"A{n}", "2025-03-01", scope="private_affair") for n in range(1, 4)),
        ]
    )
    yield ledger
    ledger.close()


def test_there_is_a_column_for_each_thing_that_was_asked_for(filled):
    asked = Asked("category", "district", by="year", compare="year", private=True, **YEAR)
    found = volumes(filled, asked)
    assert header(found) == [
        "时间", "事项分类", "区县", "诉求量", "占比", "私人诉求占比", "基期", "基期诉求量",
        "同比增减", "同比", "说明",
    ]  # fmt: skip
    (row,) = cells(found, NAMES)
    assert row[:8] == ["2025年", "环境保护/大气污染", "蓬江区", 3, 1.0, 1.0, "2024年", 1]
    assert row[8:10] == [2, 2.0]
    assert header(volumes(filled, Asked())) == ["诉求量"]


@pytest.mark.parametrize(
    ("name", "cell", "text"),
    [
        ("占比", 0.1234, "12.3%"),
        ("同比", 0.5, "+50.0%"),
        ("环比增减", -1200, "-1,200"),
        ("诉求量", 12345, "12,345"),
        ("同比", None, "—"),
        ("区县", "蓬江区", "蓬江区"),
    ],
)
def test_a_cell_is_shown_as_people_read_it(name, cell, text):
    assert shown(name, cell) == text


def test_json_has_inclusive_days_and_null_where_there_is_no_base(filled):
    answer = as_json(
        volumes(
            filled,
            Asked(
                "first", by="year", compare="period", top=1, since=date(2024, 1, 1), last=date(2025, 12, 31)
            ),
        ),
        NAMES,
    )
    assert (answer["since"], answer["until"], answer["total"]) == ("2024-01-01", "2025-12-31", 4)
    first, second = answer["rows"]
    assert first["against"]["volume"] is None
    assert first["against"]["note"] == "台账中没有基期的数据"
    assert (second["against"]["volume"], second["against"]["change"]) == (1, 2.0)
