"""Grams as 64-bit keys.

A gram's key is `block (8 bits) | gram (48 bits)`: three characters of 16 bits each, or two words of
24 bits each. One number thus names a gram exactly, equal grams have equal keys and keys sort by
block. No gram has the key 0: blocks are counted from 1. The compiled kernel forms the same keys
(native/grams.c).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Columns = npt.NDArray[np.int32]

BLOCK_SHIFT = np.uint64(48)
WORD_BITS = np.uint64(24)
CHARACTER_BITS = np.uint64(16)
PLANE = 0x10000  # code points that a character of a gram may have


def find(known: Keys, keys: Keys) -> Columns:
    """The place of each of `keys` among the ascending `known` ones, -1 where it is not among them."""
    if not len(known):
        return np.full(len(keys), -1, dtype=np.int32)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, -1).astype(np.int32)


def in_block(keys: Keys, number: int) -> Keys:
    """The keys of grams in the block of that number, counted from 1."""
    return keys | (np.uint64(number) << BLOCK_SHIFT)


def document_counts(
    rows: npt.NDArray[np.int64], keys: Keys, shares: npt.NDArray[np.float64]
) -> tuple[Keys, npt.NDArray[np.float64]]:
    """The different keys in ascending order, and in how many rows each stands; a row counts by its share."""
    order = np.lexsort((rows, keys))
    rows, keys = rows[order], keys[order]
    new = np.ones(len(keys), dtype=bool)
    new[1:] = (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])
    found, place = np.unique(keys[new], return_inverse=True)
    return found, np.bincount(place, shares[rows[new]], len(found)).astype(np.float64)


@cache
def is_word() -> npt.NDArray[np.bool_]:
    """Of each code point of the first plane, whether it is a letter or a digit, as grams are made of."""
    return np.array([chr(code).isalnum() for code in range(PLANE)])


def block_of(keys: Keys) -> npt.NDArray[np.int64]:
    """The place of each key's block among the blocks."""
    return (keys >> BLOCK_SHIFT).astype(np.int64) - 1
