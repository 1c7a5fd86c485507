from importlib.resources import files
from pathlib import Path

import pytest

from classifier.dispatch import Directory, Dispatch, Dispatcher
from classifier.errors import InputError
from classifier.places import Places
from classifier.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load()
CODES = TAXONOMY.facets["category"].codes
DIRECTORY = Directory.load()
SHIPPED = files("classifier").joinpath("data/dispatch.toml").read_text("utf-8")

COUNTIES = ("台山市", "开平市", "鹤山市", "恩平市")


@pytest.fixture(scope="module")
def dispatcher() -> Dispatcher:
    return Dispatcher.load()


def write(folder: Path, text: str) -> Path:
    file = folder / "dispatch.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("district", ["", *DIRECTORY.districts])
def test_every_category_has_a_unit_in_every_district_and_in_none(district):
    assert len(CODES) == 78
    assert len(DIRECTORY.districts) == 7
    units = [DIRECTORY.department(code, district) for code in CODES]
    assert all(units)
    assert not any("{" in unit for unit in units)


@pytest.mark.parametrize(
    ("code", "district", "unit"),
    [
        ("municipal.lighting", "蓬江区", "蓬江区城市管理和综合执法局"),
        ("municipal.lighting", "", "江门市城市管理和综合执法局"),
        ("environment.air", "江海区", "江门市生态环境局江海分局"),
        ("environment.air", "台山市", "江门市生态环境局台山分局"),
        ("environment.construction_noise", "新会区", "新会区城市管理和综合执法局"),
        ("environment.social_noise", "蓬江区", "江门市公安局蓬江分局"),
        ("traffic.order", "新会区", "江门市公安局交通警察支队新会大队"),
        ("traffic.order", "恩平市", "恩平市公安局交通警察大队"),
        ("traffic.taxi", "开平市", "开平市交通运输局"),
        ("safety.fire", "", "江门市消防救援支队"),
        ("safety.fire", "鹤山市", "鹤山市消防救援大队"),
        ("utilities.power", "台山市", "江门台山供电局"),
        ("utilities.water", "江海区", "江海区农业农村和水利局"),
        ("utilities.water", "新会区", "新会区水利局"),
        ("social_security.housing_fund", "恩平市", "江门市住房公积金管理中心"),
        ("economy.tax", "蓬江区", "国家税务总局江门市蓬江区税务局"),
        ("economy.tax", "开平市", "国家税务总局开平市税务局"),
        ("health.drugs", "鹤山市", "鹤山市市场监督管理局"),
        ("consumer.price", "", "江门市市场监督管理局"),
    ],
)
def test_a_unit_is_called_as_it_is_in_that_place(code, district, unit):
    assert DIRECTORY.department(code, district) == unit


def test_the_police_are_branches_in_districts_and_bureaus_of_their_own_in_counties():
    for district in DIRECTORY.districts:
        unit = DIRECTORY.department("safety.crime", district)
        branch = f"江门市公安局{district[:-1]}分局"
        assert unit == (f"{district}公安局" if district in COUNTIES else branch)


def test_an_unknown_district_falls_back_to_the_citys_unit():
    assert DIRECTORY.department("labour.wages", "天河区") == "江门市人力资源和社会保障局"


@pytest.mark.parametrize("code", ["", "municipal", "municipal.lamps", "投诉"])
def test_a_category_of_another_taxonomy_has_no_department(code):
    assert DIRECTORY.department(code, "蓬江区") == ""


