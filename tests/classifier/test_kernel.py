"""The compiled kernel: the same answers whatever the processor, the batch or the thread."""

from __future__ import annotations

import codecs
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import library
from classifier.cleaned import clean_many
from classifier.codes import Codes
from classifier.csv_kernel import utf8_prefix
from classifier.errors import KernelMissing
from classifier.kernel import Expressions, GramTable, Lexicon, clean_plain
from classifier.stack import Stack
from classifier.weights import Weights

any_text = st.text(st.characters(exclude_categories=()))
PIECES = """
路灯 不亮 业主委员会 ktv 2018-2020 B超 a 7 。 , 😀 𠮷 \ud800 谢谢谢 是是是是
""".split()  # noqa: SIM905 - as texts are mixed
mixed_text = st.lists(st.sampled_from([*PIECES, "\r\n", "\r", " "]), max_size=60).map("".join)


def scores_of(model, codes: Codes, plain: bool = False) -> np.ndarray:
    features, heads = model.features, model.weights.heads(model.bias, model.stack)
    return features._grams.scores(features.tokenizer.lexicon, codes, heads, plain)[0]


def test_every_processor_gives_the_same_scores_to_the_last_bit(model, samples):
    codes = clean_many(samples.requests)
    assert np.array_equal(scores_of(model, codes), scores_of(model, codes, plain=True))


def test_scores_are_rows_times_weights(model, samples):
    cleaned = samples.requests[:200]
    rows = model.features.transform(cleaned).astype(np.float64)
    exact = rows @ model.weights.of_grams(np.arange(len(model.features))) + model.bias
    scores, blank = model.features.scores(Codes.of(cleaned), model.weights.heads(model.bias))
    assert scores[:, model.weights.columns] == pytest.approx(exact, abs=1e-5)
    assert blank.tolist() == (np.diff(rows.indptr) == 0).tolist()


@pytest.mark.parametrize(("units", "experts"), [(1, 0), (8, 3), (30, 5), (64, 0), (64, 40)])
def test_the_layer_corrects_scores_as_it_does_in_python(model, samples, units, experts):
    features, codes, random = model.features, Codes.of(samples.requests[:200]), np.random.default_rng(2)
    labels = model.labels
    steps = random.normal(size=(len(features), labels + experts)).astype(np.float32)
    weights, bias = Weights.of(steps), random.normal(0, 0.1, size=labels + experts).astype(np.float32)
    gates = random.integers(0, experts, 20).astype(np.int32) if experts else np.empty(0, np.int32)
    stack = Stack(
        random.normal(size=(labels + experts, units)).astype(np.float32),
        random.normal(size=units).astype(np.float32),
        random.normal(size=(units, labels)).astype(np.float32),
        gates,
    )
    plain, _ = features.scores(codes, weights.heads(bias))
    heads = weights.heads(bias, stack)
    scores, _ = features.scores(codes, heads)
    exact = stack.corrected(plain[:, weights.columns].astype(np.float64))
    assert scores[:, :labels] == pytest.approx(exact, rel=1e-4, abs=1e-3)
    if experts:
        assert len(np.unique(plain[:, :20].argmax(axis=1))) > 5  # many gates were open
    again = features._grams.scores(features.tokenizer.lexicon, codes, heads, plain=True)[0]
    assert np.array_equal(scores, again)


def test_scores_of_many_labels_are_those_of_each_alone(model, samples):
    features, codes = model.features, Codes.of(samples.requests[:20])
    many = np.random.default_rng(1).normal(size=(len(features), 130)).astype(np.float32)
    bias = np.arange(many.shape[1], dtype=np.float32)
    together, _ = features.scores(codes, Weights.of(many).heads(bias))
    for label in (0, 31, 32, 95, 96, 129):
        alone, _ = features.scores(codes, Weights.of(many[:, [label]]).heads(bias[[label]]))
        assert np.array_equal(alone[:, 0], together[:, label])


@settings(deadline=None)
@given(st.lists(any_text | mixed_text, max_size=6))
def test_any_texts_have_scores_that_do_not_depend_on_the_others(model, texts):
    together = scores_of(model, Codes.of(texts))
    assert np.isfinite(together).all()
    for place, text in enumerate(texts):
        assert np.array_equal(scores_of(model, Codes.of([text]))[0], together[place])


@settings(deadline=None)
@given(st.lists(any_text | mixed_text, max_size=6))
def test_any_texts_are_cut_into_words_that_joined_are_the_texts(model, texts):
    assert ["".join(cut) for cut in model.features.tokenizer.cut_many(texts)] == texts


