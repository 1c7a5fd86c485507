"""Open a file of samples: a table, or in a form that annotation tools write."""

from __future__ import annotations

from pathlib import Path

from classifier.records import Records, open_records

from . import label_studio
from .tab_separated import TabSeparatedRecords, is_tab_separated


def open_samples(path: Path, encoding: str | None = None) -> Records:
    """A file of samples as records, by its suffix and, of text files, by its first line.

    Raises:
        InputError: it cannot be read as what it is called.
    """
    if path.suffix.lower() == label_studio.SUFFIX:
        return label_studio.LabelStudioRecords(path)
    if is_tab_separated(path, encoding):
        return TabSeparatedRecords(path, encoding)
    return open_records(path, encoding=encoding)
