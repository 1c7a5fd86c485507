"""Parts begin where people say that another matter begins, and nowhere else."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.asks import LONGEST, MOST, SHORTEST, asks
from classifier.cleaned import clean_many
from classifier.codes import Codes
from classifier.text import clean

TWO = "路灯坏了半个月没有人来修理。另外小区门口的垃圾三天没有清运"


CUE = re.compile(
    r"""(?<=[。!?;,:，；！？：、 ])
    (?:另外|另有|此外|还有|其次|再者|再有|同时|顺便|并且还|(?:第|其)[二三四五六]
    | [二三四五六2-6][、.．,，)）] | [(（][二三四五六2-6][)）])""",
    re.VERBOSE,
)


def cut(text):
    return asks(Codes.of([text]))[0].texts()


def plainly_cut(text):
    """What the kernel has to find."""
    starts = [0, *(cue.start() for cue in CUE.finditer(text)), len(text)]
    found = [text[start:until][:LONGEST] for start, until in pairwise(starts) if until - start >= SHORTEST]
    return found[:MOST] if len(found) > 1 else []


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("路灯坏了半个月没有人修。另外小区门口的垃圾三天没有清运", ["路灯坏了", "另外小区"]),
        (
            "1、路灯坏了半个月没有人来修;2、垃圾三天没有清运臭气熏天;3、广场舞晚上吵到十一点钟",
            ["1、", "2、", "3、"],
        ),
        ("(一)路灯坏了半个月没人修。(二)垃圾三天没有清运臭气熏天", ["(一)", "(二)"]),
        ("首先是路灯坏了半个月没人修，其次是垃圾三天没有清运臭气", ["首先", "其次"]),
    ],
)
def test_each_matter_begins_a_part(text, begin):
    found = cut(text)
    assert len(found) == len(begin)
    assert all(part.startswith(start) for part, start in zip(found, begin, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "路灯坏了",
        "人民路12、14号两栋楼的路灯坏了一个星期没有人来修理",
        "他同时要求退款但是商家一直不肯退还也不接电话",
        "路灯坏了半个月没有人修。另外谢谢",  # too short to be a matter
    ],
)
def test_one_matter_has_no_parts(text):
    assert cut(text) == []


@given(st.text(max_size=400))
def test_parts_are_stretches_of_the_text_in_order(text):
    cleaned = clean(text)
    found, place = cut(cleaned), 0
    assert len(found) in range(2, MOST + 1) or not found
    for part in found:
        place = cleaned.index(part, place)
        assert SHORTEST <= len(part) <= LONGEST


def test_no_more_parts_are_read_than_can_be_told():
    assert len(cut("，".join(f"另外第{i}件事情是门前的路灯坏了没有人修" for i in range(50)))) == MOST


@given(st.lists(st.one_of(st.text(max_size=80), st.sampled_from([TWO, "路灯坏了"])), max_size=8))
def test_many_texts_have_the_parts_that_each_has_alone(texts):
    cleaned = clean_many(texts)
    found, owners = asks(cleaned)
    alone = [(place, part) for place, text in enumerate(cleaned.texts()) for part in plainly_cut(text)]
    assert list(zip(owners.tolist(), found.texts(), strict=True)) == alone


def test_no_texts_have_no_parts():
    found, owners = asks(Codes.of([]))
    assert len(found) == len(owners) == 0


@given(
    st.lists(
        st.text(alphabet="。,、(（)）第其二三6另外还有次者同时顺便并且再此路灯坏了 ", max_size=60), max_size=6
    )
)
def test_no_cue_is_overlooked_among_many_texts(texts):
    """Strings of hardly anything but cues."""
    cleaned = clean_many(texts)
    found, owners = asks(cleaned)
    alone = [(place, part) for place, text in enumerate(cleaned.texts()) for part in plainly_cut(text)]
    assert list(zip(owners.tolist(), found.texts(), strict=True)) == alone
