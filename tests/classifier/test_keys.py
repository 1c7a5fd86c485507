"""The table of keys against a plain dict."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.keys import KeyTable, distinct

key = st.integers(1, 2**64 - 1) | st.integers(1, 40)
GOLDEN = 0x9E3779B97F4A7C15


def as_keys(numbers) -> np.ndarray:
    return np.array(list(numbers), dtype=np.uint64)


def check_against_dict(held: list[int], asked: list[int]) -> None:
    plain = {number: column for column, number in enumerate(held)}
    found = KeyTable(as_keys(held)).find(as_keys(asked))
    assert found.dtype == np.int32
    assert found.tolist() == [plain.get(number, -1) for number in asked]


@settings(deadline=None)
@given(st.lists(key, unique=True, max_size=200), st.lists(key | st.just(0), max_size=50))
def test_a_table_answers_as_a_dict_does(held, absent):
    check_against_dict(held, held + absent)


def test_two_hundred_thousand_random_keys_are_found_and_as_many_others_not():
    numbers = np.unique(np.random.default_rng(1).integers(1, 2**56, 400_000, dtype=np.uint64))
    numbers = np.random.default_rng(2).permutation(numbers)
    held, absent = numbers[:200_000], numbers[200_000:]
    table = KeyTable(held)
    assert np.array_equal(table.find(held), np.arange(len(held)))
    assert (table.find(absent) == -1).all()


def test_keys_that_fall_into_the_same_slot_are_all_found():
    back = pow(GOLDEN, -1, 2**64)  # multiplying by it undoes the hash: these all hash to the last slots
    colliding = [((2**64 - 1 - i) * back) % 2**64 for i in range(300)]
    check_against_dict(colliding[:150], colliding)


def test_probing_goes_round_the_end_of_the_table():
    back = pow(GOLDEN, -1, 2**64)
    last_slot = [((2**64 - 1 - i) * back) % 2**64 for i in range(3)]
    first_slot = [((1 + i) * back) % 2**64 for i in range(3)]
    check_against_dict([*last_slot, *first_slot], [*first_slot, *last_slot])


def test_an_empty_table_finds_nothing():
    check_against_dict([], [0, 1, 2**64 - 1])


def test_asking_for_nothing_gives_nothing():
    assert KeyTable(as_keys([1, 2])).find(as_keys([])).shape == (0,)


def test_the_empty_key_is_never_found():
    check_against_dict(list(range(1, 60)), [0] * 3)


@given(st.lists(st.integers(1, 20)))
def test_distinct_counts_each_key(numbers):
    keys, counts = distinct(as_keys(numbers))
    assert dict(zip(keys.tolist(), counts.tolist(), strict=True)) == {n: numbers.count(n) for n in numbers}
    assert keys.tolist() == sorted(set(numbers))
