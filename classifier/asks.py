"""A request that asks for several things, in its parts.

Citizens number what they ask for, or begin the next matter with a word such as 另外. A part shows its own
matter, which in the whole text drowns beside the first.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .codes import Codes, Places

LONGEST = 100  # characters of a part that are read: what it is about stands at its beginning
SHORTEST = 12  # characters below which a part says too little
MOST = 6  # parts that are read

_BEFORE = "。!?;,:，；！？：、 "
_CUE = re.compile(
    rf"""(?<=[{_BEFORE}])
    (?:另外|另有|此外|还有|其次|再者|再有|同时|顺便|并且还|(?:第|其)[二三四五六]
    | [二三四五六2-6][、.．,，)）] | [(（][二三四五六2-6][)）])""",
    re.VERBOSE,
)
_BEGIN = "另此还其再同顺并第二三四五六23456(（"
_NEXT = "外有次者时便且二三四五六23456、.．,，)）"


def asks(cleaned: Codes) -> tuple[Codes, Places]:
    """The beginnings of the parts of cleaned texts that have several, and the place of each part's text."""
    spans, owners = [], []
    for place, text in _candidates(cleaned):
        start = int(cleaned.starts[place])
        found = parts(text)
        spans += [(start + begin, until - begin) for begin, until in found]
        owners += [place] * len(found)
    starts, lengths = np.array(spans, dtype=np.int64).reshape(-1, 2).T
    return Codes(cleaned.points, starts, lengths), np.array(owners, dtype=np.int64)


def parts(text: str) -> list[tuple[int, int]]:
    """Where the parts of a cleaned text begin, and until where they are read; none where it is of one."""
    starts = [0, *(cue.start() for cue in _CUE.finditer(text)), len(text)]
    found = [
        (start, min(until, start + LONGEST)) for start, until in pairwise(starts) if until - start >= SHORTEST
    ]
    return found[:MOST] if len(found) > 1 else []


def _candidates(cleaned: Codes) -> list[tuple[int, str]]:
    """The texts that may have a cue: the first two characters of one after a mark. Most have none."""
    before, begin, following = _tables()
    points = np.minimum(cleaned.points, len(before) - 1)
    met = np.flatnonzero(begin[points[1:-1]])
    met = met[before[points[met]] & following[points[met + 2]]]
    if not len(met):
        return []
    until = np.searchsorted(met, cleaned.starts + cleaned.lengths - 1)
    which = np.flatnonzero(until > np.searchsorted(met, cleaned.starts))
    some = Codes(cleaned.points, cleaned.starts[which], cleaned.lengths[which])
    return list(zip(which.tolist(), some.texts(), strict=True))


@cache
def _tables() -> tuple[npt.NDArray[np.bool_], ...]:
    """For each place of a cue which characters may stand there."""
    tables = np.zeros((3, 0x10000), dtype=bool)
    for table, characters in zip(tables, (_BEFORE, _BEGIN, _NEXT), strict=True):
        table[[ord(character) for character in characters]] = True
    return tuple(tables)
