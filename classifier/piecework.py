"""The pieces of a file, each read, tagged and made ready for writing by one process.

The main process hands out pieces that are not read yet and takes back what is to be written, in
order. So many pieces are on their way that no process waits, and no more: memory does not grow with
the file.
"""

from __future__ import annotations

import gc
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from joblib.externals.loky import ProcessPoolExecutor

from . import bundle
from .codes import Places
from .columns import Columns
from .csv_kernel import lines_with, text_sums
from .dispatch import Dispatcher
from .model import Model
from .parts import Parts
from .records import Chunk, Piece
from .spans import Spans
from .tag_columns import TagColumns
from .tagged import districts_of, requests_of, tag_columns
from .utf8 import Block, Utf8
from .writers import csv_lines, taken_over

AHEAD = 2  # pieces on their way for each process beside the one that it has in hand
ALONE = 3  # pieces up to which starting processes costs more than it saves

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Tools:
    """What pieces are worked on with."""

    model: Path  # the folder of its bundle
    dispatch: Path | None = None
    places: Path | None = None
    shared: Path | None = None  # the model's weights, where processes share them


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with every piece."""

    columns: Columns
    parts: Parts
    lines: bool  # whether the tagged rows are to be written as lines of a csv
    review_lines: bool  # and those that need review
    tags: bool  # whether the tags themselves are wanted


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a piece."""

    rows: int
    resumed: bool  # whether its tags were taken from an interrupted run
    decisions: Counter[str]
    errors: Sequence[tuple[object, ...]]  # line number, id, column, reason, what to do
    numbers: npt.NDArray[np.int64]  # of each row, as people find it; empty where there is no id column
    ids: npt.NDArray[np.uint64]  # a hash of each row's id, 0 where it has none
    lines: bytes | None
    review_lines: bytes | None
    tags: TagColumns | None


class Bench:
    """Where pieces are worked on: a model and a directory of units."""

    def __init__(self, tools: Tools, model: Model | None = None) -> None:
        self.model = model or bundle.load(tools.model, tools.shared)
        self.dispatcher = Dispatcher.load(tools.places, tools.dispatch, self.model.taxonomy)

    def do(self, task: Task, piece: Piece) -> Done:
        """Read a piece, tag it, and write its rows as far as the task says."""
        chunk = piece.chunk()
        resumed = task.parts.has(chunk.start)
        tags = task.parts.read(chunk.start) if resumed else self._tag(task, chunk)
        decisions = tags.cells("decision")
        lines = review = None
        if task.lines or task.review_lines:
            block, ends = self._lines(chunk, tags)
            lines = block.tobytes()
            review = _of_review(lines, ends, decisions) if task.review_lines else None
        numbers, ids = _ids(chunk, task.columns)
        return Done(
            len(tags),
            resumed,
            Counter(decisions),
            _errors(chunk, tags, task.columns),
            numbers,
            ids,
            lines if task.lines else None,
            review,
            tags if task.tags else None,
        )

    @staticmethod
    def _lines(chunk: Chunk, tags: TagColumns) -> tuple[Block, Places]:
        """The rows with their tags as lines of a csv, and where each ends."""
        cells = chunk.cells
        if isinstance(cells, Spans) and cells.delimiter == ",":
            rows = taken_over(cells)
        else:
            rows = Utf8.of(csv_lines(chunk.frame))
        return lines_with(rows, tags.fields())

    def _tag(self, task: Task, chunk: Chunk) -> TagColumns:
        requests, districts = requests_of(chunk, task.columns), districts_of(chunk, task.columns)
        tags = tag_columns(self.model, self.dispatcher, requests, chunk.problems, districts)
        task.parts.write(chunk.start, tags)
        return tags


