import csv
import io
import json
import warnings

import openpyxl
import pytest
from PIL import Image

from api.ledger.ledger import Ledger
from tests.api.conftest import entry

FOUR = ("first=环境保护", "first=违章建筑", "first=交通管理", "first=城市规划")


@pytest.fixture
def filled(settings):
    """Three years of the four categories of the evaluation report, and others."""
    ledger = Ledger(settings).open(create=True)
    categories = (
        "environment.air",
        "illegal_construction.illegal",
        "traffic.parking",
        "planning.land",
        "municipal.road",
    )
    ledger.record(
        [
            entry(
                f"{year}{place}{number}",
                f"{year}-{1 + number % 12:02}-{1 + number % 28:02}",
                category=category,
            )
            for year in (2023, 2024, 2025)
            for place, category in enumerate(categories)
            for number in range((place + 1) * (year - 2020))
        ]
    )
    ledger.close()


def test_the_report_s_figure_of_four_categories_in_three_years_is_one_command(hotline, filled, tmp_path):
    where = [word for one in FOUR for word in ("--where", one)]
    years = ("--since", "2023", "--until", "2025")
    chart = tmp_path / "五.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that the font lacks is a warning
        outcome = hotline("volumes", "--facet", "first", "--by", "year", *years, *where, "--chart", chart)
    assert outcome.code == 0, outcome.err
    for name in ("环境保护", "违章建筑", "交通管理", "城市规划", "2023年", "2025年"):
        assert name in outcome.out
    assert "市容市政" not in outcome.out
    with Image.open(chart) as image:
        assert image.format == "PNG"
        assert image.width >= 1000
        assert len(image.convert("RGB").getcolors(1 << 24)) > 10


@pytest.mark.parametrize(
    "words",
    [
        ["--by", "year"],
        ["--by", "month", "--since", "2024", "--compare", "year"],
        ["--facet", "category", "--since", "2025", "--compare", "period"],
        ["--facet", "category", "--cross", "district"],
        ["--facet", "category", "--by", "day", "--since", "2025-12-30"],
        ["--facet", "first", "--by", "week", "--since", "2025-11", "--top", "2", "--private-share"],
    ],
)
def test_every_question_gives_a_table_and_a_chart(hotline, filled, tmp_path, words):
    outcome = hotline("volumes", *words, "--chart", tmp_path / "图.png")
    assert outcome.code == 0, outcome.err
    assert "诉求量" in outcome.out
    assert (tmp_path / "图.png").stat().st_size > 5_000


def test_csv_xlsx_and_json_hold_the_same(hotline, filled, tmp_path):
    question = ("volumes", "--facet", "first", "--by", "year", "--since", "2024", "--until", "2025")
    rows = list(csv.reader(io.StringIO(hotline(*question, "--format", "csv").out)))
    answer = json.loads(hotline(*question, "--format", "json").out)
    book = tmp_path / "量.xlsx"
    assert hotline(*question, "--format", "xlsx", "--out", book).code == 0
    sheet = [list(row) for row in openpyxl.load_workbook(book).active.values]
    assert rows[0] == list(sheet[0]) == ["时间", "一级分类", "诉求量", "占比"]
    volumes = [row["volume"] for row in answer["rows"]]
    assert [int(row[2]) for row in rows[1:]] == [row[2] for row in sheet[1:]] == volumes
    assert sum(volumes) == answer["total"] == (4 + 5) * (1 + 2 + 3 + 4 + 5)
    assert answer["rows"][0]["period"]["until"] == "2024-12-31"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "xlsx"], "--out"),
        (["--out", "a.csv"], "--format"),
        (["--format", "csv", "--out", "a.xlsx"], ".csv"),
        (["--chart", "a.jpg"], ".png"),
        (["--facet", "town"], "没有这个维度"),
        (["--where", "first=环境"], "没有这个标签"),
        (["--format", "json", "--out", "none/a.json"], "写不进去"),
        (["--chart", "none/a.png"], "写不进去"),
    ],
)
def test_wrong_use_is_an_error_that_says_what_to_do(hotline, filled, words, said):
    outcome = hotline("volumes", *words)
    assert outcome.code == 1
    assert outcome.err.startswith("错误")
    assert said in outcome.err


def test_a_period_that_is_not_whole_is_said_on_stderr(hotline, filled):
    outcome = hotline("volumes", "--by", "month", "--since", "2025-03-10", "--until", "2025-03-20")
    assert "2025年3月 3月10日—3月20日 不是完整的周期" in outcome.err


def test_without_a_ledger_it_says_how_to_get_one(hotline, tmp_path):
    outcome = hotline("volumes", "--database", tmp_path / "none.db")
    assert outcome.code == 1
    assert "没有台账" in outcome.err
    assert "--record" in outcome.err


@pytest.mark.parametrize(
    "choice", [["--by", "decade"], ["--compare", "week"], ["--top", "0"], ["--format", "pdf"]]
)
def test_a_choice_that_is_none_is_wrong_use(hotline, choice):
    assert hotline("volumes", *choice).code == 2
