"""The compiled engine against jieba itself, the reference, and the hotline's own words."""

from __future__ import annotations

import logging
import random
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier.errors import InputError
from classifier.text import clean
from classifier.tokens import Tokenizer, domain_words

ODDS = """
2018-2020 APP下载 wifi密码 10086 3.5元 50% 100㎡ A栋B座 C++ #1 a.b@c.cn T恤 5G信号 K歌 JM20241003-0001
— …… ～ · １２３４５ ＡＰＰ （一） ，。！ 臺灣路燈不亮 業主委員會 噪聲擾民 車輛違停 gǎn 😀 𠮷 한국 カラ éà
""".split()  # noqa: SIM905 - a list literal would be a page
PIECES = [
    *"的了是不在一人有这中大为上个国路灯水电谢",
    "业主",
    "委员会",
    "AT&T",
    "c++",
    "B超",
    "ktv",
    "12",
    "\r\n",
    *ODDS,
]
ODDS += ["\t", "\n", "\u3000", " "]


@pytest.fixture(scope="module")
def words() -> dict[str, int]:
    return domain_words()


@pytest.fixture(scope="module")
def tokenizer(words) -> Tokenizer:
    return Tokenizer(words)


@pytest.fixture(scope="module")
def reference_of():
    """jieba's own pure Python with some words, in instances that no other test sees."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # escapes, the first time that it is compiled
        import jieba
    jieba.setLogLevel(logging.WARNING)

    def make(words: dict[str, int]):
        own = jieba.Tokenizer()
        for word, frequency in words.items():
            own.add_word(word, frequency)
        return own

    return make


@pytest.fixture(scope="module")
def reference(words, reference_of):
    """The same with the domain words."""
    return reference_of(words)


def lines_of(samples) -> list[str]:
    """All requests, cleaned and raw, windows of them at any place, and mixes with what is no Chinese."""
    chance = random.Random(12345)  # noqa: S311 - the same lines each time
    lines = list(samples.requests) + [clean(request) for request in samples.requests]
    for request in samples.requests:
        for _ in range(4):
            start = chance.randrange(len(request))
            lines.append(request[start : start + chance.randrange(2, 40)])
        start = chance.randrange(len(request))
        part = request[start : start + 12]
        lines.append(chance.choice(ODDS) + part + chance.choice(ODDS) + part[::-1] + chance.choice(ODDS))
    return lines + ODDS


def test_the_compiled_engine_cuts_as_jieba_does(samples, tokenizer, reference):
    lines = lines_of(samples)
    assert len(lines) > 3000
    differing = [
        (line, ours, theirs)
        for line, ours in zip(lines, tokenizer.cut_many(lines), strict=True)
        if ours != (theirs := list(reference.cut(line, HMM=False)))
    ]
    assert not differing, differing[:3]


@settings(deadline=None, max_examples=400)
@given(
    st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
    | st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x4FFF), max_size=30)
    | st.text(st.characters(exclude_categories=()))
)
@example("谢谢谢你")
@example("是是是是是是")
def test_any_text_is_cut_as_jieba_does(reference, tokenizer, text):
    assert tokenizer.cut_many([text]) == [list(reference.cut(text, HMM=False))]


def test_a_word_given_another_frequency_is_cut_as_jieba_does(reference_of):
    for words in ({"中国": 1}, {"人民": 0, "路灯不": 3}, {"的": 10**9}, {"A座楼": 5, "甲🙂乙": 7, "b": 0}):
        ours, theirs = Tokenizer(words), reference_of(words)
        for line in ["中国人民路灯不亮", "我们的中国的人民", "A座楼下b座a座楼", "甲🙂乙丙甲乙"]:
            assert ours.cut_many([line]) == [list(theirs.cut(line, HMM=False))]


def test_words_joined_are_the_text(samples, tokenizer):
    lines = lines_of(samples)
    assert ["".join(cut) for cut in tokenizer.cut_many(lines)] == lines


def test_as_many_cuts_as_texts_in_order(tokenizer):
    assert tokenizer.cut_many(["停水", "", "停电"]) == [["停水"], [], ["停电"]]
    assert tokenizer.cut_many([]) == []


def test_every_domain_word_comes_out_whole(tokenizer, words):
    assert len(words) > 100
    texts = [f"反映,{word},请处理" for word in words]
    cuts = tokenizer.cut_many(texts)
    assert [word for word, cut in zip(words, cuts, strict=True) if word not in cut] == []


def test_domain_words_are_in_the_form_that_cleaned_texts_have(words):
    assert [word for word in words if clean(word) != word] == []


def test_a_tokenizer_without_domain_words_cuts_them(tokenizer):
    assert Tokenizer().cut_many(["路灯不亮"]) != tokenizer.cut_many(["路灯不亮"]) == [["路灯不亮"]]


def test_tokenizers_do_not_share_their_words():
    Tokenizer({"甲乙丙丁戊": 1000})
    assert Tokenizer().cut_many(["甲乙丙丁戊"]) != [["甲乙丙丁戊"]]


def test_remarks_and_empty_lines_of_a_words_file_are_skipped(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("# 领域词\n\n泥头车 20  # 车\n  业委会 3\n", encoding="utf-8")
    assert domain_words(path) == {"泥头车": 20, "业委会": 3}


@pytest.mark.parametrize(
    "line", ["泥头车", "泥头车 多", "泥头车 -1", "泥头车 20 n x", "20 泥头车", "泥头车 1.5"]
)
def test_a_damaged_words_file_names_its_line(tmp_path, line):
    path = tmp_path / "words.txt"
    path.write_text(f"# 领域词\n业委会 3\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"words\.txt 第 3 行"):
        domain_words(path)
