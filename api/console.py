"""The terminal: data to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress

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


def progress(title: str) -> AbstractContextManager[Progress]:
    """A bar with count, rate and remaining time on stderr; quiet lines where that is no terminal."""
    from .progress_bar import progress_bar  # most commands need none

    return progress_bar(title, err)


def write_json(found: object) -> None:
    """Data for programs, on stdout."""
    import json

    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


def write_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Data for people, on stdout."""
    from rich.table import Table

    table = Table(*header, box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    out.print(table)
