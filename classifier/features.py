"""Texts to sparse rows: words and character n-grams, of the whole text and of its first sentence.

The first sentence is the title of a work order that has one, and says most of what matters. Rows
hold TF-IDF weights, `(1 + ln tf) * (1 + ln((1 + N) / (1 + df)))` (sublinear term frequency and
smoothed inverse document frequency: Manning, Raghavan, Schuetze, Introduction to Information
Retrieval, sections 6.2 and 6.4), of Euclidean length one within each block, so that a long text
does not outweigh its title.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from .codes import Codes
from .errors import InputError
from .grams import Block, Rows, grams_at, grams_of
from .kernel import GramTable, Heads
from .keys import BLOCK_SHIFT, WORD_BITS, Columns, Keys, block_of, document_counts, find, is_word
from .tokens import Tokenizer
from .weights import Matrix

if TYPE_CHECKING:
    import scipy.sparse as sp

Counts = npt.NDArray[np.float64]

CHUNK = 500  # texts whose grams are held at once: more than fit the processor's cache are slower
FIT_CHUNK = 4000  # while fitting, merging the counts of a chunk costs more than the cache saves

_ROUNDED = 1e-9  # what a sum of shares may lack

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
            rows, keys = grams_of(chunk, tokenizer.cut_many(chunk), blocks, _Learning(numbers))
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
        words = self.tokenizer.cut_many([text])[0]
        keys, starts, untils = grams_at(text, words, self.blocks, self._numbers)
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
