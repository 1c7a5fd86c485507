"""The folder of models: its versions, which one is current, and going back.

`current` is a small JSON file, replaced atomically: a running service sees the new version at its
next look, and never half of it. A promoted version remembers those before it, for `rollback`.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from platformdirs import user_data_path

from . import bundle
from .errors import DamagedBundle, InputError, NoModel, OutputError

if TYPE_CHECKING:
    from .model import Model

DEFAULT = "default"

_POINTER = "current"  # the file that names the version that answers; no version may be called so
_HERE = Path(__file__).parent
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def shipped() -> Path | None:
    """Where the default model lies: beside the checkout, or inside the installed package."""
    for folder in (_HERE.parent / "models" / DEFAULT, _HERE / "data" / "default_model"):
        if (folder / bundle.MANIFEST).is_file():
            return folder
    return None


def own_folder() -> Path:
    """Where models go when nobody says so: the checkout's `models`, or the user's data folder."""
    checkout = _HERE.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / "models"
    return user_data_path("hotline", appauthor=False) / "models"


class ModelStore:
    """Stored versions of the model, of which one is current.

    Without a folder the default model answers until another one is promoted. A folder that
    somebody chose holds what it holds: no default stands in for a model that is missing there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.chosen = folder
        """The folder that somebody chose, None for the program's own."""
        self.folder = folder or own_folder()
        self._default = None if folder else shipped()
        self._loaded: tuple[Path, str, Model] | None = None
        self._lock = threading.Lock()

    def versions(self) -> list[str]:
        """The names of all versions, in alphabetical order."""
        found = set()
        if self.folder.is_dir():
            found = {path.parent.name for path in self.folder.glob(f"*/{bundle.MANIFEST}")}
        if self._default:
            found.add(DEFAULT)
        return sorted(name for name in found if not name.startswith("."))

    def current_version(self) -> str:
        """The name of the version that answers.

        Raises:
            NoModel: none was promoted, and no default is at hand.
        """
        promoted = self._pointer().get("version")
        if promoted:
            return str(promoted)
        if self._default:
            return DEFAULT
        have = "、".join(self.versions())
        hint = (
            f"已有版本：{have}。请运行 hotline models promote 版本名"
            if have
            else "请先用 hotline train 训练一个"
        )
        raise NoModel(f"{self.folder} 中没有当前模型。{hint}（--models-dir 可指定文件夹）")

    def current(self) -> Model:
        """The version that answers, loaded once and again only when another one is promoted."""
        return self.load(self.current_version())

    def load(self, version: str) -> Model:
        """A version's model; the last one loaded is kept.

        Raises:
            NoModel: there is no such version.
            DamagedBundle: it is not as it was written.
        """
        folder = self.path(version)
        with self._lock:
            sum_now = _fingerprint(folder)
            if self._loaded is None or self._loaded[:2] != (folder, sum_now):
                self._loaded = (folder, sum_now, bundle.load(folder))
            return self._loaded[2]

    def path(self, version: str) -> Path:
        """The folder of a version.

        Raises:
            NoModel: there is no such version.
        """
        folder = self.folder / version
        if _NAME.fullmatch(version) and folder.is_dir():
            return folder
        if version == DEFAULT and self._default:
            return self._default
        have = "、".join(self.versions()) or "无"
        raise NoModel(f"没有版本“{version}”。{self.folder} 中已有：{have}")

    def save(self, model: Model, card: Mapping[str, Any], card_text: str, diagram: str = "") -> Path:
        """Store a new version; the first one of a folder that has no current model is promoted at once.

        Raises:
            InputError: the name is not fit for a folder, or taken.
            OutputError: it cannot be written.
        """
        self.check_name(model.version)
        folder = self.folder / model.version
        bundle.save(model, folder, card, card_text, diagram)
        if not self._default and not self._pointer():
            self.promote(model.version)
        return folder

    def check_name(self, version: str) -> None:
        """Refuse a name that no folder should have, or that is taken.

        Raises:
            InputError: so it is.
        """
        if not _NAME.fullmatch(version) or version == _POINTER:
            raise InputError(f"版本名“{version}”不能用：只能用字母、数字、点、横线和下划线，最多 64 个字符")
        if (self.folder / version).exists() or (version == DEFAULT and self._default):
            raise InputError(f"版本“{version}”已经存在于 {self.folder}，模型版本只写一次，请另取名称")

    def promote(self, version: str) -> None:
        """Make a sound version the current one; the one before is remembered.

        Raises:
            NoModel: there is no such version.
            DamagedBundle: it is damaged, and the current one stays.
        """
        bundle.check(self.path(version))
        try:
            pointer = self._pointer()
        except DamagedBundle:  # promoting is how it is mended
            pointer = {}
        before = pointer.get("version") or (DEFAULT if self._default else None)
        if before == version:
            return
        earlier = [*pointer.get("earlier", ()), *([before] if before else ())]
        self._write_pointer({"version": version, "earlier": earlier})

    def rollback(self) -> str:
        """Go back to the version before the current one, and give its name.

        Raises:
            NoModel: there is none before it, or it is gone.
        """
        earlier = list(self._pointer().get("earlier", ()))
        if not earlier:
            raise NoModel("没有更早的版本可以退回；用 hotline models list 查看已有版本")
        version = str(earlier.pop())
        bundle.check(self.path(version))
        self._write_pointer({"version": version, "earlier": earlier})
        return version

    def _pointer(self) -> dict[str, Any]:
        try:
            stored = json.loads((self.folder / _POINTER).read_text(encoding="utf-8"))
            version = stored.get("version") if isinstance(stored, dict) else None
            if isinstance(version, str) and _NAME.fullmatch(version):
                return cast(dict[str, Any], stored)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise DamagedBundle(
                f"{self.folder / _POINTER} 读不出来，请运行 hotline models promote 重新指定"
            ) from error
        raise DamagedBundle(f"{self.folder / _POINTER} 的内容不对，请运行 hotline models promote 重新指定")

    def _write_pointer(self, pointer: Mapping[str, Any]) -> None:
        part = self.folder / f".{_POINTER}.{os.getpid()}.{threading.get_ident()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as file:
                json.dump(pointer, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.folder / _POINTER)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OutputError(f"{self.folder} 写不进去（{error.strerror}），请检查磁盘空间和权限") from error


def _fingerprint(folder: Path) -> str:
    try:
        return bundle.fingerprint(folder)
    except OSError as error:
        raise DamagedBundle(f"{folder} 缺少文件 {bundle.MANIFEST}，请从备份恢复，或换一个版本") from error
