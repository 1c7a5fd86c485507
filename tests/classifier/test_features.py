"""Sparse rows against a plain and slow account of what they should be, written down a second time here."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from classifier.errors import InputError
from classifier.features import BLOCKS, CHUNK, Features
from classifier.grams import Block
from classifier.text import clean
from classifier.tokens import Tokenizer, domain_words

ODD = [
    "",
    " ",
    "。",
    "!!!???...。。。",
    "路",
    "7",
    "😀",
    "😀路灯😀不亮𠮷𠮷",
    "\ud800路灯\udfff不亮\x00",
    "。路灯不亮",
    "路灯不亮!。?坏了",
    "路 灯 不 亮",
    "路灯,不亮;坏 了",
    "wifi KTV 12345 2018-2020",
    "路灯不亮" * 2000,
    "业主反映,小区物业管理混乱,电梯经常坏," * 400 + "请处理。",
    "一" * 59 + "路灯不亮。坏了",
    "一" * 60 + "路灯不亮。坏了",
    "\n\u3000路灯<br>不亮\n",
    "臺灣路燈不亮ＡＢＣ",
]


@pytest.fixture(scope="module")
def texts(samples) -> list[str]:
    return [clean(request) for request in samples.requests]


@pytest.fixture(scope="module")
def odd() -> list[str]:
    cleaned = [clean(text) for text in ODD]
    assert max(map(len, cleaned)) >= 7000
    return cleaned


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(domain_words())


@pytest.fixture(scope="module")
def features(texts, tokenizer) -> Features:
    return Features.fit(texts, tokenizer)


# --- the second account ---


def is_word(string: str) -> bool:
    return any(character.isalnum() for character in string)


def runs(units: list[str | None], longest: int):
    """All runs of 1 to `longest` units without a None among them."""
    for start in range(len(units)):
        for length in range(1, longest + 1):
            run = units[start : start + length]
            if len(run) == length and None not in run:
                yield tuple(run)


def title_of(words: list[str]) -> list[str]:
    title: list[str] = []
    for word in words:
        if word in {"。", "!", "?", "！", "？"} or len("".join([*title, word])) > 60:
            break
        title.append(word)
    return title


def grams(text: str, tokenizer: Tokenizer) -> Counter:
    """How often each (block, gram) stands in a text."""
    words = tokenizer.cut_many([text])[0]
    found = Counter()
    for number, block in enumerate(BLOCKS):
        field = words if block.field == "text" else title_of(words)
        if block.kind == "words":
            units = [word if is_word(word) else None for word in field]
        else:  # characters beyond the first plane part texts as punctuation does
            solid = [character for character in "".join(field) if character != " "]
            units = [c if c.isalnum() and ord(c) < 0x10000 else None for c in solid]
        found.update((number, gram) for gram in runs(units, block.longest))
    return found


def inverse_frequencies(texts: list[str], tokenizer: Tokenizer) -> dict:
    seen = Counter()
    for text in texts:
        seen.update(set(grams(text, tokenizer)))
    return {
        gram: 1 + math.log((1 + len(texts)) / (1 + count))
        for gram, count in seen.items()
        if count >= BLOCKS[gram[0]].min_texts
    }


def plain_row(text: str, known: dict, tokenizer: Tokenizer) -> dict:
    values = {
        gram: (1 + math.log(count)) * known[gram]
        for gram, count in grams(text, tokenizer).items()
        if gram in known
    }
    squares = defaultdict(float)
    for (block, _), value in values.items():
        squares[block] += value * value
    return {gram: value / math.sqrt(squares[gram[0]]) for gram, value in values.items()}


# --- what a column stands for, taken from its key ---


def gram_of(features: Features, key: int):
    block, rest = (key >> 48) - 1, key & (1 << 48) - 1
    bits = 24 if BLOCKS[block].kind == "words" else 16
    units = []
    while rest:
        units.append(rest & (1 << bits) - 1)
        rest >>= bits
    name = (lambda n: features.words[n - 1]) if bits == 24 else chr
    return block, tuple(name(unit) for unit in reversed(units))


@pytest.fixture(scope="module")
def names(features) -> list:
    return [gram_of(features, key) for key in features.keys.tolist()]


@pytest.fixture(scope="module")
def known(texts, tokenizer) -> dict:
    return inverse_frequencies(texts, tokenizer)


def check_rows(rows, texts, names, known, tokenizer) -> None:
    assert rows.shape == (len(texts), len(names))
    for i, text in enumerate(texts):
        row = rows[i]
        ours = {names[column]: value for column, value in zip(row.indices, row.data.tolist(), strict=True)}
        theirs = plain_row(text, known, tokenizer)
        assert set(ours) == set(theirs), text[:60]
        assert ours == pytest.approx(theirs, rel=1e-5), text[:60]


def test_exactly_the_frequent_grams_are_kept_with_their_weights(features, names, known):
    ours = dict(zip(names, features.weights.tolist(), strict=True))
    assert len(ours) == len(features)
    assert {block for block, _ in ours} == {0, 1, 2, 3}
    assert ours == pytest.approx(known, rel=1e-6)


def test_rows_are_what_the_plain_account_says(features, texts, names, known, tokenizer):
    some = texts[::4]
    check_rows(features.transform(some), some, names, known, tokenizer)


def test_rows_of_odd_texts_are_what_the_plain_account_says(features, odd, names, known, tokenizer):
    check_rows(features.transform(odd), odd, names, known, tokenizer)


def test_rows_of_windows_of_texts_are_what_the_plain_account_says(features, texts, names, known, tokenizer):
    windows = [text[i % 7 : i % 7 + 3 + i % 50] for i, text in enumerate(texts[:150])]
    check_rows(features.transform(windows), windows, names, known, tokenizer)


# --- rows ---


def test_a_row_has_length_one_within_each_block(features, texts, names):
    block_of = np.array([block for block, _ in names])
    rows = features.transform(texts[:50])
    for block in range(len(BLOCKS)):
        squares = np.asarray(rows[:, block_of == block].power(2).sum(axis=1)).ravel()
        assert squares[squares > 0] == pytest.approx(1, abs=1e-5)


def test_rows_are_single_precision_with_ascending_columns(features, texts):
    rows = features.transform(texts[:100])
    assert rows.dtype == np.float32
    for i in range(rows.shape[0]):
        assert (np.diff(rows[i].indices) > 0).all()


def test_rows_do_not_depend_on_the_batch_they_come_in(features, texts, odd):
    many = [*texts, *odd, *texts][: 2 * CHUNK + 100]
    together = features.transform(many)
    for i in [*range(0, len(many), 37), CHUNK - 1, CHUNK, 2 * CHUNK - 1, 2 * CHUNK, len(many) - 1]:
        alone = features.transform([many[i]])
        assert np.array_equal(alone.indices, together[i].indices)
        assert np.array_equal(alone.data, together[i].data)


def test_no_texts_give_no_rows(features):
    assert features.transform([]).shape == (0, len(features))


@pytest.mark.parametrize("nothing", ["", " ", "。!?", "😀", "\u3000"])
def test_a_text_without_known_grams_has_an_empty_row(features, nothing):
    assert features.transform([clean(nothing)]).nnz == 0


# --- borders ---


def columns_of(features, texts) -> list[set[int]]:
    rows = features.transform(texts)
    return [set(rows[i].indices.tolist()) for i in range(len(texts))]


@pytest.mark.parametrize("mark", [",", "。", "!", "-", "(", "😀", ":"])
def test_no_gram_crosses_punctuation(features, names, mark):
    whole, parted = columns_of(features, ["路灯", f"路{mark}灯"])
    crossing = {column for column in whole if len("".join(names[column][1])) > 1}
    assert crossing
    assert not crossing & parted


def test_no_gram_crosses_the_end_of_a_text(features, names):
    whole, first, second = columns_of(features, ["路灯", "路", "灯"])
    long = {column for column in whole if len("".join(names[column][1])) > 1}
    assert long
    assert not long & (first | second)


def test_a_space_parts_no_characters(features, names):
    whole, spaced = columns_of(features, ["路灯不亮", "路 灯 不 亮"])
    characters = {column for column in whole if BLOCKS[names[column][0]].kind == "characters"}
    assert characters
    assert characters <= spaced


def test_the_first_sentence_is_a_field_of_its_own(features, names):
    first, later = columns_of(features, ["路灯不亮。请处理", "请处理。路灯不亮"])
    in_title = {names[column][1] for column in first if BLOCKS[names[column][0]].field == "title"}
    assert ("路", "灯") in in_title
    later_title = {names[column][1] for column in later if BLOCKS[names[column][0]].field == "title"}
    assert ("路", "灯") not in later_title


# --- occurrences ---


def test_occurrences_are_as_many_as_the_counts_of_a_row(features, texts, odd, names, known):
    for text in [*texts[::10], *odd]:
        columns, starts, untils = features.occurrences(text)
        counts = {gram: count for gram, count in grams(text, features.tokenizer).items() if gram in known}
        assert Counter(names[column] for column in columns.tolist()) == counts
        assert ((starts >= 0) & (starts < untils) & (untils <= len(text))).all()


def test_an_occurrence_stands_where_its_gram_stands(features, texts, odd, names):
    for text in [*texts[::10], *odd]:
        for column, start, until in zip(*(part.tolist() for part in features.occurrences(text)), strict=True):
            block, gram = names[column]
            there = text[start:until]
            assert "".join(gram) == (there if BLOCKS[block].kind == "words" else there.replace(" ", ""))


# --- fitting ---


def test_texts_that_share_nothing_are_too_few(tokenizer):
    with pytest.raises(InputError, match="2 条样本太少"):
        Features.fit(["路灯不亮", "停水"], tokenizer)


def test_fitting_in_chunks_changes_nothing(texts, tokenizer, features, monkeypatch):
    monkeypatch.setattr("classifier.features.FIT_CHUNK", 97)
    again = Features.fit(texts, tokenizer)
    assert again.words == features.words
    assert np.array_equal(again.keys, features.keys)
    assert np.array_equal(again.weights, features.weights)


def test_a_text_counts_by_its_share(texts, tokenizer):
    """Four texts that count a quarter are one text."""
    shares = np.array([1.0, 1, 1, 0.25, 0.25, 0.25, 0.25])
    few = ["路灯，不亮", "路灯，不亮", "路灯，坏了", *["井盖，坏了"] * 4]
    fitted = Features.fit(few, tokenizer, [Block("text", "words", 1, 2)], shares)
    known = dict(zip(fitted.words, fitted.weights.tolist(), strict=True))
    assert "井盖" not in known  # in four texts, but they count as one
    assert known["路灯"] == pytest.approx(1 + np.log(5 / 4))
    whole = Features.fit(texts, tokenizer, shares=np.ones(len(texts)))
    assert np.array_equal(whole.keys, Features.fit(texts, tokenizer).keys)


def test_the_order_of_the_texts_leaves_no_trace(texts, tokenizer, features):
    again = Features.fit(texts[::-1], tokenizer)
    assert again.words == features.words == sorted(features.words)
    assert np.array_equal(again.keys, features.keys)
    assert np.array_equal(again.weights, features.weights)


def test_blocks_of_characters_alone_need_no_words(texts, tokenizer):
    own = Features.fit(texts, tokenizer, [Block("text", "characters", 2, 5)])
    assert own.words == []
    assert own.transform(texts[:3]).nnz > 0
    assert own.describe() == [{"field": "text", "kind": "characters", "longest": 2, "min_texts": 5}]
