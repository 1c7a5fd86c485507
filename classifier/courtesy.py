"""Courtesies, which say nothing of what is asked, and openings, which only say that something will be.

Left in, a greeting would stand where the title stands, and a polite end would dilute a short request. What
goes is a clause, from one mark to the next, that is made of the expressions of `data/courtesies.txt` and of
nothing else, the longest that fits taken each time: "尊敬的领导，您好！", but not "您好像没有回复" nor
"感谢社区医生". A text of nothing but courtesies is left as it is.

An opening is a sentence at the beginning that is made of those of `data/openings.txt`: "我想咨询一下。" It
tells what type of request follows and is read, but is no title: the mark behind it becomes a comma, so that
the first sentence goes on.

All this is of texts as `classifier.text` has cleaned them so far.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .errors import InputError
from .taxonomy import DATA

COURTESIES, OPENINGS = (DATA / f"{name}.txt" for name in ("courtesies", "openings"))

_MARKS = ",。!?;:~"  # between clauses; as courtesies.c has them
_ENDS = f"{_MARKS}. "  # behind one
_TO_COMMAS = str.maketrans("。!?", ",,,")


def expressions(path: Path) -> list[str]:
    """What courtesies or openings are made of, sorted, each once.

    Raises:
        InputError: an expression holds a space or one of the marks that end a clause.
    """
    found = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        for expression in line.split("#")[0].split():
            if set(expression) & set(_ENDS):
                raise InputError(f"{path} 第 {number} 行：“{expression}”不能含标点")
            found.add(expression)
    return sorted(found)


def without_courtesies(text: str) -> str:
    """The text without its courtesies; doing it again changes nothing."""
    left = _courtesies().sub("", text)
    return left if left.strip(_ENDS) else text


def courtesies_in(text: str) -> Iterator[tuple[int, int]]:
    """Where courtesies stand, and the marks that end them: from and until which character."""
    return (match.span() for match in _courtesies().finditer(text))


def with_openings_joined(text: str) -> str:
    """The text, as long as before, with what it opens with no longer a sentence of its own."""
    opening = _openings().match(text)
    return opening[0].translate(_TO_COMMAS) + text[opening.end() :] if opening else text


@cache
def _courtesies() -> re.Pattern[str]:
    """One clause after another that says nothing."""
    return re.compile(rf"(?<![^{_MARKS}])[ ]?(?:{_clause(COURTESIES)}(?:[{_ENDS}]++|\Z))+")


@cache
def _openings() -> re.Pattern[str]:
    return re.compile(rf"(?:{_clause(OPENINGS)}[{_ENDS}]++)+")


def _clause(path: Path) -> str:
    """Possessive, so that no text makes it try more than one way."""
    longest_first = sorted(expressions(path), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, longest_first))})++"
