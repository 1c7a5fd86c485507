r"""`text\t一级##二级`, a line each and no header: the format in which public category sets are passed on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from classifier.encodings import find_encoding
from classifier.errors import InputError
from classifier.records import Chunk, Records
from classifier.table import frame_of

LEVELS = "##"
SUFFIXES = (".tsv", ".txt")
_COLUMNS = ("text", "category")
_LOOKED_AT = 65_536  # bytes of a file's beginning


def is_tab_separated(path: Path, encoding: str | None = None) -> bool:
    """Whether a file's first line is a text and a label of two levels; one with a header is not."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    name = encoding or find_encoding(path, None).name if start else "utf-8"
    first = next((line for line in start.decode(name, "replace").splitlines() if line.strip()), "")
    text, tab, label = first.lstrip("\ufeff").partition("\t")
    return bool(text.strip() and tab and "\t" not in label and LEVELS in label)


class TabSeparatedRecords(Records):
    """The lines as rows of `text` and `category`; the levels of a label are parted by `/`."""

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        found = find_encoding(path, encoding)
        super().__init__(path, _COLUMNS, found.notes)
        self._encoding = found.name
        self.total = sum(1 for _ in self._lines())
        if not self.total:
            raise InputError(f"{path.name} 没有一行有内容")

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Some lines at a time; one without a label is a problem."""
        rows: list[tuple[str, str]] = []
        sources: list[int] = []
        start = 0
        for number, line in self._lines():
            text, _, label = line.partition("\t")
            rows.append((text, "/".join(part.strip() for part in label.strip().split(LEVELS))))
            sources.append(number)
            if len(rows) == size:
                yield Chunk(start, frame_of(rows, self.columns), sources)
                start += size
                rows, sources = [], []
        if rows:
            yield Chunk(start, frame_of(rows, self.columns), sources)

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Each line that is not empty, with its number from 1; only a line feed ends one."""
        with self.path.open("rb") as file:
            text = io.TextIOWrapper(file, self._encoding, "replace", newline="\n")
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n").lstrip("\ufeff" if number == 1 else "")


def line_of(text: str, names: tuple[str, ...]) -> str:
    """A sample as a line: whatever would break it up becomes a space, as would the levels' mark in a text."""
    return f"{' '.join(text.replace(LEVELS, ' ').split())}\t{LEVELS.join(names)}"
