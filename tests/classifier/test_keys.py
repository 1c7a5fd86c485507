"""Keys against a plain dict."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.keys import document_counts, find

key = st.integers(1, 2**64 - 1) | st.integers(1, 40)


def as_keys(numbers) -> np.ndarray:
    return np.array(list(numbers), dtype=np.uint64)


@given(st.sets(key, max_size=200), st.lists(key | st.just(0), max_size=50))
def test_keys_are_found_as_in_a_dict(held, others):
    ascending = sorted(held)
    plain = {number: place for place, number in enumerate(ascending)}
    asked = [*ascending, *others]
    found = find(as_keys(ascending), as_keys(asked))
    assert found.dtype == np.int32
    assert found.tolist() == [plain.get(number, -1) for number in asked]


def test_among_no_keys_none_is_found():
    assert find(as_keys([]), as_keys([0, 1, 2**64 - 1])).tolist() == [-1, -1, -1]


def test_asking_for_nothing_gives_nothing():
    assert find(as_keys([1, 2]), as_keys([])).shape == (0,)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20))))
def test_a_key_counts_once_for_each_row_that_it_stands_in(grams):
    rows = np.array([row for row, _ in grams], dtype=np.int64)
    shares = np.array([1, 0.25, 0.5, 1])
    keys, counts = document_counts(rows, as_keys(key for _, key in grams), shares)
    seen = Counter()
    for row, key in set(grams):
        seen[key] += shares[row]
    assert dict(zip(keys.tolist(), counts.tolist(), strict=True)) == seen
    assert keys.tolist() == sorted(seen)
