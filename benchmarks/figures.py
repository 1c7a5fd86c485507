"""What a benchmark finds: figures with names that people read, printed alike by each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Figure(NamedTuple):
    """A figure as it is shown, and the bar that it is held against, where there is one."""

    name: str
    shown: str
    bar: str = ""


def printed(figures: Iterable[Figure]) -> Iterator[Figure]:
    """The figures, each printed as soon as it is known."""
    for figure in figures:
        bar = f"   （目标：{figure.bar}）" if figure.bar else ""
        print(f"{figure.name}：{figure.shown}{bar}", flush=True)
        yield figure