class Workers:
    """Processes that work on pieces, to be used in a `with`.

    They may be started before there is a model or a piece, and get ready meanwhile. A few pieces, or those
    of one worker, are worked on by this process.
    """

    def __init__(self, tools: Tools, count: int) -> None:
        self._tools = tools
        self._count = count
        self._pool: ProcessPoolExecutor | None = None
        self._folder = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown()
        self._folder.close()

    def start(self) -> None:
        """Start the processes, if they are not, and have them load the program."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._count, env=_ONE_THREAD)
            for _ in range(self._count):
                self._pool.submit(_start)

    def equip(self, model: Model) -> None:
        """Start the processes, if they are not, and have them load the model, whose weights they share.

        Raises:
            OutputError: the weights cannot be put down where the processes find them.
        """
        self.start()
        folder = tempfile.TemporaryDirectory(prefix="hotline-", ignore_cleanup_errors=True)
        shared = Path(self._folder.enter_context(folder)) / "weights.npy"
        bundle.share(model, shared)
        self._tools = replace(self._tools, shared=shared)
        for _ in range(self._count):
            self._submit(_ready)

    @property
    def is_equipped(self) -> bool:
        return self._tools.shared is not None

    def _submit(self, work: Callable[..., Any], *arguments: object) -> Future[Any]:
        assert self._pool, "it was started"  # noqa: S101 - not what somebody gave
        future: Future[Any] = self._pool.submit(work, self._tools, *arguments)
        return future

    def done(
        self, task: Task, pieces: Iterable[Piece], model: Model
    ) -> Generator[tuple[Piece, Done], None, None]:
        """Each piece and what became of it, in order."""
        left = iter(pieces)
        first = list(islice(left, ALONE + 1))
        if self._count == 1 or len(first) <= ALONE:
            bench = Bench(self._tools, model)
            for piece in chain(first, left):
                yield piece, bench.do(task, piece)
            return
        if not self.is_equipped:
            self.equip(model)
        yield from self._in_order(task, chain(first, left))

    def _in_order(self, task: Task, pieces: Iterator[Piece]) -> Generator[tuple[Piece, Done], None, None]:
        many = islice(pieces, self._count * (1 + AHEAD))
        waiting = deque((piece, self._submit(_do, task, piece)) for piece in many)
        try:
            while waiting:
                piece, future = waiting.popleft()
                done = future.result()
                waiting.extend((further, self._submit(_do, task, further)) for further in islice(pieces, 1))
                yield piece, done
        finally:
            for _, future in waiting:  # given up before the end: nobody wants the rest
                future.cancel()


_benches: dict[Tools, Bench] = {}  # in a worker process: its bench, once it is set up


def _start() -> None:
    """Nothing: a process that does it has loaded the program."""


def _bench(tools: Tools) -> Bench:
    """Load the model, once for each process."""
    if tools not in _benches:
        _benches[tools] = Bench(tools)
        gc.freeze()  # the model stays; looking through it again and again is waste
    return _benches[tools]


def _ready(tools: Tools) -> None:
    _bench(tools)


def _do(tools: Tools, task: Task, piece: Piece) -> Done:
    return _bench(tools).do(task, piece)


def _of_review(lines: bytes, ends: Places, decisions: Sequence[str]) -> bytes:
    """The lines of the rows that need review."""
    spans = zip(decisions, pairwise([0, *ends.tolist()]), strict=True)
    return b"".join([lines[start:until] for decision, (start, until) in spans if decision == "review"])


def _ids(chunk: Chunk, columns: Columns) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    name = columns.get("work_order_id")
    if not name:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64)
    return np.array(chunk.sources, dtype=np.int64), text_sums(chunk.utf8(name))


def _errors(chunk: Chunk, tags: TagColumns, columns: Columns) -> list[tuple[object, ...]]:
    """The rows that could not be tagged, as they are listed."""
    reasons = tags.columns["error_reason"].cells()
    rows = [row for row, reason in enumerate(reasons.tolist()) if reason is not None]
    name = columns.get("work_order_id")
    ids = chunk.texts(name) if name and rows else [""] * len(chunk)
    return [
        (
            chunk.row_number(row),
            ids[row],
            "" if row in chunk.problems else columns["text"],
            reasons[row],
            "改正该行后单独重新打标，或人工分类",
        )
        for row in rows
    ]
