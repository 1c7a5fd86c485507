"""A file being written: it appears under its name when it is whole, or not at all.

What the formats share: the temporary file beside the final one, the errors of a full disk, and
cells as plain objects. The formats stand in `writers` (csv), `parquet_writer` and `workbook` (xlsx).
"""

from __future__ import annotations

import errno
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from .errors import OutputError

if TYPE_CHECKING:
    import pandas as pd

_SYNC_BYTES = 64 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SHANGHAI = timezone(timedelta(hours=8))  # where statistics are counted; no summer time since 1992


class Writer(ABC):
    """A file being written, as a context manager; `rows` counts the rows, `cut` the shortened cells.

    On a clean exit the file is flushed to the disk and takes its final name at once; a file that
    had the name before is replaced. On an exception nothing of it remains, and that file stays.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.columns = list(columns)
        self.rows = 0
        self.cut = 0
        self.sha256: str | None = None  # of the whole file, where it is known once it is written
        # Unlike a fixed name this one cannot be shared by two runs. Cut, for 255 bytes are the limit.
        self._part = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
        self._beside = ThreadPoolExecutor(1)
        self._syncing: Future[None] | None = None
        self._synced = 0  # bytes

    def __enter__(self) -> Self:
        with explained(self.path):
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "is a directory")
            self._file: BinaryIO = self._part.open("xb")
            try:
                self._begin(self._file)
            except BaseException:
                self._drop()
                raise
        return self

    def write(self, frame: pd.DataFrame) -> None:
        """Append the rows of `frame`, whose columns are those of the writer, in their order.

        Raises:
            OutputError: the disk is full, or the format cannot hold the rows.
        """
        if list(frame.columns) != self.columns:
            raise ValueError("the frame's columns are not the writer's")
        with explained(self.path):
            self._append(frame)
        self.rows += len(frame)

    def _sync_beside(self) -> None:
        """Begin to bring to the disk what is written by now: in the end little is left to wait for."""
        written = self._file.tell()
        if written - self._synced < _SYNC_BYTES or (self._syncing and not self._syncing.done()):
            return
        self._check_synced()
        self._synced = written
        self._file.flush()
        self._syncing = self._beside.submit(os.fsync, self._file.fileno())

    def _check_synced(self) -> None:
        """Tell an error of the disk that showed meanwhile: the system tells it once."""
        if self._syncing:
            self._syncing.result()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._drop()
            return
        try:
            with explained(self.path):
                self._finish()
                self._check_synced()
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                os.replace(self._part, self.path)
                _sync_folder(self.path.parent)
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        """Remove what was written; the disk may be full, so closing may fail, too."""
        with suppress(Exception):
            self._abandon()
        with suppress(OSError):
            self._check_synced()  # it needs the file open
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink()

    @abstractmethod
    def _begin(self, file: BinaryIO) -> None: ...

    @abstractmethod
    def _append(self, frame: pd.DataFrame) -> None: ...

    @abstractmethod
    def _finish(self) -> None: ...

    def _abandon(self) -> None:  # noqa: B027 - only some formats hold more than the file
        """Let go of whatever the format holds beside the file."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into ours."""
    try:
        yield
    except OSError as error:
        raise OutputError(_failed(path, error)) from error


def _failed(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return f"磁盘空间不足（或超出配额），{path} 没有写成。请清理磁盘或换一个位置后重试。"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"文件夹 {path.parent} 不存在，{path.name} 没有写成。请先建立该文件夹。"
    if isinstance(error, IsADirectoryError):
        return f"{path} 是文件夹，不能作为输出文件。请给出文件名。"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"没有写入 {path} 的权限。请检查文件夹权限；如果该文件正在 Excel 中打开，请先关闭。"
    return f"无法写入 {path}（{error.strerror or type(error).__name__}）。请检查磁盘或换一个位置。"


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can (Windows cannot)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def cells_of(series: pd.Series[Any]) -> list[object]:
    """Give a column's cells as plain objects; float32 as it is meant: 0.9, not 0.8999999761581421."""
    if str(series.dtype) in {"float32", "float16", "float[pyarrow]", "halffloat[pyarrow]"}:
        return [float(text) for text in series.to_numpy("float32", na_value=float("nan")).astype(str)]
    cells: list[object] = series.tolist()
    return cells


def local(moment: datetime) -> datetime:
    """Give a moment as clocks in Guangdong show it, without zone: spreadsheets know none."""
    return moment.astimezone(_SHANGHAI).replace(tzinfo=None) if moment.tzinfo else moment


def sound(text: str) -> str:
    """Give a text that UTF-8 can hold: a lone surrogate becomes a question mark."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text
