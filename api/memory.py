"""How memory is kept: how often cycles are looked for, and in how many heaps."""

import ctypes
import gc
import platform

_THRESHOLDS = (50_000, 10, 10)
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3  # malloc.h
_LARGE = 1 << 20  # bytes


def collect_less() -> None:
    """Look for cycles after 50,000 new objects rather than 700.

    Answers of a hundred thousand rows are made of small tuples, in which there are none: looking them
    through again and again took a third of the time. What was looked through once is looked through
    again after half a million: each request leaves about a dozen objects in cycles.
    """
    gc.set_threshold(*_THRESHOLDS)


def share_heaps() -> None:
    """Have all threads share two heaps, where the C library is glibc; to be called before there are threads.

    Otherwise each of up to eight for a processor keeps a heap, and in each of them stays what the largest
    answer made there has needed: a service that answered forty requests at once never became small again.
    Large blocks are always the system's own, and go back to it when they are freed.
    """
    if platform.libc_ver()[0] == "glibc":
        malloc = ctypes.CDLL(None)
        malloc.mallopt(_M_ARENA_MAX, 2)
        # Left alone, the limit rises to what was freed last: a model's tables of many megabytes would then
        # lie among small objects, and each change of the model leave a hole that the next one does not fit.
        malloc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
