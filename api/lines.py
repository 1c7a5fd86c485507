"""A file of text lines, written whole or not at all as the other outputs are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from classifier.output import Writer, explained


class LineWriter(Writer):
    """UTF-8 without a mark; `opening` and `closing` stand around the lines, `between` parts them."""

    def __init__(self, path: Path, opening: str = "", between: str = "", closing: str = "") -> None:
        super().__init__(path, ("line",))
        self._opening, self._between, self._closing = opening, between, closing

    def write_lines(self, lines: Iterable[str]) -> None:
        """Append lines, each with the end that it has.

        Raises:
            OutputError: the disk is full.
        """
        with explained(self.path):
            for line in lines:
                start = self._between if self.rows else ""
                self._file.write(f"{start}{line}".encode("utf-8", "replace"))
                self.rows += 1

    def _begin(self, file: BinaryIO) -> None:
        file.write(self._opening.encode())

    def _append(self, frame: pd.DataFrame) -> None:
        raise NotImplementedError("lines are written by write_lines")

    def _finish(self) -> None:
        self._file.write(self._closing.encode())
