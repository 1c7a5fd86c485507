"""What is a courtesy or an opening and what is not, and that all else is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.courtesy import courtesies_in, expressions, with_openings_joined, without_courtesies
from classifier.errors import InputError
from classifier.kernel import Expressions

WORDS = ["您好", "尊敬的", "领导", "谢谢", "祝", "工作顺利", "不亮", "好像"]
PIECES = st.sampled_from([*"您好,。!?;:~. 路灯", *WORDS])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("您好!路灯不亮", "路灯不亮"),
        ("尊敬的领导:您好!路灯不亮。谢谢!", "路灯不亮。"),
        ("路灯不亮,祝各位领导工作顺利,身体健康,此致 敬礼", "路灯不亮,"),
        ("路灯不亮。 感谢您在百忙之中阅读我的来信...", "路灯不亮。"),
        ("您好,我是本市的一名普通市民,路灯不亮", "路灯不亮"),
    ],
)
def test_courtesies_go(text, left):
    assert without_courtesies(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "您好像没有回复",
        "感谢社区医生上门打疫苗",
        "非常感谢",
        "领导不作为",
        "我是本市的一名教师",
        "请尽快处理",
        "谢谢",
        "您好!谢谢。",
        "",
    ],
)
def test_what_asks_or_praises_stays_and_so_does_a_text_of_courtesies_alone(text):
    assert without_courtesies(text) == text


@given(st.lists(PIECES, max_size=14).map("".join))
def test_taking_out_twice_is_taking_out_once_and_the_places_are_told(text):
    left = without_courtesies(text)
    assert without_courtesies(left) == left
    kept, done = "", 0
    for start, until in courtesies_in(text):
        kept, done = kept + text[done:start], until
    assert left in (text, kept + text[done:])


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("我想咨询一下。社保卡丢了怎么办?", "我想咨询一下,社保卡丢了怎么办?"),
        ("我要反映一个问题!情况是这样的:路灯不亮。坏了", "我要反映一个问题,情况是这样的:路灯不亮。坏了"),
        ("投诉。投诉。", "投诉,投诉,"),
        ("我想咨询一下社保卡。丢了怎么办?", "我想咨询一下社保卡。丢了怎么办?"),
        ("路灯不亮。我要投诉。", "路灯不亮。我要投诉。"),
        ("我要投诉", "我要投诉"),
        ("", ""),
    ],
)
def test_an_opening_is_no_sentence_of_its_own(text, joined):
    assert with_openings_joined(text) == joined
    assert with_openings_joined(joined) == joined


def test_no_text_takes_long():
    text = "再次感谢您在此" * 2_000 + "x"
    assert without_courtesies(text) == with_openings_joined(text) == text


def test_an_expression_with_a_mark_is_told_by_its_line(tmp_path):
    path = tmp_path / "courtesies.txt"
    path.write_text("您好 # 问候\n\n谢谢!\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"第 3 行：“谢谢!”不能含标点"):
        expressions(path)


@pytest.mark.parametrize("bad", [["谢谢", "您好"], ["\U00020000"], [""]])
def test_the_kernel_refuses_what_it_cannot_look_for(bad):
    with pytest.raises(ValueError, match="no expressions"):
        Expressions(bad)
