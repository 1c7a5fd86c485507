"""Texts to sparse rows: words and character n-grams, of the whole text and of its first sentence.

The first sentence is the title of a work order that has one, and says most of what matters. Rows
hold TF-IDF weights, `(1 + ln tf) * (1 + ln((1 + N) / (1 + df)))` (sublinear term frequency and
smoothed inverse document frequency: Manning, Raghavan, Schuetze, Introduction to Information
Retrieval, sections 6.2 and 6.4), of Euclidean length one within each block, so that a long text
does not outweigh its title.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from .codes import Codes
from .errors import InputError
from .kernel import GramTable, Heads
from .keys import (
    BLOCK_SHIFT,
    CHARACTER_BITS,
    PLANE,
    WORD_BITS,
    Columns,
    Keys,
    block_of,
    document_counts,
    find,
    in_block,
    is_word,
)  # fmt: skip
from .tokens import Tokenizer
from .weights import Matrix

if TYPE_CHECKING:
    import scipy.sparse as sp

Rows = npt.NDArray[np.int64]
Counts = npt.NDArray[np.float64]

SENTENCE_ENDS = frozenset("。!?！？")
TITLE_CHARACTERS = 60  # a first sentence longer than this is cut here
CHUNK = 500  # texts whose grams are held at once: more than fit the processor's cache are slower
FIT_CHUNK = 4000  # while fitting, merging the counts of a chunk costs more than the cache saves

_ROUNDED = 1e-9  # what a sum of shares may lack


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of gram of one field, and in how many texts a gram must stand to be kept."""

    field: str  # "text" or "title"
    kind: str  # "words" or "characters"
    longest: int  # grams of 1 to this many words (at most 2) or characters (at most 3)
    min_texts: int


BLOCKS = (
    Block("text", "words", 1, 3),
    Block("text", "characters", 3, 5),
    Block("title", "words", 2, 3),
    Block("title", "characters", 3, 4),
)


class Features:
    """The grams that a model knows, and the rows that they make of texts.

    `keys` are ascending, so that the columns of a block stand together; `weights` holds the inverse
    document frequency of each; `words[i]` has the word number `i + 1`.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        blocks: Sequence[Block],
        words: Sequence[str],
        keys: Keys,
        weights: npt.NDArray[np.float32],
    ) -> None:
        self.tokenizer = tokenizer
        self.blocks = tuple(blocks)
        self.words = list(words)
        self.keys = keys
        self.weights = weights
        self._numbers = {word: number for number, word in enumerate(self.words, start=1)}
        self._grams = GramTable(
            keys, weights, [(b.field, b.kind, b.longest) for b in self.blocks], self.words, is_word()
        )

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        tokenizer: Tokenizer,
        blocks: Sequence[Block] = BLOCKS,
        shares: npt.NDArray[np.float64] | None = None,
    ) -> Features:
        """Learn from cleaned texts which grams are frequent enough to be kept, and their weights.

        `shares` tells how much each text counts; without it they all count as one.

        Raises:
            InputError: no gram is frequent enough.
        """
        counting = np.ones(len(texts)) if shares is None else shares
        numbers: dict[str, int] = {}
        found, seen = np.empty(0, dtype=np.uint64), np.empty(0)
        for start in range(0, len(texts), FIT_CHUNK):
            chunk, some = texts[start : start + FIT_CHUNK], counting[start : start + FIT_CHUNK]
            rows, keys = _grams(chunk, tokenizer.cut_many(chunk), blocks, _Learning(numbers))
            found, seen = _merged(found, seen, *document_counts(rows, keys, some))
        wanted = np.array([block.min_texts for block in blocks])
        kept = seen >= wanted[block_of(found)] - _ROUNDED
        if not kept.any():
            raise InputError(f"{len(texts)} 条样本太少：没有一个词出现得足够多，请提供更多样本")
        found, seen = found[kept], seen[kept]
        weights = 1 + np.log((1 + counting.sum()) / (1 + seen))
        words, found, order = _renumbered(numbers, found, blocks)
        return cls(tokenizer, blocks, words, found, weights[order].astype(np.float32))

    def transform(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Rows of cleaned texts: texts x grams, float32, columns ascending within a row."""
        import scipy.sparse as sp  # half a second that tagging does without

        starts = range(0, max(len(texts), 1), CHUNK)
        parts = [self._rows(texts[start : start + CHUNK]) for start in starts]
        rows = cast("sp.csr_matrix", sp.vstack(parts, format="csr"))
        rows.sort_indices()
        return rows

    def row(self, text: str) -> tuple[Columns, Matrix]:
        """The row of one cleaned text: columns in ascending order, and their values."""
        values, columns, _ = self._grams.rows(self.tokenizer.lexicon, Codes.of([text]))
        order = np.argsort(columns)
        return columns[order], values[order]

    def _rows(self, texts: Sequence[str]) -> sp.csr_matrix:
        from scipy.sparse import csr_matrix

        arrays = self._grams.rows(self.tokenizer.lexicon, Codes.of(texts))
        return csr_matrix(arrays, shape=(len(texts), len(self)))

    def scores(self, codes: Codes, heads: Heads) -> tuple[Matrix, npt.NDArray[np.bool_]]:
        """The scores of cleaned texts, texts x padded labels; and of each text whether it has no known gram.

        But for rounding `transform(texts) @ weights + bias`, corrected by the layer that the heads have.
        """
        return self._grams.scores(self.tokenizer.lexicon, codes, heads)

    def occurrences(self, text: str) -> tuple[Columns, Rows, Rows]:
        """Where the known grams of one cleaned text stand: (column, start, until), a row an occurrence.

        Offsets are characters of `text`. Slow beside `transform`: for explanations.
        """
        found: list[tuple[Keys, Rows, Rows]] = []
        fields = _fields([text], self.tokenizer.cut_many([text]))
        for number, block in enumerate(self.blocks, start=1):
            strings, cuts = fields[block.field]
            _, units = _units(block, strings, cuts, self._numbers)
            starts, untils = _places(block, strings[0], cuts[0])
            places = np.arange(len(units))
            for length, (begin, keys) in enumerate(
                _runs(places, units, block.longest, _bits(block)), start=1
            ):
                found.append((in_block(keys, number), starts[begin], untils[begin + length - 1]))
        keys, starts, untils = (np.concatenate(part) for part in zip(*found, strict=True))
        columns = find(self.keys, keys)
        known = columns >= 0
        return columns[known], starts[known], untils[known]

    def describe(self) -> list[dict[str, Any]]:
        """The blocks as plain values, for the stored model."""
        return [
            {"field": b.field, "kind": b.kind, "longest": b.longest, "min_texts": b.min_texts}
            for b in self.blocks
        ]


