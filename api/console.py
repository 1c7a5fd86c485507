"""The terminal: data to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_PIPED = 160  # columns where there is no terminal to fit

_plain = partial(Console, highlight=False, markup=False, emoji=False)  # a file may be called [a] or :a:
out = _plain(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED)
err = _plain(stderr=True)


def say(message: str) -> None:
    """A line for the user."""
    err.print(message, soft_wrap=True)


def say_notes(notes: Sequence[str]) -> None:
    """Remarks that a user should see, none of which stops the work."""
    for note in notes:
        err.print(Text.assemble(("注意", "yellow"), " ", note), soft_wrap=True)


def say_error(message: str) -> None:
    """Why the work could not be done."""
    err.print(Text.assemble(("错误", "red"), " ", message), soft_wrap=True)


class _Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} 条/秒" if speed else "", style="cyan")


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """A bar with count, rate and remaining time on stderr; quiet lines where that is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("剩余"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err) as bar:
        yield bar
