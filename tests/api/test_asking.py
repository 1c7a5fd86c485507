from datetime import date

import pytest

from api.asking import asked_by
from api.label_names import LabelNames
from classifier.errors import InputError
from classifier.taxonomy import Taxonomy


class Known:
    """A ledger that knows some districts."""

    def codes(self, facet):
        return ["蓬江区", "新会区"] if facet == "district" else []


NAMES = LabelNames(Taxonomy.load())


def asked(**words):
    return asked_by(Known(), NAMES, **words)


def test_words_become_codes_and_days():
    found = asked(
        facet="一级分类",
        cross="district",
        since="2024",
        until="2025-02",
        where=[
            "first=环境保护",
            "first=planning",
            "district=蓬江区",
            "urgent=是",
            "scope=私人利益",
            "利益属性=民事纠纷",
        ],
    )
    assert (found.facet, found.cross) == ("first", "district")
    assert (found.since, found.last) == (date(2024, 1, 1), date(2025, 2, 28))
    assert found.where == {
        "first": ("environment", "planning"),
        "district": ("蓬江区",),
        "urgent": ("1",),
        "scope": ("private",),
        "scope_detail": ("private_dispute",),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"facet": "topic"}, "可用的是 category、first"),
        ({"cross": "district"}, "--facet"),
        ({"facet": "district", "cross": "district"}, "同一个维度"),
        ({"since": "昨天"}, "since 应为"),
        ({"until": "2024-02-30"}, "until 应为"),
        ({"since": "2025", "until": "2024"}, "之后"),
        ({"where": ["蓬江区"]}, "维度=标签"),
        ({"where": ["district="]}, "维度=标签"),
        ({"where": ["town=蓬江区"]}, "没有这个维度"),
        ({"where": ["district=蓬江"]}, "是不是“蓬江区”"),
        ({"where": ["first=环境"]}, "没有这个标签"),
        ({"where": ["channel=电话"]}, "还没有这个维度的数据"),
    ],
)
def test_what_is_not_known_is_an_error_that_says_what_is(words, said):
    with pytest.raises(InputError) as caught:
        asked(**words)
    assert said in str(caught.value)


def test_labels_are_called_by_name_and_unknown_ones_by_code():
    assert NAMES.name("category", "environment.air") == "环境保护/大气污染"
    assert NAMES.name("first", "environment") == "环境保护"
    assert NAMES.name("scope", "private") == "私人利益"
    assert NAMES.name("scope_detail", "private_dispute") == "民事纠纷"
    assert NAMES.name("urgent", "1") == "紧急"
    assert NAMES.name("category", "old.code") == "old.code"
    assert NAMES.name("district", "") == NAMES.name("scope", "") == "未注明"
    assert asked(where=["district=未注明"]).where == {"district": ("",)}
