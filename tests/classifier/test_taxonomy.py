"""Labels: how they may be written, that nothing gets lost on the way through a file, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from classifier.errors import InputError
from classifier.taxonomy import Facet, Label, Taxonomy


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy.load()


@pytest.fixture(scope="module")
def category(taxonomy) -> Facet:
    return taxonomy.facets["category"]


def written(tmp_path, text: str):
    path = tmp_path / "taxonomy.toml"
    path.write_text(text, encoding="utf-8")
    return path


# --- the one that the program brings ---


def test_every_first_level_has_a_name_and_a_department(taxonomy, category):
    assert set(category.firsts) == set(category.first_names) == set(taxonomy.departments)
    assert all(taxonomy.departments.values())


def test_codes_are_unique_and_begin_with_their_first_level(category):
    assert len(set(category.codes)) == len(category.codes) == 78
    assert all(label.code.startswith(f"{label.first}.") for label in category.labels)


def test_each_label_points_at_its_own_first_level(taxonomy):
    for facet in taxonomy.facets.values():
        assert [facet.firsts[i] for i in facet.first_index] == [label.first for label in facet.labels]


def test_category_and_scope_have_two_levels_and_the_others_one(taxonomy):
    flat = {name: facet.is_flat for name, facet in taxonomy.facets.items()}
    assert flat == {"category": False, "scope": False, "request_type": True, "urgent": True}


# --- how people write a label ---


def test_a_label_is_known_by_its_code_and_by_its_path_of_names(category):
    for label in category.labels:
        assert category.code_of(label.code) == label.code
        assert category.code_of(f"{category.first_names[label.first]}/{label.name}") == label.code


@pytest.mark.parametrize(
    ("facet", "form", "code"),
    [
        ("category", "大气污染", "environment.air"),
        ("category", "  Environment.AIR\n", "environment.air"),
        ("scope", "P", "public"),
        ("scope", "e", "private_affair"),
        ("scope", "D", "private_dispute"),
        ("scope", "民事纠纷", "private_dispute"),
        ("request_type", "投诉", "complaint"),
        ("urgent", "TRUE", "1"),
        ("urgent", "false", "0"),
        ("urgent", "1.0", "1"),
        ("urgent", "加急", "1"),
        ("urgent", "否", "0"),
    ],
)
def test_other_ways_to_write_a_label_are_understood(taxonomy, facet, form, code):
    assert taxonomy.facets[facet].code_of(form) == code


@pytest.mark.parametrize("form", ["", "  ", "环境保护", "environment", "environment.", "大气", "X"])
def test_what_is_no_label_is_not_guessed(category, form):
    assert category.code_of(form) is None


def test_a_name_that_two_labels_share_needs_its_path():
    labels = (Label("a.land", "土地", "a"), Label("b.land", "土地", "b"))
    facet = Facet("category", "事项分类", labels, {"a": "规划", "b": "农村"})
    assert facet.code_of("土地") is None
    assert facet.code_of("农村/土地") == "b.land"


def test_a_code_goes_before_another_labels_name():
    labels = (Label("water", "power", "water"), Label("power", "water", "power"))
    facet = Facet("category", "事项分类", labels, {"water": "power", "power": "water"})
    assert facet.code_of("water") == "water"
    assert facet.code_of("power") == "power"


def test_foreign_labels_that_differ_in_case_alone_stay_apart():
    facet = Taxonomy.of_labels(["a", "A", "b"]).facets["category"]
    assert [facet.code_of(label) for label in ("a", "A", "b")] == ["a", "A", "b"]


# --- parts and copies ---


def test_a_taxonomy_survives_json(taxonomy):
    again = Taxonomy.from_json(json.loads(json.dumps(taxonomy.as_json(), ensure_ascii=False)))
    assert again == taxonomy
    for name, facet in taxonomy.facets.items():
        assert again.facets[name].codes == facet.codes
        assert np.array_equal(again.facets[name].first_index, facet.first_index)


def test_a_foreign_label_set_is_one_flat_category_in_alphabetical_order():
    foreign = Taxonomy.of_labels(["水务", "城管", "水务"])
    assert list(foreign.facets) == ["category"]
    facet = foreign.facets["category"]
    assert facet.codes == facet.firsts == tuple(sorted(["水务", "城管"]))
    assert facet.is_flat
    assert facet.by_code["水务"].name == "水务"


# --- a taxonomy of one's own ---


def test_another_taxonomy_file_brings_its_categories_and_keeps_the_other_facets(tmp_path):
    path = written(tmp_path, 'version = "2"\n[a]\nname = "甲"\ndepartment = "甲局"\nx = "一"\ny = "二"\n')
    own = Taxonomy.load(path)
    assert (own.version, own.facets["category"].codes) == ("2", ("a.x", "a.y"))
    assert own.departments == {"a": "甲局"}
    assert list(own.facets) == ["category", "scope", "request_type", "urgent"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[a]\nname = "甲"\nx = "一"\ny = "二"\n', "version"),
        ('version = "2"\n[a]\nx = "一"\ny = "二"\n', r"\[a\].*name"),
        ('version = "2"\na = "甲"\n', r"\[a\].*name"),
        ('version = "2"\n[a]\nname = "甲"\nx = "一"\n', "至少要有两个"),
        ('version = "2\n', "TOML"),
    ],
)
def test_a_file_that_is_no_taxonomy_is_refused_by_name(tmp_path, text, says):
    with pytest.raises(InputError, match=says) as caught:
        Taxonomy.load(written(tmp_path, text))
    assert "taxonomy.toml" in str(caught.value)


@pytest.mark.parametrize("text", ['version = "2"\n[a]\nname = "甲"\nx = 1\ny = "二"\n', "\xff"])
def test_a_file_of_other_things_than_texts_is_refused(tmp_path, text):
    path = tmp_path / "taxonomy.toml"
    path.write_bytes(text.encode("latin-1" if text == "\xff" else "utf-8"))
    with pytest.raises(InputError, match=r"taxonomy\.toml"):
        Taxonomy.load(path)


def test_a_missing_taxonomy_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml.*打不开"):
        Taxonomy.load(tmp_path / "none.toml")
