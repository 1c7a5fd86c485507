import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.csv_kernel import lines_with, text_sums
from classifier.utf8 import Fields, Utf8

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def texts_of(utf8):
    spans = zip(utf8.starts, utf8.lengths, strict=True)
    return [utf8.block[start : start + length].tobytes().decode() for start, length in spans]


@given(st.lists(TEXTS))
def test_texts_are_as_they_were_given(texts):
    assert texts_of(Utf8.of(texts)) == texts


def test_half_of_a_surrogate_pair_becomes_a_question_mark():
    assert texts_of(Utf8.of(["路\ud800灯"])) == ["路?灯"]


@given(st.lists(TEXTS, min_size=1), st.data())
def test_some_texts_are_replaced_by_others(texts, data):
    which = data.draw(st.lists(st.sampled_from(range(len(texts))), unique=True))
    others = data.draw(st.lists(TEXTS, min_size=len(which), max_size=len(which)))
    expected = list(texts)
    for place, other in zip(which, others, strict=True):
        expected[place] = other
    replaced = Utf8.of(texts).replaced(np.array(which, dtype=np.int64), Utf8.of(others))
    assert texts_of(replaced) == expected


@given(st.lists(TEXTS), st.lists(st.lists(TEXTS, min_size=1, max_size=3), max_size=3), st.data())
def test_each_line_has_its_fields_behind_it_and_its_end(lines, columns, data):
    chosen = [
        [data.draw(st.sampled_from(range(len(values)))) for _ in lines] if lines else [] for values in columns
    ]
    fields = [
        Fields(np.array(places, dtype=np.int64), Utf8.of(values))
        for places, values in zip(chosen, columns, strict=True)
    ]
    block, ends = lines_with(Utf8.of(lines), fields)
    expected = [
        ",".join([line, *(values[places[row]] for values, places in zip(columns, chosen, strict=True))])
        + "\r\n"
        for row, line in enumerate(lines)
    ]
    assert block.tobytes().decode() == "".join(expected)
    assert ends.tolist() == list(np.cumsum([len(line.encode()) for line in expected]))


def test_equal_texts_have_equal_sums_whatever_blanks_are_about_them():
    texts = [
        "GD1",
        " GD1\t",
        "\u3000GD1\u00a0",
        "GD 1",
        "gd1",
        "GD1\0",
        "路灯不亮，请修",
        "路灯不亮，请修\u3000",
    ]
    sums = text_sums(Utf8.of(texts)).tolist()
    assert [sums.index(one) for one in sums] == [0, 0, 0, 3, 4, 0, 6, 6]
    assert text_sums(Utf8.of(["", " ", "\u3000 \u00a0"])).tolist() == [0, 0, 0]


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), max_size=20), unique=True)
)
def test_different_texts_have_different_sums(texts):
    assert len(set(text_sums(Utf8.of(texts)).tolist())) == len(texts)


def test_numbers_that_follow_each_other_have_different_sums():
    ids = [f"GD2026{number:09}" for number in range(200_000)]
    assert len(np.unique(text_sums(Utf8.of(ids)))) == len(ids)
