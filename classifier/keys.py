"""Grams as 64-bit keys, and a table that finds millions of them a second.

A gram's key is `block (8 bits) | gram (48 bits)`: three characters of 16 bits each, or two words of
24 bits each. One number thus names a gram exactly, equal grams have equal keys and keys sort by
block. The table is an open-addressing hash table whose probing is done for all keys at once
(multiplicative hashing: Knuth, The Art of Computer Programming 3, section 6.4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Columns = npt.NDArray[np.int32]

BLOCK_SHIFT = np.uint64(48)
WORD_BITS = np.uint64(24)
CHARACTER_BITS = np.uint64(16)
EMPTY = np.uint64(0)  # no gram has this key: blocks are counted from 1

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_ROOM = 4  # slots for each key: most look-ups end at the first slot


class KeyTable:
    """Finds the column of each key, in the order in which the keys were given."""

    def __init__(self, keys: Keys) -> None:
        bits = max(4, int(len(keys) * _ROOM - 1).bit_length())
        self._shift = np.uint64(64 - bits)
        self._mask = np.int64((1 << bits) - 1)
        self._keys = np.zeros(1 << bits, dtype=np.uint64)
        self._columns = np.full(1 << bits, -1, dtype=np.int32)
        self._place(keys)

    def find(self, keys: Keys) -> Columns:
        """The column of each of `keys`, -1 where the table does not hold it."""
        slots = self._home(keys)
        met = self._keys[slots]
        columns = self._columns[slots]  # an empty slot's column is -1
        astray = np.flatnonzero((met != keys) & (met != EMPTY))
        while astray.size:
            slots[astray] = (slots[astray] + 1) & self._mask
            met = self._keys[slots[astray]]
            columns[astray] = self._columns[slots[astray]]
            astray = astray[(met != keys[astray]) & (met != EMPTY)]
        return columns

    def _home(self, keys: Keys) -> npt.NDArray[np.int64]:
        return ((keys * _MULTIPLIER) >> self._shift).astype(np.int64)

    def _place(self, keys: Keys) -> None:
        waiting = np.arange(len(keys), dtype=np.int64)
        slots = self._home(keys)
        while waiting.size:
            free = waiting[self._keys[slots[waiting]] == EMPTY]
            taken, first = np.unique(slots[free], return_index=True)  # one key for each free slot
            self._keys[taken] = keys[free[first]]
            self._columns[taken] = free[first]
            waiting = waiting[self._keys[slots[waiting]] != keys[waiting]]
            slots[waiting] = (slots[waiting] + 1) & self._mask


def distinct(keys: Keys) -> tuple[Keys, npt.NDArray[np.int64]]:
    """The different keys in ascending order, and how often each stands there."""
    return np.unique(keys, return_counts=True)
