"""The models as a running service reads them: no request waits for a load, none is lost to a damaged folder.

A promoted version is loaded in the background while the one before it answers. What cannot be loaded is
told and tried again later, and the model that is in memory goes on answering: a hotline does not stop
because a file went missing. Worker processes that serve the same model map its weights from one file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from filelock import FileLock

from classifier import bundle
from classifier.errors import HotlineError, ModelError, OutputError
from classifier.store import ModelStore

if TYPE_CHECKING:
    from classifier.model import Model

RETRY_SECONDS = 30  # after which a version that could not be loaded is tried again
WATCH_SECONDS = 1.0
_KEPT = 3  # files of weights: of the current version, and of those that a slower worker may be about to map

_log = structlog.get_logger("hotline.models")

Bundle = tuple[Path, str]  # a version's folder, and the sum that stands for its bytes


class ServedModels(ModelStore):
    """A store whose `current` never waits once it has answered; `on_load` hears of loads, good or not."""

    def __init__(
        self,
        folder: Path | None = None,
        shared: Path | None = None,
        on_load: Callable[[str, bool], None] = lambda _version, _fine: None,
    ) -> None:
        super().__init__(folder)
        self.on_load = on_load
        self.trouble: str | None = None
        """Why the version that was promoted does not answer, where it does not."""
        self._shared = shared
        self._answering: tuple[Bundle, Model] | None = None
        self._loading: threading.Thread | None = None
        self._failed: tuple[Bundle, float] | None = None  # when it may be tried again
        self._turn = threading.Lock()

    def current(self) -> Model:
        """The promoted version, or the one before it for as long as that one loads.

        Raises:
            ModelError: there is no sound one, and none has answered yet.
        """
        answering = self._answering
        if answering is None:
            return self._first()
        try:
            wanted = self._wanted()
        except ModelError as error:
            self._tell(str(error))
            return answering[1]
        if wanted == answering[0]:
            self.trouble = None
        else:
            self._begin(wanted)
        return answering[1]

    def watch(self, seconds: float = WATCH_SECONDS) -> None:
        """Look by itself too, so that a promoted version is loaded before somebody asks."""

        def look() -> None:
            while True:
                time.sleep(seconds)
                with suppress(ModelError):  # nothing answers yet; who asks is told
                    self.current()

        threading.Thread(target=look, name="model-watch", daemon=True).start()

    def _wanted(self) -> Bundle:
        folder = self.path(self.current_version())
        try:
            return folder, bundle.fingerprint(folder)
        except OSError as error:
            raise ModelError(f"{folder} 缺少文件 {bundle.MANIFEST}，请从备份恢复，或换一个版本") from error

    def _first(self) -> Model:
        with self._turn:
            if self._answering is None:
                return self._load(self._wanted())
            return self._answering[1]

    def _begin(self, wanted: Bundle) -> None:
        """Load it in the background, unless that is going on or failed a moment ago."""
        if self._failed and self._failed[0] == wanted and time.monotonic() < self._failed[1]:
            return
        if not self._turn.acquire(blocking=False):
            return
        try:
            if self._loading is None or not self._loading.is_alive():
                self._loading = threading.Thread(
                    target=self._try, args=(wanted,), name="model-load", daemon=True
                )
                self._loading.start()
        finally:
            self._turn.release()

    def _try(self, wanted: Bundle) -> None:
        try:
            self._load(wanted)
        except (HotlineError, OSError, MemoryError) as error:
            self._failed = wanted, time.monotonic() + RETRY_SECONDS
            self._tell(str(error) if isinstance(error, HotlineError) else type(error).__name__)
            self.on_load(wanted[0].name, False)

    def _load(self, wanted: Bundle) -> Model:
        folder, digest = wanted
        model = _mapped(folder, digest, self._shared) if self._shared else bundle.load(folder)
        self._answering = wanted, model
        self._failed = self.trouble = None
        self.on_load(model.version, True)
        _log.info("模型已载入", version=model.version)
        return model

    def _tell(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            _log.error("模型没有更换，原来的继续使用", reason=trouble)


def _mapped(folder: Path, digest: str, shared: Path) -> Model:
    """The model with its weights in a file that every worker maps; the first one writes it."""
    from classifier.weights import Weights

    path = shared / f"{digest}.npy"
    with FileLock(shared / "weights.lock"):
        if path.is_file():
            path.touch()
            return bundle.load(folder, path)
        model = bundle.load(folder)
        part = path.with_suffix(".part.npy")
        try:
            bundle.share(model, part)
            part.replace(path)
        except (OSError, OutputError) as error:
            part.unlink(missing_ok=True)
            _log.warning("权重不能共享，每个进程各占一份内存", reason=type(error).__name__)
            return model
        model.weights = Weights.mapped(path, model.weights.scale)
        for old in sorted(shared.glob("*.npy"), key=lambda one: one.stat().st_mtime)[:-_KEPT]:
            old.unlink()  # who has mapped it keeps it
        return model
