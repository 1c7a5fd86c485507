"""Many texts as one array of bytes: the form in which a csv is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from .codes import Places

Block = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Utf8:
    """Text `i` is `block[starts[i] : starts[i] + lengths[i]]`; between texts anything may stand."""

    block: Block
    starts: Places
    lengths: Places

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Texts one behind the other, each with a line feed after it.

        A lone surrogate, as broken JSON brings it, becomes a question mark.
        """
        encoded = [text.encode("utf-8", "replace") for text in texts]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        block = np.frombuffer(b"\n".join([*encoded, b""]), dtype=np.uint8)
        return cls(block, np.cumsum(lengths + 1) - lengths - 1, lengths)

    def replaced(self, which: Places, others: Utf8) -> Utf8:
        """The same texts, those at the places `which` replaced by others."""
        if not len(which):
            return self
        starts, lengths = self.starts.copy(), self.lengths.copy()
        starts[which] = others.starts + len(self.block)
        lengths[which] = others.lengths
        return Utf8(np.concatenate([self.block, others.block]), starts, lengths)


@dataclass(frozen=True, slots=True)
class Fields:
    """A column of a csv: row `i` has the text at `places[i]`."""

    places: Places
    values: Utf8

    def __len__(self) -> int:
        return len(self.places)
