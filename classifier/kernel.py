"""The door to the compiled kernel in native/, the only module that knows of it.

The library is built when the program is installed (hatch_build.py) and lies beside its sources. It
is called through ctypes, which lets other threads run meanwhile; objects here never change once they
are made, so threads may share them.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
import weakref
from collections.abc import Mapping, Sequence
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .codes import Codes, Places
from .errors import KernelMissing
from .utf8 import Block, Fields, Utf8

LIBRARY = {"win32": "kernel.dll", "darwin": "libkernel.dylib"}.get(sys.platform, "libkernel.so")
PANEL = 32  # labels that are summed at once; weights of a gram are padded to a multiple of it

_AGAIN = "请重新安装：在源码目录运行 python -m pip install -e . ，或重新安装 wheel 文件"
_READ = {np.dtype(np.int8), np.dtype(np.float32)}
_FIELDS = ("text", "title")
_KINDS = ("words", "characters")
_LONGEST = {"words": 2, "characters": 3}  # what a key of 48 bits holds

_pointer, _int32, _int64, _size = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64, ctypes.c_size_t
_SIGNATURES: Mapping[str, tuple[Any, list[Any]]] = {
    "lexicon_new": (_pointer, [ctypes.c_char_p, _size, ctypes.c_uint64, ctypes.c_uint64, _pointer]),
    "lexicon_add": (_int32, [_pointer, _pointer, _size, _int64]),
    "lexicon_ranks": (ctypes.c_uint32, [_pointer, _pointer, _pointer]),
    "lexicon_weigh": (_int32, [_pointer, _pointer]),
    "lexicon_free": (None, [_pointer]),
    "grams_new": (
        _pointer,
        [_pointer, _pointer, _int64, _pointer, _int32, _pointer, _pointer, _int64, _pointer],
    ),
    "grams_free": (None, [_pointer]),
    "kernel_clean": (_int64, [_pointer, _pointer, _int64, _pointer, _pointer, _pointer]),
    "kernel_records": (
        _int32,
        [ctypes.c_char_p, _int64, ctypes.c_uint8, ctypes.c_bool, ctypes.c_bool, _int64, _pointer],
    ),
    "kernel_fields": (
        _int32,
        [ctypes.c_char_p, _int64, ctypes.c_uint8, _int64, _int64, _pointer],
    ),
    "kernel_lines": (None, [_pointer, _int32, _int64, _pointer, _pointer]),
    "kernel_asks": (_int64, [_pointer, _int64, _int64, _int64, _pointer, _pointer, _pointer]),
    "kernel_cut": (_int64, [_pointer, _pointer, _pointer, _pointer]),
    "kernel_utf8": (_int64, [ctypes.c_char_p, _int64]),
    "kernel_rows": (_int64, [_pointer] * 6),
    "kernel_scores": (_int32, [_pointer] * 6 + [_int32]),
}


class _Texts(ctypes.Structure):
    """`texts` in kernel.h; keeps the arrays alive that it points to."""

    _fields_ = (("points", _pointer), ("starts", _pointer), ("lengths", _pointer), ("count", _int64))

    def __init__(self, codes: Codes) -> None:
        self.kept = [np.ascontiguousarray(part) for part in (codes.points, codes.starts, codes.lengths)]
        super().__init__(*map(_at, self.kept), len(codes))


class Heads(ctypes.Structure):
    """`weights` in scores.c: how grams are scored; keeps the arrays alive that it points to.

    `steps` is grams x padded labels, `scale` and `bias` are padded alike.

    Raises:
        ValueError: the arrays are not as the kernel reads them.
    """

    _fields_ = (("steps", _pointer), ("stride", _int64), ("scale", _pointer), ("bias", _pointer))

    def __init__(
        self, steps: npt.NDArray[np.int8], scale: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]
    ) -> None:
        self.kept = steps, scale, bias
        self.grams, stride = steps.shape
        fit = stride % PANEL == 0 and len(scale) == len(bias) == stride
        if not fit or not steps.flags.c_contiguous or {steps.dtype, scale.dtype, bias.dtype} != _READ:
            raise ValueError("the weights are not as the kernel reads them")
        super().__init__(_at(steps), stride, _at(scale), _at(bias))


class _Column(ctypes.Structure):
    """`column` in lines.c; keeps the arrays alive that it points to."""

    _fields_ = (("block", _pointer), ("starts", _pointer), ("lengths", _pointer), ("places", _pointer))

    def __init__(self, texts: Utf8, places: Places | None) -> None:
        self.kept = [np.ascontiguousarray(part) for part in (texts.block, texts.starts, texts.lengths)]
        self.kept += [] if places is None else [np.ascontiguousarray(places)]
        super().__init__(*map(_at, self.kept))


class Extent(ctypes.Structure):
    """`extent` in records.c: complete records at the start of some bytes of a csv."""

    _fields_ = (("used", _int64), ("lines", _int64), ("rows", _int64), ("filled", _int64))

    used: int  # bytes
    lines: int
    rows: int  # but for blank lines
    filled: int  # rows up to the last that is not empty


class FieldPlaces(ctypes.Structure):
    """`found` in fields.c: where the fields of records stand in the bytes of a csv, rows x columns."""

    _fields_ = tuple(
        (name, _pointer)
        for name in ("_starts", "_ends", "_doubled", "_records", "_lengths", "_lines", "_odd")
    )

    def __init__(self, rows: int, width: int) -> None:
        self.starts, self.ends = np.empty((2, rows, width), dtype=np.int64)  # within quotes
        self.doubled = np.empty((rows, width), dtype=np.bool_)  # whether it holds quotes, each written twice
        self.records, self.lengths, self.lines = np.empty((3, rows), dtype=np.int64)  # without their ends
        self.odd = np.empty(rows, dtype=np.bool_)  # whether a record may not be written as it stands
        super().__init__(
            *map(
                _at,
                (self.starts, self.ends, self.doubled, self.records, self.lengths, self.lines, self.odd),
            )
        )


class Lexicon:
    """jieba's dictionary with words added, and its way of cutting without the hidden Markov model.

    Raises:
        ValueError: `dictionary` is not in jieba's format, or a frequency is beyond 64 bits.
    """

    def __init__(self, dictionary: bytes, words: Mapping[str, int]) -> None:
        library = _library()
        unsound = _int64()
        room = sum(map(len, words))
        handle = library.lexicon_new(dictionary, len(dictionary), room, len(words), ctypes.byref(unsound))
        self._handle = _owned(self, handle, library.lexicon_free)
        if unsound.value:
            raise ValueError(f"line {unsound.value} is not: word frequency")
        for word, frequency in words.items():
            if not 0 <= frequency < 1 << 50:
                raise ValueError(f"frequency {frequency} is beyond what the dictionary holds")
            points = Codes.of([word]).points
            _check_memory(library.lexicon_add(handle, _at(points), len(points), frequency) or -1)
        self._weigh()

    def _weigh(self) -> None:
        """Give the kernel the logarithms that jieba would take: Python's own, so that ties fall alike."""
        frequencies, total = ctypes.POINTER(_int64)(), _int64()
        count = _library().lexicon_ranks(self._handle, ctypes.byref(frequencies), ctypes.byref(total))
        whole = log(total.value or 1)
        shares = np.array([log(frequency or 1) - whole for frequency in frequencies[:count]])
        _check_memory(_library().lexicon_weigh(self._handle, _at(shares)) or -1)

    def cut(self, codes: Codes) -> tuple[npt.NDArray[np.uint32], Places]:
        """Where each word ends within its text, text after text, and how many words each text has."""
        ends = np.empty(int(codes.lengths.sum()), dtype=np.uint32)
        words = np.empty(len(codes), dtype=np.int64)
        count = _library().kernel_cut(self._handle, ctypes.byref(_Texts(codes)), _at(ends), _at(words))
        return ends[: _check_memory(count)], words


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
        at = [_at(array) for array in arrays]
        library = _library()
        handle = library.grams_new(*at[:2], len(keys), at[2], len(blocks), *at[3:5], len(words), at[5])
        self._handle = _owned(self, handle, library.grams_free)

    def rows(
        self, lexicon: Lexicon, codes: Codes
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32], Places]:
        """Rows of cleaned texts as values, columns (not in order) and where each row starts: a CSR matrix."""
        most = int(codes.lengths.sum()) * self._grams_at_once
        values, columns = np.empty(most, dtype=np.float32), np.empty(most, dtype=np.int32)
        starts = np.zeros(len(codes) + 1, dtype=np.int64)
        count = _library().kernel_rows(
            lexicon._handle,
            self._handle,
            ctypes.byref(_Texts(codes)),
            _at(starts),
            _at(columns),
            _at(values),
        )
        _check_memory(count)
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
        done = _library().kernel_scores(
            lexicon._handle,
            self._handle,
            ctypes.byref(heads),
            ctypes.byref(_Texts(codes)),
            _at(scores),
            _at(blank),
            plain,
        )
        _check_memory(done)
        return scores, blank


