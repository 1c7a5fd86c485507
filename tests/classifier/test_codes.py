"""Texts as code points, there and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.codes import Codes

any_texts = st.lists(st.text(st.characters(exclude_categories=())), max_size=8)


@given(any_texts)
def test_texts_come_back_as_they_were(texts):
    codes = Codes.of(texts)
    assert codes.texts() == texts
    assert len(codes) == len(texts)


@given(any_texts, st.data())
def test_replaced_texts_stand_among_the_others(texts, data):
    which = data.draw(st.lists(st.sampled_from(range(len(texts) or 1)), unique=True)) if texts else []
    others = [f"另{place}" for place in which]
    expected = list(texts)
    for place, other in zip(which, others, strict=True):
        expected[place] = other
    assert Codes.of(texts).replaced(np.array(which, dtype=np.int64), others).texts() == expected