class _Learning(dict[str, int]):
    """Word numbers that grow: a new word gets the next number, what is no word none."""

    def __init__(self, numbers: dict[str, int]) -> None:
        super().__init__()
        self.numbers = numbers

    def get(self, word: str, default: Any = None) -> Any:
        if not any(map(str.isalnum, word)):
            return default
        return self.numbers.setdefault(word, len(self.numbers) + 1)


def title_words(words: Iterable[str]) -> Iterator[str]:
    """The words of the first sentence, its end mark not among them."""
    length = 0
    for word in words:
        length += len(word)
        if length > TITLE_CHARACTERS or word in SENTENCE_ENDS:
            return
        yield word


def _grams(
    texts: Sequence[str], words: Sequence[list[str]], blocks: Sequence[Block], numbers: dict[str, int]
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


def _fields(
    texts: Sequence[str], words: Sequence[list[str]]
) -> dict[str, tuple[Sequence[str], Sequence[list[str]]]]:
    """Each field's strings and their words; a title's words are the first ones of its text."""
    titles = [list(title_words(cut)) for cut in words]
    return {"text": (texts, words), "title": (["".join(cut) for cut in titles], titles)}


def _units(
    block: Block, strings: Sequence[str], cuts: Sequence[list[str]], numbers: dict[str, int]
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


def _words(cuts: Sequence[list[str]], numbers: dict[str, int]) -> tuple[Rows, Keys]:
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


def _merged(keys: Keys, counts: Counts, more: Keys, more_counts: Counts) -> tuple[Keys, Counts]:
    both = np.concatenate([keys, more])
    result, place = np.unique(both, return_inverse=True)
    weights = np.concatenate([counts, more_counts])
    return result, np.bincount(place, weights, len(result)).astype(np.float64)


def _renumbered(numbers: dict[str, int], keys: Keys, blocks: Sequence[Block]) -> tuple[list[str], Keys, Rows]:
    """The words that kept grams need, numbered anew; the keys in those numbers, ascending; their order.

    Words are numbered in alphabetical order: in the order in which they were met they would tell the
    first texts.
    """
    of_words = np.array([block.kind == "words" for block in blocks])[block_of(keys)]
    low = np.uint64((1 << int(WORD_BITS)) - 1)
    second = keys & low
    first = (keys >> WORD_BITS) & low
    used = np.unique(np.concatenate([first[of_words], second[of_words]]))
    all_words = list(numbers)
    in_order = sorted(used[used > 0].tolist(), key=lambda number: all_words[number - 1])
    anew = np.zeros(len(numbers) + 1, dtype=np.uint64)
    anew[in_order] = np.arange(1, len(in_order) + 1, dtype=np.uint64)
    block = (keys >> BLOCK_SHIFT) << BLOCK_SHIFT
    changed = keys.copy()
    changed[of_words] = (block | (anew[first * of_words] << WORD_BITS) | anew[second * of_words])[of_words]
    order = np.argsort(changed)
    return [all_words[number - 1] for number in in_order], changed[order], order