def clean_plain(codes: Codes, table: npt.NDArray[np.uint16], longest: int) -> Codes:
    """The texts that `table` can clean, cleaned; the others have the length -1.

    `table` says of each code point of the first plane what becomes of it, 0 where it cannot tell.
    """
    points = np.empty(3 * int(codes.lengths.sum()), dtype=np.uint32)  # "…" becomes "..."
    starts, lengths = np.empty(len(codes), dtype=np.int64), np.empty(len(codes), dtype=np.int64)
    texts = _Texts(codes)
    used = _library().kernel_clean(
        _at(table), ctypes.byref(texts), longest, _at(points), _at(starts), _at(lengths)
    )
    return Codes(points[:used], starts, lengths)


def find_asks(codes: Codes, shortest: int, longest: int, most: int) -> tuple[Codes, Places]:
    """The parts of texts that ask for several things, at most `most` of each, and whose they are."""
    starts, lengths, owners = np.empty((3, len(codes) * most), dtype=np.int64)
    texts = ctypes.byref(_Texts(codes))
    count = _library().kernel_asks(texts, shortest, longest, most, _at(starts), _at(lengths), _at(owners))
    return Codes(codes.points, starts[:count], lengths[:count]), owners[:count]


def utf8_prefix(block: bytes) -> int:
    """How many bytes from the start are whole characters of UTF-8."""
    return int(_library().kernel_utf8(block, len(block)))


