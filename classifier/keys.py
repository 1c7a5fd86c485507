"""Grams as 64-bit keys.

A gram's key is `block (8 bits) | gram (48 bits)`: three characters of 16 bits each, or two words of
24 bits each. One number thus names a gram exactly, equal grams have equal keys and keys sort by
block. No gram has the key 0: blocks are counted from 1. The compiled kernel forms the same keys
(native/grams.c).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Columns = npt.NDArray[np.int32]

BLOCK_SHIFT = np.uint64(48)
WORD_BITS = np.uint64(24)
CHARACTER_BITS = np.uint64(16)


def find(known: Keys, keys: Keys) -> Columns:
    """The place of each of `keys` among the ascending `known` ones, -1 where it is not among them."""
    if not len(known):
        return np.full(len(keys), -1, dtype=np.int32)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, -1).astype(np.int32)


def distinct(keys: Keys) -> tuple[Keys, npt.NDArray[np.int64]]:
    """The different keys in ascending order, and how often each stands there."""
    return np.unique(keys, return_counts=True)
