"""Work on what several callers bring at the same time, done in one go."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Brought = TypeVar("Brought")
Given = TypeVar("Given")


class _Waiting(NamedTuple, Generic[Brought, Given]):
    brought: Brought
    future: asyncio.Future[Given]


class Gathered(Generic[Brought, Given]):
    """One thread that works on all that has gathered while it was busy, up to `most` at a time.

    Nobody waits for others to come: what comes alone is worked on alone. Where the work on several
    fails, each is worked on by itself, so that none suffers for another.
    """

    def __init__(self, work: Callable[[Sequence[Brought]], Sequence[Given]], most: int) -> None:
        self._work = work
        self._most = most
        self._queue: queue.SimpleQueue[_Waiting[Brought, Given]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    async def bring(self, one: Brought) -> Given:
        """Have it worked on; what came of it, or its error raised."""
        future: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(one, future))
        if self._thread is None:
            self._start()
        return await future

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
            self._do([one for one in gathered if not one.future.cancelled()])

    def _do(self, wanted: Sequence[_Waiting[Brought, Given]]) -> None:
        if not wanted:
            return
        done: Sequence[Given | BaseException]
        try:
            done = self._work([one.brought for one in wanted])
        except BaseException as error:  # noqa: BLE001 - whoever waits is told, whatever it was
            if len(wanted) > 1:
                for one in wanted:
                    self._do([one])
                return
            done = [error]
        loops = {one.future.get_loop() for one in wanted}
        for loop in loops:  # one for a service; waking it once for all costs less than once for each
            theirs = [pair for pair in zip(wanted, done, strict=True) if pair[0].future.get_loop() is loop]
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, theirs)


def _tell(done: Sequence[tuple[_Waiting[Brought, Given], Given | BaseException]]) -> None:
    for (_, future), given in done:
        if future.done():  # whoever waited has gone
            continue
        if isinstance(given, BaseException):
            future.set_exception(given)
        else:
            future.set_result(given)
