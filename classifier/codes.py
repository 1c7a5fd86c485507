"""Many texts as one array of code points: the form in which the compiled kernel reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Codes:
    """Text `i` is `points[starts[i] : starts[i] + lengths[i]]`; between texts anything may stand."""

    points: Points
    starts: Places
    lengths: Places

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, some: slice | Places) -> Codes:
        """Some of the texts."""
        return Codes(self.points, self.starts[some], self.lengths[some])

    @classmethod
    def of(cls, texts: Sequence[str] | Codes) -> Codes:
        """The code points of texts, halves of surrogate pairs among them; of code points, themselves."""
        if isinstance(texts, Codes):
            return texts
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        encoded = "".join(texts).encode("utf-32-le", "surrogatepass")
        return cls(np.frombuffer(encoded, dtype="<u4"), np.cumsum(lengths) - lengths, lengths)

    def text(self, place: int) -> str:
        """One text as Python's."""
        start = self.starts[place]
        points = self.points[start : start + self.lengths[place]]
        return points.tobytes().decode("utf-32-le", "surrogatepass")

    def texts(self) -> list[str]:
        """The texts as Python's."""
        return [self.text(place) for place in range(len(self))]

    def replaced(self, which: Places, texts: Sequence[str]) -> Codes:
        """The same texts, those at the places `which` replaced by others."""
        if not len(which):
            return self
        others = Codes.of(texts)
        starts, lengths = self.starts.copy(), self.lengths.copy()
        starts[which] = others.starts + len(self.points)
        lengths[which] = others.lengths
        return Codes(np.concatenate([self.points, others.points]), starts, lengths)
