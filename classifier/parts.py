"""What an interrupted run had done: the tags of each chunk, kept until the output is complete."""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .errors import InputError, OutputError
from .tag_columns import TagColumns

_SUM = 4  # bytes of a CRC-32 before each part


class Parts:
    """The tags of the chunks that are done, in a folder beside the output until that is complete."""

    def __init__(self, target: Path, identity: Mapping[str, Any], *, resume: bool) -> None:
        self.folder = target.with_name(f".{target.name}.parts")
        self.interrupted = self.folder.exists()  # whether an earlier run left something behind
        self.notes: list[str] = []
        if self.interrupted and resume:
            self._check_same(identity)
            self._drop_torn()
            return
        if self.interrupted:
            self.notes.append("发现上次未完成的运行；没有指定 --resume，从头开始")
        elif resume:
            self.notes.append("没有未完成的运行可续，从头开始")
        try:
            if self.interrupted:
                shutil.rmtree(self.folder)
            self.folder.mkdir()
            self._put("job.json", json.dumps(identity, ensure_ascii=False).encode())
        except OSError as error:
            raise OutputError(
                f"{target.parent} 写不进去（{error.strerror}），请检查文件夹、权限和磁盘空间"
            ) from error

    def has(self, start: int) -> bool:
        return self._path(start).is_file()

    def read(self, start: int) -> TagColumns:
        """The tags of a chunk that is there.

        Raises:
            ValueError, LookupError: they are not as they were written.
        """
        stored = self._path(start).read_bytes()
        if stored[:_SUM] != _sum(stored[_SUM:]):
            raise ValueError("torn")
        return TagColumns.unpacked(stored[_SUM:])

    def write(self, start: int, tags: TagColumns) -> None:
        content = tags.packed()
        with self._explained():
            self._put(self._path(start).name, _sum(content) + content)  # the sum tells what a power cut tore

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, start: int) -> Path:
        return self.folder / f"{start:09}.tags"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.folder} 写不进去（{error.strerror}），腾出空间后可用 --resume 续做"
            ) from error

    def _put(self, name: str, content: Any) -> None:
        part = self.folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(self.folder / name)

    def _drop_torn(self) -> None:
        """Forget the chunks whose file is not whole, as a failing disk may leave it: they are tagged anew."""
        for path in self.folder.glob("*.tags"):
            try:
                self.read(int(path.stem))
            except (OSError, ValueError, LookupError):
                path.unlink()

    def _check_same(self, identity: Mapping[str, Any]) -> None:
        try:
            before = json.loads((self.folder / "job.json").read_bytes())
        except (OSError, ValueError):
            before = {}
        before = before if isinstance(before, dict) else {}
        other = [key for key in identity if before.get(key) != identity[key]]
        if other:
            raise InputError(
                f"不能续做：上次未完成的运行与这次不同（{'、'.join(other)}）。"
                "请用原来的输入、模型和选项，或去掉 --resume 从头开始"
            )


def _sum(content: Any) -> bytes:
    return zlib.crc32(content).to_bytes(_SUM, "big")


@contextmanager
def sole_run(target: Path) -> Iterator[None]:
    """Hold off other runs to the same output; the system lets go of a killed run's lock.

    Raises:
        InputError: another run holds it.
        OutputError: the lock file cannot be written.
    """
    path = target.with_name(f".{target.name}.lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(f"另一个 hotline batch 正在写 {target}，请等它完成，或换一个输出文件名") from error
    except OSError as error:
        raise OutputError(f"{path.parent} 写不进去（{error.strerror}），请检查权限和磁盘空间") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def remove_unfinished(path: Path) -> None:
    """Take away what a killed run had written of an output: `Writer`'s files beside it."""
    unfinished = re.compile(rf"\.{re.escape(path.name[:40])}\.[0-9a-f]{{8}}\.(part|tmp)")
    for entry in path.parent.iterdir():
        if unfinished.fullmatch(entry.name):
            with suppress(OSError):
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