def test_threads_may_share_everything(model, samples):
    codes = clean_many(samples.requests)
    once = scores_of(model, codes)
    with ThreadPoolExecutor(4) as threads:
        for scores in threads.map(lambda _: scores_of(model, codes), range(8)):
            assert np.array_equal(scores, once)


def test_a_gram_that_stands_a_thousand_times_counts_as_its_logarithm(model):
    columns, values = model.features.row("路灯" * 1000)
    keys = model.features.keys[columns]
    pair = np.uint64(2 << 48 | ord("路") << 16 | ord("灯"))
    single = np.uint64(2 << 48 | ord("路"))
    place, other = np.flatnonzero(keys == pair)[0], np.flatnonzero(keys == single)[0]
    weights = model.features.weights[columns]
    # Both stand there 1000 times, so what is left of their ratio is that of their weights.
    assert values[place] / values[other] == pytest.approx(weights[place] / weights[other], rel=1e-6)
    assert values[place] > 0


# --- what it refuses ---


def test_a_library_that_is_not_there_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr(library, "LIBRARY", "gone.so")
    with pytest.raises(KernelMissing, match="重新安装"):
        library.library.__wrapped__()


def test_a_library_of_other_sources_is_refused(tmp_path):
    (tmp_path / "kernel.c").write_text("int changed;")
    with pytest.raises(KernelMissing, match="与源码不一致"):
        library._check_fresh(library.library(), tmp_path / library.LIBRARY)


@pytest.mark.parametrize(
    "lines", [b"\xe8\xb7\xaf\n", b"\xe8\xb7\xaf x\n", b" 3 n\n", b"\xe8\xb7\xaf 3n\n", b"\n"]
)
def test_a_damaged_dictionary_names_its_line(lines):
    with pytest.raises(ValueError, match="line 2"):
        Lexicon("路灯 5 n\n".encode() + lines, {})


def test_a_frequency_beyond_the_dictionary_is_refused():
    with pytest.raises(ValueError, match="beyond"):
        Lexicon("路灯 5 n\n".encode(), {"不亮": 1 << 60})


@pytest.mark.parametrize("longest", [0, 3, -1])
def test_a_gram_longer_than_a_key_is_refused(longest):
    with pytest.raises(ValueError, match="blocks"):
        GramTable(
            np.array([1], np.uint64),
            np.ones(1, np.float32),
            [("text", "words", longest)],
            ["路灯"],
            np.ones(0x10000, np.bool_),
        )


def test_weights_of_another_model_are_refused(model):
    features, codes = model.features, Codes.of(["路灯"])
    few = Weights.of(np.ones((len(features) - 1, 3), np.float32))
    with pytest.raises(ValueError, match="weights"):
        features.scores(codes, few.heads(np.zeros(3, np.float32)))


def test_a_text_with_a_character_that_the_table_does_not_know_is_left_alone():
    table = np.zeros(0x10000, np.uint16)
    table[ord("路")] = ord("路")
    codes = Codes.of(["路路", "路灯", ""])
    assert clean_plain(codes, table, *[Expressions(["您好"])] * 2, 10).lengths.tolist() == [2, -1, 0]


def sound_bytes(block: bytes) -> int:
    """How far Python's decoder comes, a character that is cut off at the end not counted."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return len(decoder.decode(block).encode())
    except UnicodeDecodeError as error:
        return error.start


EDGES = [
    "",
    "a" * 9,
    "路灯不亮",
    "é",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\U00010000",
    "\U0010ffff",
]


@given(st.lists(st.sampled_from([edge.encode() for edge in EDGES]) | st.binary(max_size=4), max_size=20))
def test_bytes_are_utf8_as_far_as_python_says(parts):
    block = b"".join(parts)
    assert utf8_prefix(block) == sound_bytes(block)


@pytest.mark.parametrize(
    "block",
    [b"\xc0\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xff"],
)
def test_what_only_looks_like_utf8_is_none(block):
    assert utf8_prefix("路灯".encode() + block) == len("路灯".encode())


@pytest.mark.parametrize(
    "bad", [b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xe4\xb8", b"\xff", b"\x80", b"\xf0\x9f\x98\x80"]
)
def test_utf8_is_told_wherever_a_bad_character_stands_among_hanzi(bad):
    for before in range(40):
        block = "路".encode() * before + bad + "灯".encode() * 40
        assert utf8_prefix(block) == sound_bytes(block)
