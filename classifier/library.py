"""The compiled kernel's library: found, checked, loaded. What calls it stands in `kernel` and `csv_kernel`.

It is built when the program is installed (hatch_build.py) and lies beside its sources. It is called
through ctypes, which lets other threads run meanwhile.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
import weakref
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy.typing as npt

from .errors import KernelMissing

LIBRARY = {"win32": "kernel.dll", "darwin": "libkernel.dylib"}.get(sys.platform, "libkernel.so")

_AGAIN = "请重新安装：在源码目录运行 python -m pip install -e . ，或重新安装 wheel 文件"
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
    "kernel_clean": (_int64, [_pointer, _pointer, _pointer, _int64, _pointer, _pointer, _pointer]),
    "kernel_records": (
        _int32,
        [ctypes.c_char_p, _int64, ctypes.c_uint8, ctypes.c_bool, ctypes.c_bool, _int64, _pointer],
    ),
    "kernel_fields": (
        _int32,
        [ctypes.c_char_p, _int64, ctypes.c_uint8, _int64, _int64, _pointer],
    ),
    "kernel_lines": (None, [_pointer, _int32, _int64, _pointer, _pointer]),
    "kernel_requests": (_int64, [ctypes.c_char_p, _pointer, _pointer, _int64, _pointer, _pointer, _pointer]),
    "kernel_add_pair": (None, [_pointer, _pointer, ctypes.c_uint32, ctypes.c_uint32]),
    "kernel_pairs": (None, [_pointer] * 4),
    "kernel_sums": (None, [_pointer, _int64, _pointer]),
    "kernel_asks": (_int64, [_pointer, _int64, _int64, _int64, _pointer, _pointer, _pointer]),
    "kernel_cut": (_int64, [_pointer, _pointer, _pointer, _pointer]),
    "kernel_utf8": (_int64, [ctypes.c_char_p, _int64]),
    "kernel_rows": (_int64, [_pointer] * 6),
    "kernel_scores": (_int32, [_pointer] * 6 + [_int32]),
}


@cache
def library() -> ctypes.CDLL:
    path = Path(__file__).parent / "native" / LIBRARY
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise KernelMissing(f"没有找到程序的编译部分 {path}，或它不适合本机，{_AGAIN}") from error
    _check_fresh(loaded, path)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def _check_fresh(loaded: ctypes.CDLL, path: Path) -> None:
    """In a checkout, refuse a library that was compiled from other sources than those beside it."""
    sources = sorted([*path.parent.glob("*.c"), *path.parent.glob("*.h")])
    if not sources:
        return  # an installed wheel holds none
    found = hashlib.sha256()
    for source in sources:
        found.update(source.read_bytes())
    try:
        loaded.kernel_sources.restype = ctypes.c_char_p
        compiled = loaded.kernel_sources().decode()
    except AttributeError:
        compiled = ""
    if compiled != found.hexdigest():
        raise KernelMissing(f"程序的编译部分 {path} 与源码不一致（源码更新后没有重新编译），{_AGAIN}")


def owned(owner: object, handle: int | None, free: Any) -> int:
    """A handle that is freed with its owner."""
    if not handle:
        raise MemoryError
    weakref.finalize(owner, free, handle)
    return handle


def check_memory(result: int) -> int:
    """A result of the kernel, which is negative where memory has run out."""
    if result < 0:
        raise MemoryError
    return result


def at(array: npt.NDArray[Any]) -> int:
    """Where an array lies in memory."""
    return array.ctypes.data
