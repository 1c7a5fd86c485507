"""Cleaning of many texts against `clean`, the oracle, one text at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.cleaned import _expressions, _table, clean_many
from classifier.codes import Codes
from classifier.kernel import clean_plain
from classifier.text import MAX_CHARACTERS, clean

NUMBERS = st.text(st.sampled_from("0123456789*x()-—– +转路"), max_size=24)
PIECES = """
路灯不亮 臺灣 著名 ， 。 … （ ） ＡＢ １２ a X é \u0301 \u200b 가 < & 😀 𠮷 \ud800 ㎡ ½ ① × — “ ”
您好 你好 尊敬的 领导 谢谢 祝 工作顺利 我想 咨询 一下 问题 ! . 。 , ; : ~
12345 10086 95588 13800138000 0750-1234567 2018-2019 (0750)1234567 ****
""".split()  # noqa: SIM905 - a list literal would be a page
SPACES = ["\t", "\n", "\r\n", " ", "\u3000", "\u00a0", "\u2003"]
MIXES = st.lists(st.sampled_from([*PIECES, *SPACES]) | NUMBERS, max_size=20).map("".join)


@settings(deadline=None, max_examples=300)
@given(st.lists(MIXES | NUMBERS | st.text(st.characters(exclude_categories=())), max_size=6))
@example(["12345", "123456", "(13800138000)", "(075012345678)", "1-2345", "95588。", "x12345", " 12345 "])
def test_many_texts_are_cleaned_as_each_alone(texts):
    assert clean_many(texts).texts() == [clean(text) for text in texts]


def test_every_character_is_cleaned_as_alone_and_between_others():
    characters = [chr(code) for code in range(0x10000)]
    assert clean_many(characters).texts() == [clean(character) for character in characters]
    among = [f"路{character}a灯{character}1" for character in characters[:0x3400]]
    assert clean_many(among).texts() == [clean(text) for text in among]


def test_real_looking_requests_are_cleaned_alike(samples):
    requests = samples.requests
    assert clean_many(requests).texts() == [clean(request) for request in requests]


def test_most_requests_need_no_python(samples):
    left = clean_plain(Codes.of(samples.requests), _table(), *_expressions(), MAX_CHARACTERS).lengths < 0
    assert np.mean(left) < 0.1


@pytest.mark.parametrize("length", [MAX_CHARACTERS - 1, MAX_CHARACTERS, MAX_CHARACTERS + 1])
def test_long_texts_are_cut_alike(length):
    texts = ["路" * length, "路" * (length - 1) + " 灯", "…" * (length // 3) + "路"]
    assert clean_many(texts).texts() == [clean(text) for text in texts]


def test_numbers_of_five_digits_are_cleaned_alike_the_public_ones_among_them():
    numbers = [f"{number:05d}" for number in [*range(9_990, 12_500), *range(94_990, 97_010)]]
    texts = [f"拨打{number}热线" for number in numbers]
    cleaned = clean_many(texts).texts()
    assert cleaned == [clean(text) for text in texts]
    assert "拨打10086热线" in cleaned
