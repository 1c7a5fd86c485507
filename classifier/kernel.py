"""Texts to scores in the compiled kernel: cleaned, cut into words, looked up, summed.

Objects here never change once they are made, so threads may share them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from ctypes import c_int64, c_void_p
from math import log

import numpy as np
import numpy.typing as npt

from .codes import Codes, Places
from .library import at, check_memory, library, owned

Floats = npt.NDArray[np.float32]
Layer = tuple[Floats, Floats, Floats, npt.NDArray[np.int32], int]

PANEL = 32  # labels that are summed at once; weights of a gram are padded to a multiple of it
MOST_UNITS = 64  # of the layer over the scores; padded as labels are
_LANES = 8

_PLANE = 0x10000
_FIELDS = ("text", "title")
_KINDS = ("words", "characters")
_LONGEST = {"words": 2, "characters": 3}  # what a key of 48 bits holds


class _Texts(ctypes.Structure):
    """`texts` in kernel.h; keeps the arrays alive that it points to."""

    _fields_ = (
        ("points", c_void_p),
        ("starts", c_void_p),
        ("lengths", c_void_p),
        ("count", c_int64),
    )

    def __init__(self, codes: Codes) -> None:
        self.kept = [np.ascontiguousarray(part) for part in (codes.points, codes.starts, codes.lengths)]
        super().__init__(*map(at, self.kept), len(codes))


class Heads(ctypes.Structure):
    """`weights` in scores.c: how grams are scored; keeps the arrays alive that it points to.

    `steps` is grams x padded labels, `scale` and `bias` are padded alike. `layer`, where there is one, is
    what `classifier.stack` has: inward (padded labels x units), offset (units), outward (units x padded
    labels), gates, and how many labels stand before the experts.

    Raises:
        ValueError: the arrays are not as the kernel reads them.
    """

    _fields_ = (
        ("steps", c_void_p),
        ("stride", c_int64),
        ("scale", c_void_p),
        ("bias", c_void_p),
        ("inward", c_void_p),
        ("offset", c_void_p),
        ("outward", c_void_p),
        ("units", c_int64),
        ("first", c_int64),
        ("gates", c_void_p),
        ("gated", c_int64),
        ("experts", c_int64),
    )

    def __init__(self, steps: npt.NDArray[np.int8], scale: Floats, bias: Floats, layer: Layer | None) -> None:
        self.grams, stride = steps.shape
        floats = [scale, bias, *(layer[:3] if layer else ())]
        fit = stride % PANEL == 0 and len(scale) == len(bias) == stride and steps.dtype == np.int8
        fit = fit and all(part.dtype == np.float32 for part in floats)
        if not fit or not all(part.flags.c_contiguous for part in (steps, *floats)):
            raise ValueError("the weights are not as the kernel reads them")
        super().__init__(at(steps), stride, at(scale), at(bias))
        if layer:
            self._stack(*layer)
        self.kept = steps, floats, layer

    def _stack(
        self, inward: Floats, offset: Floats, outward: Floats, gates: npt.NDArray[np.int32], labels: int
    ) -> None:
        units = len(offset)
        fit = inward.shape == (self.stride, units) and outward.shape == (units, self.stride)
        fit = fit and gates.dtype == np.int32 and len(gates) <= labels <= self.stride
        if len(gates):
            fit = fit and gates.min() >= 0 and labels + gates.max() < self.stride
        if not fit or units % PANEL or units > MOST_UNITS:
            raise ValueError("the layer is not as the kernel reads it")
        self.inward, self.offset, self.outward, self.units = at(inward), at(offset), at(outward), units
        corrected = np.flatnonzero(outward.any(axis=0))
        self.first = corrected[0] // _LANES * _LANES if len(corrected) else self.stride
        self.gates, self.gated, self.experts = at(gates), len(gates), labels


class Lexicon:
    """jieba's dictionary with words added, and its way of cutting without the hidden Markov model.

    Raises:
        ValueError: `dictionary` is not in jieba's format, or a frequency is beyond 64 bits.
    """

    def __init__(self, dictionary: bytes, words: Mapping[str, int]) -> None:
        kernel = library()
        unsound = c_int64()
        room = sum(map(len, words))
        handle = kernel.lexicon_new(dictionary, len(dictionary), room, len(words), ctypes.byref(unsound))
        self._handle = owned(self, handle, kernel.lexicon_free)
        if unsound.value:
            raise ValueError(f"line {unsound.value} is not: word frequency")
        for word, frequency in words.items():
            if not 0 <= frequency < 1 << 50:
                raise ValueError(f"frequency {frequency} is beyond what the dictionary holds")
            points = Codes.of([word]).points
            check_memory(kernel.lexicon_add(handle, at(points), len(points), frequency) or -1)
        self._weigh()

    def _weigh(self) -> None:
        """Give the kernel the logarithms that jieba would take: Python's own, so that ties fall alike."""
        frequencies, total = ctypes.POINTER(c_int64)(), c_int64()
        count = library().lexicon_ranks(self._handle, ctypes.byref(frequencies), ctypes.byref(total))
        whole = log(total.value or 1)
        shares = np.array([log(frequency or 1) - whole for frequency in frequencies[:count]])
        check_memory(library().lexicon_weigh(self._handle, at(shares)) or -1)

    def cut(self, codes: Codes) -> tuple[npt.NDArray[np.uint32], Places]:
        """Where each word ends within its text, text after text, and how many words each text has."""
        ends = np.empty(int(codes.lengths.sum()), dtype=np.uint32)
        words = np.empty(len(codes), dtype=np.int64)
        count = library().kernel_cut(self._handle, ctypes.byref(_Texts(codes)), at(ends), at(words))
        return ends[: check_memory(count)], words


