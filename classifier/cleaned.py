"""Many texts cleaned at once: the plain ones, which most are, by the compiled kernel.

`classifier.text.clean` says what cleaning is, and does it wherever the kernel cannot be sure: where a
character means something only beside others (combining marks, mark-up), may fold with its neighbours
(traditional ones), or may belong to a long number; and where a text says nothing but courtesies.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from .codes import Codes
from .courtesy import COURTESIES, OPENINGS, expressions
from .kernel import Expressions, clean_plain
from .text import MAX_CHARACTERS, clean, traditional

_PLANE = 0x10000
_HANZI = range(0x4E00, 0xA000)
_ALONE = (  # where to look for other characters whose fate does not depend on their neighbours
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),
    *range(0x2010, 0x2030),
    *range(0x2030, 0x2060),
    *range(0x2190, 0x2200),
    *range(0x2460, 0x2500),
    *range(0x2500, 0x2700),
    *range(0x3000, 0x3040),
    *range(0xFF01, 0xFF5F),
)
_BEGIN_MARKUP = "<&＜＆"
_SPACES = "\t\n\v\f\r \u00a0\u3000"
_ELLIPSIS = "…"  # grows: the kernel knows


def clean_many(texts: Sequence[str] | Codes) -> Codes:
    """The texts as `clean` gives them, each by itself."""
    codes = Codes.of(texts)
    cleaned = clean_plain(codes, _table(), *_expressions(), MAX_CHARACTERS)
    left = np.flatnonzero(cleaned.lengths < 0)
    return cleaned.replaced(left, [clean(codes.text(place)) for place in left.tolist()])


@cache
def _expressions() -> tuple[Expressions, Expressions]:
    return Expressions(expressions(COURTESIES)), Expressions(expressions(OPENINGS))


@cache
def _table() -> npt.NDArray[np.uint16]:
    """What becomes of each code point of the first plane; 0 where it cannot be told alone."""
    table = np.zeros(_PLANE, dtype=np.uint16)
    table[_HANZI] = _HANZI
    table[[ord(character) for character in traditional() if ord(character) < _PLANE]] = 0
    for before, after in _judged():
        table[ord(before)] = ord(after)
    return table


def _judged() -> Iterator[tuple[str, str]]:
    """Characters beside hanzi, and the one character that cleaning makes of each wherever it stands."""
    yield from ((space, " ") for space in _SPACES)
    yield _ELLIPSIS, _ELLIPSIS
    for character in map(chr, _ALONE):
        after = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).lower())
        alone = len(after) == 1 and not unicodedata.category(after).startswith(("M", "C", "Z"))
        if alone and unicodedata.normalize("NFD", after) == after and character not in _BEGIN_MARKUP:
            yield character, after
