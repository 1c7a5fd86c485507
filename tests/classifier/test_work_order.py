"""The nouns: what the model reads of a work order, and what a tag says when nothing is known."""

from __future__ import annotations

import dataclasses

import pytest

from classifier.taxonomy import Taxonomy
from classifier.work_order import FACETS, Tag, Tags, WorkOrder


def test_the_title_becomes_the_first_sentence_of_what_the_model_reads():
    assert WorkOrder("1", "整条街都黑了", title="路灯不亮").request == "路灯不亮。整条街都黑了"


@pytest.mark.parametrize("title", ["", "  ", "\n\u3000"])
def test_without_a_title_the_model_reads_the_text_untouched(title):
    assert WorkOrder("1", "  整条街都黑了<br>", title=title).request == "  整条街都黑了<br>"


def test_the_text_of_a_work_order_stays_untouched():
    order = WorkOrder("1", "ＡＢＣ　<b>臺</b>", title=" 标题 ")
    assert (order.text, order.title) == ("ＡＢＣ　<b>臺</b>", " 标题 ")


def test_a_work_order_and_its_tags_cannot_be_changed():
    order, tag = WorkOrder("1", "停水"), Tag("utilities.water", 0.9, "utilities", 0.95)
    for thing, name in ((order, "text"), (tag, "label"), (Tags({}, "review"), "decision")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, "另一个")


def test_a_tag_is_not_automatic_until_somebody_says_so():
    assert Tag("utilities.water", 0.99, "utilities", 0.99).level == "none"


def test_tags_are_found_by_their_facet():
    tag = Tag("0", 0.9, "0", 0.9)
    tags = Tags({"urgent": tag}, "review")
    assert tags["urgent"] is tag
    with pytest.raises(KeyError):
        tags["scope"]


def test_the_taxonomy_has_the_facets_that_the_nouns_name():
    assert tuple(Taxonomy.load().facets) == FACETS
