import warnings
from datetime import date

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from api import charts
from api.label_names import FACET_TITLES, LabelNames
from api.ledger.ledger import Ledger
from api.volumes import Asked, volumes
from classifier.dispatch import Dispatcher
from classifier.errors import OutputError
from classifier.taxonomy import Taxonomy
from tests.api.conftest import entry

NAMES = LabelNames(Taxonomy.load())
FONT = charts.files("api") / "data" / "fonts" / charts.FONT


@pytest.fixture
def filled(settings):
    ledger = Ledger(settings).open(create=True)
    codes = Taxonomy.load().facets["category"].codes
    ledger.record([entry(f"A{n}", f"2025-{1 + n % 12:02}-01", category=code) for n, code in enumerate(codes)])
    yield ledger
    ledger.close()


def test_the_font_has_every_character_of_the_program_s_labels_and_titles():
    known = set(TTFont(str(FONT)).getBestCmap())
    taxonomy = Taxonomy.load()
    said = [facet.path(code) for facet in taxonomy.facets.values() for code in facet.codes]
    said += [
        *FACET_TITLES.values(),
        *taxonomy.departments.values(),
        "诉求量（条）本期基期其他未注明年月日第季度周—·：；、，%",
    ]
    said += [
        dispatch.department for dispatch in Dispatcher.load().suggest([""], ["environment.air"], ["蓬江区"])
    ]
    said += ["滘头", "塱", "氹仔", "冲蒌镇", "蚬冈镇", "𧒽岗"[1:]]
    assert {character for text in said for character in text if ord(character) not in known} == set()


def test_a_chart_is_drawn_without_a_missing_glyph(filled, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for asked in (
            Asked("category"),
            Asked("first", by="month"),
            Asked("first", by="year"),
            Asked(by="day"),
        ):
            charts.draw(volumes(filled, asked), NAMES, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1350


def test_a_label_is_drawn_in_ink_and_not_as_a_box(filled, tmp_path):
    """Two charts that differ in a Chinese label alone are different pictures."""
    pictures = []
    for facet, code in (("first", "environment"), ("first", "planning")):
        found = volumes(filled, Asked(facet, since=date(2025, 1, 1), where={facet: (code,)}))
        found.rows[:] = [row._replace(volume=1) for row in found.rows]
        charts.draw(found, NAMES, tmp_path / "a.png")
        with Image.open(tmp_path / "a.png") as image:
            pictures.append(image.convert("L").tobytes())
    assert pictures[0] != pictures[1]


def test_of_many_labels_the_first_are_drawn(filled, tmp_path):
    series = charts._series(volumes(filled, Asked("category")), NAMES)
    assert len(series) == 78
    charts.draw(volumes(filled, Asked("category", by="month")), NAMES, tmp_path / "a.png")


def test_an_empty_ledger_gives_an_empty_chart(settings, tmp_path):
    ledger = Ledger(settings).open(create=True)
    charts.draw(volumes(ledger, Asked("category")), NAMES, tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()
    ledger.close()


def test_a_chart_that_cannot_be_written_is_an_error(filled, tmp_path):
    with pytest.raises(OutputError, match="写不进去"):
        charts.draw(volumes(filled, Asked()), NAMES, tmp_path / "none" / "a.png")
