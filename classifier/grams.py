"""Texts to grams: words, word pairs and runs of characters, each as a key of 64 bits.

The plain account of what the compiled kernel does when texts are tagged (native/rows.c): for learning which
grams there are, and for telling where they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt

from .keys import CHARACTER_BITS, PLANE, WORD_BITS, Keys, in_block, is_word

Rows = npt.NDArray[np.int64]

SENTENCE_ENDS = frozenset("。!?！？")
TITLE_CHARACTERS = 60  # a first sentence longer than this is cut here


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of gram of one field, and in how many texts a gram must stand to be kept."""

    field: str  # "text" or "title"
    kind: str  # "words" or "characters"
    longest: int  # grams of 1 to this many words (at most 2) or characters (at most 3)
    min_texts: int


def title_words(words: Iterable[str]) -> Iterator[str]:
    """The words of the first sentence, its end mark not among them."""
    length = 0
    for word in words:
        length += len(word)
        if length > TITLE_CHARACTERS or word in SENTENCE_ENDS:
            return
        yield word


def grams_of(
    texts: Sequence[str], words: Sequence[list[str]], blocks: Sequence[Block], numbers: Mapping[str, int]
) -> tuple[Rows, Keys]:
    """All grams of the texts as (row, key), a gram that stands twice given twice."""
    fields = _fields(texts, words)
    units: dict[tuple[str, str], tuple[Rows, Keys]] = {}
    found_rows: list[Rows] = []
    found_keys: list[Keys] = []
    for number, block in enumerate(blocks, start=1):
        kind = (block.field, block.kind)
        if kind not in units:
            units[kind] = _units(block, *fields[block.field], numbers)
        for rows, keys in _runs(*units[kind], block.longest, _bits(block)):
            found_rows.append(rows)
            found_keys.append(in_block(keys, number))
    return np.concatenate(found_rows), np.concatenate(found_keys)


def grams_at(
    text: str, words: list[str], blocks: Sequence[Block], numbers: Mapping[str, int]
) -> tuple[Keys, Rows, Rows]:
    """Where each gram of one text stands: (key, start, until), a row an occurrence, in characters."""
    found: list[tuple[Keys, Rows, Rows]] = []
    fields = _fields([text], [words])
    for number, block in enumerate(blocks, start=1):
        strings, cuts = fields[block.field]
        _, units = _units(block, strings, cuts, numbers)
        starts, untils = _places(block, strings[0], cuts[0])
        places = np.arange(len(units))
        for length, (begin, keys) in enumerate(_runs(places, units, block.longest, _bits(block)), start=1):
            found.append((in_block(keys, number), starts[begin], untils[begin + length - 1]))
    keys, starts, untils = (np.concatenate(part) for part in zip(*found, strict=True))
    return keys, starts, untils


def _fields(
    texts: Sequence[str], words: Sequence[list[str]]
) -> dict[str, tuple[Sequence[str], Sequence[list[str]]]]:
    """Each field's strings and their words; a title's words are the first ones of its text."""
    titles = [list(title_words(cut)) for cut in words]
    return {"text": (texts, words), "title": (["".join(cut) for cut in titles], titles)}


def _units(
    block: Block, strings: Sequence[str], cuts: Sequence[list[str]], numbers: Mapping[str, int]
) -> tuple[Rows, Keys]:
    """What a block's grams are runs of: characters or words as numbers, and the text that each is of."""
    return _characters(strings) if block.kind == "characters" else _words(cuts, numbers)


def _places(block: Block, string: str, cut: Sequence[str]) -> tuple[Rows, Rows]:
    """Where each unit of one text begins and ends, in characters; the closing separator stands at its end."""
    if block.kind == "characters":
        starts = np.array([*(i for i, character in enumerate(string) if character != " "), len(string)])
        return starts, starts + 1
    ends = np.cumsum([len(word) for word in cut] + [0])
    return np.concatenate([[0], ends[:-1]]), ends


def _bits(block: Block) -> np.uint64:
    return CHARACTER_BITS if block.kind == "characters" else WORD_BITS


def _runs(rows: Rows, units: Keys, longest: int, bits: np.uint64) -> Iterator[tuple[Rows, Keys]]:
    """Runs of 1 to `longest` units that hold no zero: zeros part texts and whatever is unknown."""
    keys, starts = units, np.flatnonzero(units)
    for length in range(1, longest + 1):
        if length > 1:
            starts = starts[starts < len(units) - length + 1]
            starts = starts[units[starts + length - 1] != 0]
            keys = (keys[:-1] << bits) | units[length - 1 :]
        yield rows[starts], keys[starts]


def _words(cuts: Sequence[list[str]], numbers: Mapping[str, int]) -> tuple[Rows, Keys]:
    """Word numbers in a row, 0 for an unknown word and after each text."""
    parted = chain.from_iterable([*cut, ""] for cut in cuts)  # "" is never a known word
    flat = np.fromiter(map(numbers.get, parted, repeat(0)), dtype=np.uint64)
    lengths = np.fromiter((len(cut) + 1 for cut in cuts), dtype=np.int64, count=len(cuts))
    return np.repeat(np.arange(len(cuts)), lengths), flat


def _characters(texts: Sequence[str]) -> tuple[Rows, Keys]:
    """Characters in a row without white space, 0 for punctuation and after each text."""
    joined = "\0".join([*texts, ""]).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(joined, dtype=np.uint32)
    lengths = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
    rows = np.repeat(np.arange(len(texts)), lengths)
    solid = codes != ord(" ")
    codes, rows = codes[solid], rows[solid]
    narrow = np.where(codes < PLANE, codes, 0)
    return rows, np.where(is_word()[narrow], narrow, 0).astype(np.uint64)
