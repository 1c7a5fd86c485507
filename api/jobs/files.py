"""The files of a job: in a folder of its own, under names of ours, for nobody else to read."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

from classifier.errors import InputError, OutputError

SOURCES = (".xlsx", ".xls", ".csv", ".tsv", ".txt", ".parquet")
RESULTS = ("xlsx", "csv", "parquet")  # those of classifier.writers, which loads pandas
UNPACKED = 1 << 30  # bytes that a workbook may inflate to: well below the memory of a job's process
_MAGIC = {b"PK\x03\x04": {".xlsx"}, b"\xd0\xcf\x11\xe0": {".xls"}, b"PAR1": {".parquet"}}
_PACKED = frozenset({".xlsx", ".xls", ".parquet"})
_ID = re.compile(r"[0-9a-f]{32}")


class JobFiles:
    """One job's files."""

    def __init__(self, root: Path, job_id: str) -> None:
        assert _ID.fullmatch(job_id), "an id of ours"  # noqa: S101 - never a name that somebody sent
        self.folder = root / job_id

    def source(self, suffix: str) -> Path:
        """What was sent."""
        return self.folder / f"in{suffix}"

    def target(self, kind: str) -> Path:
        """What comes of it."""
        return self.folder / f"out.{kind}"

    def errors(self, kind: str) -> Path:
        """The rows that could not be tagged."""
        return self.folder / f"out.{kind}.errors.csv"

    async def take(self, pieces: AsyncIterator[bytes], suffix: str, most: int) -> int:
        """Write down what is sent; its size in bytes.

        Raises:
            TooLarge: it is larger than `most`; nothing stays of it.
            OutputError: it cannot be written.
        """
        size = 0
        try:
            self.folder.mkdir(mode=0o700, parents=True)
            with open(self.source(suffix), "xb", opener=_private) as file:
                async for piece in pieces:
                    size += len(piece)
                    if size > most:
                        raise TooLarge
                    file.write(piece)
        except OSError as error:
            self.remove()
            raise OutputError(f"任务文件夹写不进去（{error.strerror}），请检查权限和磁盘空间") from error
        except BaseException:
            self.remove()
            raise
        return size

    def remove(self) -> None:
        """Take all of it away."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class TooLarge(Exception):
    """More was sent than is taken."""


def suffix_of(name: str) -> str:
    """The suffix of a name that somebody sent.

    Raises:
        InputError: it is of no format that is read.
    """
    suffix = Path(name.replace("\\", "/")).suffix.lower()
    if suffix not in SOURCES:
        raise InputError(f"不能读这种文件，文件名请以 {'、'.join(SOURCES)} 结尾")
    return suffix


def shown(name: str) -> str:
    """A name as people are shown it: without folders and what does not print."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in bare if one.isprintable())[:200] or "未命名"


def kind_of(written: str | None, suffix: str) -> str:
    """The format of the result: as asked for, or else as the file's own.

    Raises:
        InputError: it is none that is written.
    """
    kind = (written or suffix.removeprefix(".")).lower()
    if written is None and kind not in RESULTS:
        kind = "xlsx" if kind == "xls" else "csv"
    if kind not in RESULTS:
        raise InputError(f"不能写 {kind[:20]} 格式，可用的是 {'、'.join(RESULTS)}")
    return kind


def check_source(path: Path) -> None:
    """Refuse a file that is not what its name says, or that inflates beyond all bounds.

    Raises:
        InputError: so it is.
    """
    with path.open("rb") as file:
        begin = file.read(4)
    meant = next((suffixes for magic, suffixes in _MAGIC.items() if begin.startswith(magic)), None)
    if meant is None and path.suffix in _PACKED:
        raise InputError(f"文件内容不是 {path.suffix} 格式，或已损坏。请用 Excel 打开后另存，再上传")
    if meant is not None and path.suffix not in meant:
        raise InputError(f"文件内容是 {'、'.join(meant)} 格式，文件名却以 {path.suffix} 结尾，请改名后再上传")
    if path.suffix == ".xlsx":
        _check_unpacked(path)


def _check_unpacked(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(one.file_size for one in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError("文件不是完好的 xlsx，请用 Excel 打开后另存，再上传") from error
    if size > UNPACKED:
        raise InputError(
            f"这个 xlsx 解开后有 {size >> 20:,} MiB，超过 {UNPACKED >> 20:,} MiB，请拆成几份或改用 csv"
        )
