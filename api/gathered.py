"""Work on what several callers bring at the same time, done in one go."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Brought = TypeVar("Brought")
Given = TypeVar("Given")


class Gathered(Generic[Brought, Given]):
    """One thread that works on all that has gathered while it was busy, up to `most` at a time.

    Nobody waits for others to come: what comes alone is worked on alone. Where the work on several
    fails, each is worked on by itself, so that none suffers for another.
    """

    def __init__(self, work: Callable[[Sequence[Brought]], Sequence[Given]], most: int) -> None:
        self._work = work
        self._most = most
        self._queue: queue.SimpleQueue[tuple[Brought, Future[Given]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def bring(self, one: Brought) -> Future[Given]:
        """Have it worked on; the future holds what came of it, or the error."""
        future: Future[Given] = Future()
        self._queue.put((one, future))
        if self._thread is None:
            self._start()
        return future

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="gathered", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            gathered = [self._queue.get()]
            while len(gathered) < self._most and not self._queue.empty():
                gathered.append(self._queue.get())
            wanted = [pair for pair in gathered if pair[1].set_running_or_notify_cancel()]
            if wanted:
                self._do(wanted)

    def _do(self, wanted: Sequence[tuple[Brought, Future[Given]]]) -> None:
        try:
            done = self._work([one for one, _ in wanted])
        except BaseException as error:  # noqa: BLE001 - whoever waits is told, whatever it was
            if len(wanted) == 1:
                wanted[0][1].set_exception(error)
                return
            for pair in wanted:
                self._do([pair])
            return
        for (_, future), given in zip(wanted, done, strict=True):
            future.set_result(given)