def test_the_merged_lines_are_remembered_by_department():
    lines = {line for merged in DIRECTORY.hotlines.values() for line in merged}
    assert lines >= {"12319", "12333", "12315", "12369", "12329", "12358", "12366", "12345"}
    assert "12358" in DIRECTORY.hotlines["市场监督管理局"]
    assert DIRECTORY.hotlines["生态环境局"] == ("12369",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"traffic.taxi"', '"traffic.taxis"', ("traffic.taxis", "是不是“traffic.taxi”")),
        ('units = { "蓬江区" =', 'units = { "莲江区" =', ("莲江区", "是不是“蓬江区”")),
        ('"utilities.water" = "水利局"', '"utilities.water" = "水力局"', ("水力局", "是不是“水利局”")),
        ('"消防救援"]', '"消防"]', ("消防救援", "safety.fire")),
        ('[departments."教育局"]', '[departments."教育"]', ("教育局", "education.enrolment")),
        ("county_unit =", "country_unit =", ("country_unit", "county_unit")),
        ("\ncity_unit =", "\ncity_units =", ("city_units",)),
        ('short = "恩平"', 'shorts = "恩平"', ("districts.恩平市.shorts",)),
        ('short = "恩平", county = true', 'county = "true", short = "恩平"', ("districts.恩平市.county",)),
        ("[categories]", "[category]", ("category", "categories")),
        ("{short}分局", "{shrt}分局", ("{shrt}", "{short}")),
        ('hotlines = ["12369"]', "hotlines = 12369", ("departments.生态环境局.hotlines",)),
        ('"municipal.road" = "道路管理"', '"municipal.road" = ""', ("categories.municipal.road",)),
        ("[districts]", "[districts", ("TOML",)),
    ],
)
def test_a_directory_with_a_mistake_is_refused_with_its_name_and_the_key(tmp_path, old, new, said):
    assert old in SHIPPED
    file = write(tmp_path, SHIPPED.replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        Directory.load(file)
    assert all(words in str(refused.value) for words in (str(file), *said))


def test_a_directory_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="打不开"):
        Directory.load(tmp_path / "none.toml")


CITY = """
city_unit = "甲州市{department}"
district_unit = "{district}{department}"
[districts]
"东山区" = { short = "东山" }
[categories]
"lamps" = "路灯所"
[departments."路灯所"]
"""


def test_another_city_and_taxonomy_bring_their_own_file(tmp_path):
    directory = Directory.load(write(tmp_path, CITY), Taxonomy.of_labels(["lamps", "trees"]))
    assert directory.department("lamps", "东山区") == "东山区路灯所"
    assert directory.department("lamps", "") == "甲州市路灯所"
    assert directory.department("trees", "东山区") == ""


def test_places_of_one_city_and_units_of_another_are_refused(tmp_path):
    directory = Directory.load(write(tmp_path, CITY), Taxonomy.of_labels(["lamps", "trees"]))
    with pytest.raises(InputError, match="蓬江区"):
        Dispatcher(Places.load(), directory)


def test_a_suggestion_holds_the_unit_and_the_district_in_order(dispatcher):
    suggested = dispatcher.suggest(
        ["路灯坏了。杜阮镇某路", "老板拖欠工资", "会城有人打架"],
        ["municipal.lighting", "labour.wages", "safety.crime"],
        ["", "", ""],
    )
    assert suggested == [
        Dispatch("蓬江区城市管理和综合执法局", "蓬江区"),
        Dispatch("江门市人力资源和社会保障局", ""),
        Dispatch("江门市公安局新会分局", "新会区"),
    ]


def test_the_work_orders_own_field_goes_before_the_places_in_its_text(dispatcher):
    text = "恩平人在外打工被欠薪"
    fields = ["江门市鹤山市共和镇", "", "市直"]
    suggested = dispatcher.suggest([text] * 3, ["labour.wages"] * 3, fields)
    assert [one.district_found for one in suggested] == ["鹤山市", "恩平市", "恩平市"]


def test_a_category_without_a_department_still_has_its_district(dispatcher):
    assert dispatcher.suggest(["台城停水"], ["foreign"], [""]) == [Dispatch("", "台山市")]


def test_columns_of_different_lengths_are_refused(dispatcher):
    with pytest.raises(ValueError, match="shorter"):
        dispatcher.suggest(["台城停水"], ["utilities.water"], [])


def test_no_work_order_has_no_suggestion(dispatcher):
    assert dispatcher.suggest([], [], []) == []