def find_records(block: bytes, delimiter: str, most: int, *, final: bool, wide: bool) -> Extent | None:
    """The complete records at the start of `block`, at most `most`; None where csv.reader has to tell."""
    found = Extent()
    plain = _library().kernel_records(
        block, len(block), ord(delimiter), final, wide, most, ctypes.byref(found)
    )
    return found if plain == 0 else None


def find_fields(block: bytes, delimiter: str, rows: int, width: int) -> FieldPlaces | None:
    """The fields of the first `rows` records of sound bytes; None where one has not `width` of them."""
    found = FieldPlaces(rows, width)
    sound = _library().kernel_fields(block, len(block), ord(delimiter), rows, width, ctypes.byref(found))
    return found if sound == 0 else None


def lines_with(lines: Utf8, columns: Sequence[Fields]) -> tuple[Block, Places]:
    """Lines with the fields of further columns and their ends, one behind the other; and where each ends."""
    parts = [(lines, None), *((column.values, column.places) for column in columns)]
    size = len(lines) * len("\r\n") + int(lines.lengths.sum())
    size += sum(
        len(column) * len(",") + int(column.values.lengths[column.places].sum()) for column in columns
    )
    block, ends = np.empty(size, dtype=np.uint8), np.empty(len(lines), dtype=np.int64)
    given = (_Column * len(parts))(*(_Column(*part) for part in parts))
    _library().kernel_lines(given, len(parts), len(lines), _at(block), _at(ends))
    return block, ends


@cache
def _library() -> ctypes.CDLL:
    path = Path(__file__).parent / "native" / LIBRARY
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelMissing(f"没有找到程序的编译部分 {path}，或它不适合本机，{_AGAIN}") from error
    _check_fresh(library, path)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _check_fresh(library: ctypes.CDLL, path: Path) -> None:
    """In a checkout, refuse a library that was compiled from other sources than those beside it."""
    sources = sorted([*path.parent.glob("*.c"), *path.parent.glob("*.h")])
    if not sources:
        return  # an installed wheel holds none
    found = hashlib.sha256()
    for source in sources:
        found.update(source.read_bytes())
    try:
        library.kernel_sources.restype = ctypes.c_char_p
        compiled = library.kernel_sources().decode()
    except AttributeError:
        compiled = ""
    if compiled != found.hexdigest():
        raise KernelMissing(f"程序的编译部分 {path} 与源码不一致（源码更新后没有重新编译），{_AGAIN}")


def _owned(owner: object, handle: int | None, free: Any) -> int:
    """A handle that is freed with its owner."""
    if not handle:
        raise MemoryError
    weakref.finalize(owner, free, handle)
    return handle


def _check_memory(result: int) -> int:
    if result < 0:
        raise MemoryError
    return result


def _at(array: npt.NDArray[Any]) -> int:
    return array.ctypes.data
