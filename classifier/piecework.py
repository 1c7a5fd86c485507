"""The pieces of a file, each read, tagged and made ready for writing by one process.

The main process hands out pieces that are not read yet and takes back what is to be written, in
order. So many pieces are on their way that no process waits, and no more: memory does not grow with
the file.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib.externals.loky import ProcessPoolExecutor

from . import bundle
from .columns import Columns
from .dispatch import Dispatcher
from .model import Model
from .parts import Parts
from .records import Chunk, Piece, as_text
from .tag_columns import TagColumns
from .tagged import districts_of, requests_of, tag_columns
from .writers import csv_bytes, csv_lines

AHEAD = 2  # pieces on their way for each process beside the one that it has in hand
ALONE = 3  # pieces up to which starting processes costs more than it saves

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done with every piece."""

    model: Path  # the folder of the model's bundle
    columns: Columns
    parts: Parts
    lines: bool  # whether the tagged rows are to be written as lines of a csv
    review_lines: bool  # and those that need review
    tags: bool  # whether the tags themselves are wanted
    dispatch: Path | None = None
    places: Path | None = None
    shared: Path | None = None  # the model's weights, where processes share them


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
    """Where pieces are worked on: a model, a directory of units, and the task."""

    def __init__(self, task: Task, model: Model | None = None) -> None:
        self.task = task
        self.model = model or bundle.load(task.model, task.shared)
        self.dispatcher = Dispatcher.load(task.places, task.dispatch, self.model.taxonomy)

    def do(self, piece: Piece) -> Done:
        """Read a piece, tag it, and write its rows as far as the task says."""
        task, chunk = self.task, piece.chunk()
        resumed = task.parts.has(chunk.start)
        tags = task.parts.read(chunk.start) if resumed else self._tag(chunk)
        lines = _lines(chunk, tags) if task.lines or task.review_lines else []
        decisions = tags.cells("decision")
        review = [line for line, decision in zip(lines, decisions, strict=False) if decision == "review"]
        numbers, ids = _ids(chunk, task.columns)
        return Done(
            len(tags),
            resumed,
            Counter(decisions),
            _errors(chunk, tags, task.columns),
            numbers,
            ids,
            csv_bytes(lines) if task.lines else None,
            csv_bytes(review) if task.review_lines else None,
            tags if task.tags else None,
        )

    def _tag(self, chunk: Chunk) -> TagColumns:
        requests, districts = requests_of(chunk, self.task.columns), districts_of(chunk, self.task.columns)
        tags = tag_columns(self.model, self.dispatcher, requests, chunk.problems, districts)
        self.task.parts.write(chunk.start, tags)
        return tags


def done_pieces(
    task: Task, model: Model, pieces: Iterable[Piece], workers: int
) -> Generator[tuple[Piece, Done], None, None]:
    """Each piece and what became of it, in order; a few pieces, or those of one worker, are done here."""
    left = iter(pieces)
    first = list(islice(left, ALONE + 1))
    if workers == 1 or len(first) <= ALONE:
        bench = Bench(task, model)
        for piece in chain(first, left):
            yield piece, bench.do(piece)
        return
    with tempfile.TemporaryDirectory(prefix="hotline-", ignore_cleanup_errors=True) as folder:
        shared = Path(folder) / "weights.npy"
        bundle.share(model, shared)
        yield from _in_order(replace(task, shared=shared), chain(first, left), workers)


def _in_order(task: Task, pieces: Iterator[Piece], workers: int) -> Generator[tuple[Piece, Done], None, None]:
    pool = ProcessPoolExecutor(workers, initializer=_take, initargs=(task,), env=_ONE_THREAD)
    waiting = deque((piece, pool.submit(_do, piece)) for piece in islice(pieces, workers * (1 + AHEAD)))
    try:
        while waiting:
            piece, future = waiting.popleft()
            done = future.result()
            waiting.extend((further, pool.submit(_do, further)) for further in islice(pieces, 1))
            yield piece, done
    finally:
        for _, future in waiting:  # given up before the end: nobody wants the rest
            future.cancel()
        pool.shutdown()


_given: list[Task] = []  # in a worker process: its task, and the bench once a piece has come
_benches: list[Bench] = []


def _take(task: Task) -> None:
    _given[:] = [task]


def _do(piece: Piece) -> Done:
    """What a worker process does; it loads the model at its first piece."""
    if not _benches:
        _benches.append(Bench(_given[0]))
    return _benches[0].do(piece)


def _lines(chunk: Chunk, tags: TagColumns) -> list[str]:
    """The rows with their tags as lines of a csv."""
    return list(map(",".join, zip(csv_lines(chunk.frame, chunk.raw), tags.lines(), strict=True)))


def _ids(chunk: Chunk, columns: Columns) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    name = columns.get("work_order_id")
    if not name:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64)
    written = np.array([as_text(cell).strip() for cell in chunk.frame[name]], dtype=object)
    hashes = pd.util.hash_array(written, categorize=False)  # the same in every process, unlike hash()
    hashes[written == ""] = 0
    return np.array(chunk.sources, dtype=np.int64), hashes


def _errors(chunk: Chunk, tags: TagColumns, columns: Columns) -> list[tuple[object, ...]]:
    """The rows that could not be tagged, as they are listed."""
    name = columns.get("work_order_id")
    reasons = tags.cells("error_reason")
    return [
        (
            chunk.row_number(row),
            as_text(chunk.frame[name].iloc[row]) if name else "",
            "" if row in chunk.problems else columns["text"],
            reason,
            "改正该行后单独重新打标，或人工分类",
        )
        for row, reason in enumerate(reasons)
        if reason is not None
    ]