class GramTable:
    """The grams of a model, found a million at a time; `blocks` are (field, kind, longest).

    Raises:
        ValueError: the arrays do not fit each other, or a gram is longer than a key holds.
    """

    def __init__(
        self,
        keys: npt.NDArray[np.uint64],
        weights: npt.NDArray[np.float32],
        blocks: Sequence[tuple[str, str, int]],
        words: Sequence[str],
        is_word: npt.NDArray[np.bool_],
    ) -> None:
        if keys.shape != weights.shape or any(not 0 < b[2] <= _LONGEST[b[1]] for b in blocks):
            raise ValueError("the keys do not fit their weights or blocks")
        self._columns = len(keys)
        self._grams_at_once = sum(longest for _, _, longest in blocks)
        plain = np.array([[_FIELDS.index(f), _KINDS.index(k), n] for f, k, n in blocks], dtype=np.int32)
        vocabulary = Codes.of(words)
        ends = np.append(vocabulary.starts, vocabulary.lengths.sum())
        arrays = (
            np.ascontiguousarray(keys, dtype=np.uint64),
            np.ascontiguousarray(weights, dtype=np.float32),
            plain,
            np.ascontiguousarray(vocabulary.points),
            ends,
            is_word.astype(np.uint8),
        )
        given = [at(array) for array in arrays]
        kernel = library()
        handle = kernel.grams_new(
            *given[:2], len(keys), given[2], len(blocks), *given[3:5], len(words), given[5]
        )
        self._handle = owned(self, handle, kernel.grams_free)

    def rows(
        self, lexicon: Lexicon, codes: Codes
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32], Places]:
        """Rows of cleaned texts as values, columns (not in order) and where each row starts: a CSR matrix."""
        most = int(codes.lengths.sum()) * self._grams_at_once
        values, columns = np.empty(most, dtype=np.float32), np.empty(most, dtype=np.int32)
        starts = np.zeros(len(codes) + 1, dtype=np.int64)
        count = library().kernel_rows(
            lexicon._handle,
            self._handle,
            ctypes.byref(_Texts(codes)),
            at(starts),
            at(columns),
            at(values),
        )
        check_memory(count)
        return values[:count].copy(), columns[:count].copy(), starts

    def scores(
        self,
        lexicon: Lexicon,
        codes: Codes,
        heads: Heads,
        plain: bool = False,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Texts x padded labels, float32; and of each text whether it has no known gram.

        `plain` keeps to instructions that every processor has; the scores are the same to the last bit.

        Raises:
            ValueError: the heads are for other grams.
        """
        if heads.grams != self._columns:
            raise ValueError(f"{heads.grams} weights do not fit {self._columns} grams")
        scores = np.empty((len(codes), heads.stride), dtype=np.float32)
        blank = np.empty(len(codes), dtype=np.bool_)
        done = library().kernel_scores(
            lexicon._handle,
            self._handle,
            ctypes.byref(heads),
            ctypes.byref(_Texts(codes)),
            at(scores),
            at(blank),
            plain,
        )
        check_memory(done)
        return scores, blank


class Sieve:
    """Tells which texts may hold one of some words, in a fraction of the time of looking for them."""

    def __init__(self, words: Iterable[str]) -> None:
        self._bits = np.zeros((2, _PLANE // 64), dtype=np.uint64)
        self._is_sure = True
        for word in words:
            codes = Codes.of([word[:2]]).points
            if len(codes) < 2 or codes.max() >= _PLANE:
                self._is_sure = False  # no pair of the first plane stands for it
            else:
                library().kernel_add_pair(*map(at, self._bits), *codes.tolist())

    def passed(self, texts: Codes) -> npt.NDArray[np.bool_]:
        """Of each text, whether it may hold a word; False only where it holds none."""
        if not self._is_sure:
            return np.ones(len(texts), dtype=np.bool_)
        found = np.empty(len(texts), dtype=np.bool_)
        library().kernel_pairs(ctypes.byref(_Texts(texts)), *map(at, self._bits), at(found))
        return found


class Expressions(ctypes.Structure):
    """`expressions` in kernel.h; keeps the arrays alive that it points to.

    Raises:
        ValueError: the expressions are not sorted, empty, not of the first plane, or too many.
    """

    _fields_ = (
        ("of", _Texts),
        ("first", c_void_p),
    )

    def __init__(self, words: Sequence[str]) -> None:
        codes = Codes.of(words)
        fit = len(codes) < _PLANE and codes.lengths.all() and (codes.points < _PLANE).all()
        if not fit or list(words) != sorted(words):
            raise ValueError("these are no expressions that the kernel can look for")
        beginnings = codes.points[codes.starts]
        first = np.full(_PLANE, len(codes), dtype=np.uint16)
        first[beginnings[::-1]] = np.arange(len(codes))[::-1]
        self.kept = _Texts(codes), first
        super().__init__(self.kept[0], at(first))


def clean_plain(
    codes: Codes, table: npt.NDArray[np.uint16], courtesies: Expressions, openings: Expressions, longest: int
) -> Codes:
    """The texts that `table` can clean, cleaned; the others have the length -1.

    `table` says of each code point of the first plane what becomes of it, 0 where it cannot tell.
    """
    points = np.empty(3 * int(codes.lengths.sum()), dtype=np.uint32)  # "…" becomes "..."
    starts, lengths = np.empty(len(codes), dtype=np.int64), np.empty(len(codes), dtype=np.int64)
    texts = _Texts(codes)
    used = library().kernel_clean(
        at(table),
        ctypes.byref((Expressions * 2)(courtesies, openings)),
        ctypes.byref(texts),
        longest,
        at(points),
        at(starts),
        at(lengths),
    )
    return Codes(points[:used], starts, lengths)


def find_asks(codes: Codes, shortest: int, longest: int, most: int) -> tuple[Codes, Places]:
    """The parts of texts that ask for several things, at most `most` of each, and whose they are."""
    starts, lengths, owners = np.empty((3, len(codes) * most), dtype=np.int64)
    texts = ctypes.byref(_Texts(codes))
    count = library().kernel_asks(texts, shortest, longest, most, at(starts), at(lengths), at(owners))
    return Codes(codes.points, starts[:count], lengths[:count]), owners[:count]
