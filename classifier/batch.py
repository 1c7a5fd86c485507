"""A file of work orders to a tagged file: in chunks, on several processes, and resumable.

Each chunk's tags are put down in a folder beside the output as soon as they are known. A run that was
killed and is resumed takes them from there and tags the rest; either way the output is written from
the input and the tags in one go, so it is the same as if nothing had happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import bundle
from .columns import Columns
from .errors import InputError, OutputError
from .model import Model
from .parts import Parts, remove_unfinished, sole_run
from .piecework import ALONE, Done, Task, Tools, Workers
from .records import PIECE_BYTES, PIECE_ROWS, Chunk, Piece, Records, open_records
from .sidecar import sha256, write_sidecar
from .table import frame_of
from .tag_columns import TAG_TYPES
from .taxonomy import DATA
from .writers import CsvWriter, Writer, open_writer

if TYPE_CHECKING:  # of a csv that becomes a csv no frame is made
    import pandas as pd

ERROR_COLUMNS = ("行号", "工单编号", "列", "原因", "处理办法")

_SHOWN = 20
_PACKED = 4  # how many times smaller than a csv a workbook or parquet is, at least
Progress = Callable[[int, int | None], None]
Seen = Callable[[Chunk, "pd.DataFrame", Columns], None]


@dataclass(slots=True)
class BatchReport:
    """What became of a file."""

    rows: int = 0
    decisions: Counter[str] = field(default_factory=Counter)  # auto, review, error -> rows
    resumed: int = 0  # rows whose tags were taken from an interrupted run
    notes: list[str] = field(default_factory=list)
    errors: Path | None = None  # the file that lists the rows that could not be tagged


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be tagged, with which model, and where to."""

    source: Path
    target: Path
    model: Path  # the folder of the model's bundle
    columns: Mapping[str, str] = field(default_factory=dict)  # role -> column, where the user names it
    review: Path | None = None  # gets the rows that need review, too
    workers: int = 1
    resume: bool = False
    sheet: str | None = None
    encoding: str | None = None
    dispatch: Path | None = None  # the directory of units and the place names, where they are one's own
    places: Path | None = None


def tag_file(
    job: Job,
    progress: Progress = lambda _done, _total: None,
    seen: Seen | None = None,
) -> BatchReport:
    """Tag every row of a file: one row out for each row in, in order, with all its columns.

    Rows that cannot be tagged stay, with `decision` "error" and the reason, and are listed in
    `TARGET.errors.csv`. `TARGET.json` says what the output is: its SHA-256, rows, model, taxonomy.
    `seen` is given each chunk with its tags, in order, also those of a resumed run's first part.

    Raises:
        InputError: the input cannot be read, the interrupted run was another one, or another run is
            writing the same output now.
        OutputError: the output cannot be written; what stood under its name before is untouched.
        ModelError: the model is not there, or damaged.
    """
    _check_paths(job)
    with sole_run(job.target):
        return _tag_file(job, progress, seen)


def _tag_file(job: Job, progress: Progress, seen: Seen | None) -> BatchReport:
    with Workers(Tools(job.model, job.dispatch, job.places), job.workers) as workers:
        many = job.workers > 1 and _is_large(job.source)
        if many:
            workers.start()
        with ThreadPoolExecutor(2) as beside:  # a year's file takes a while to sum up and to look through
            summing = beside.submit(_sum_of, job.source)
            opening = beside.submit(open_records, job.source, sheet=job.sheet, encoding=job.encoding)
            model = bundle.load(job.model)
            if many:
                workers.equip(model)
            records, source_sum = opening.result(), summing.result()
        return _tag_rows(job, model, records, source_sum, workers, progress, seen)


def _tag_rows(
    job: Job,
    model: Model,
    records: Records,
    source_sum: str,
    workers: Workers,
    progress: Progress,
    seen: Seen | None,
) -> BatchReport:
    columns = Columns.find(records.columns, job.columns, file=job.source.name)
    report = BatchReport(notes=list(records.notes))
    inputs = _renamed(records.columns, report)
    writer = _tagged_writer(job.target, records, inputs)
    review = _tagged_writer(job.review, records, inputs) if job.review else None
    errors = open_writer(_errors_path(job.target), ERROR_COLUMNS)
    parts = Parts(job.target, _identity(job, columns, source_sum), resume=job.resume)
    report.notes += parts.notes
    writers = [one for one in (writer, review, errors) if one]
    if parts.interrupted:
        for one in writers:
            remove_unfinished(one.path)
    progress(0, records.total)
    with ExitStack() as stack:
        for one in writers:
            stack.enter_context(one)
        task = _task(columns, parts, writer, review, seen)
        ids = _Ids()
        pieces = workers.done(task, records.pieces(), model)
        for piece, done in stack.enter_context(closing(pieces)):
            _write(piece, done, inputs, writer, review)
            if done.errors:
                errors.write(frame_of(done.errors, ERROR_COLUMNS))
            ids.see(done)
            if seen and done.tags:
                seen(piece.chunk(), done.tags.frame(), columns)
            report.rows += done.rows
            report.resumed += done.rows if done.resumed else 0
            report.decisions += done.decisions
            progress(report.rows, records.total)
    report.notes += [*_cut_notes(writer), *ids.notes()]
    _describe(job, model, report, source_sum, writer, review)
    parts.clear()
    return report


def _task(columns: Columns, parts: Parts, writer: Writer, review: Writer | None, seen: Seen | None) -> Task:
    """What every piece needs: lines where the output is a csv, tags where anything else is made of them."""
    lines, review_lines = isinstance(writer, CsvWriter), isinstance(review, CsvWriter)
    tags = not lines or not (review is None or review_lines) or seen is not None
    return Task(columns, parts, lines, review_lines, tags)


def _write(piece: Piece, done: Done, inputs: list[str], writer: Writer, review: Writer | None) -> None:
    """Write a piece where it belongs: the lines that are made already, or else its cells and tags."""
    if isinstance(writer, CsvWriter) and done.lines is not None:
        writer.write_lines(done.lines, done.rows)
    if isinstance(review, CsvWriter) and done.review_lines is not None:
        review.write_lines(done.review_lines, done.decisions["review"])
    if done.tags and (done.lines is None or (review and done.review_lines is None)):
        import pandas as pd

        tags = done.tags.frame()
        whole = pd.concat([piece.chunk().frame.set_axis(inputs, axis=1), tags], axis=1)
        if done.lines is None:
            writer.write(whole)
        if review and done.review_lines is None:
            review.write(whole[tags["decision"] == "review"].reset_index(drop=True))


class _Ids:
    """Work order ids that came more than once: the rows are tagged, but somebody should know."""

    def __init__(self) -> None:
        self._numbers: list[npt.NDArray[np.int64]] = []
        self._hashes: list[npt.NDArray[np.uint64]] = []

    def see(self, done: Done) -> None:
        self._numbers.append(done.numbers[done.ids != 0])
        self._hashes.append(done.ids[done.ids != 0])

    def notes(self) -> list[str]:
        """Each further row with an id, and the row where that stood first."""
        numbers, hashes = np.concatenate(self._numbers), np.concatenate(self._hashes)
        order = np.argsort(hashes, kind="stable")
        again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1]) + 1
        if not len(again):
            return []
        _, first_of, group = np.unique(hashes, return_index=True, return_inverse=True)
        further = np.sort(order[again])[:_SHOWN]
        shown = [f"第 {numbers[first_of[group[row]]]} 与 {numbers[row]} 行" for row in further]
        return [f"工单编号重复 {len(again)} 处，各行都已打标：{'、'.join(shown)}"]


def _is_large(source: Path) -> bool:
    """Whether a file surely has more pieces than one process works on alone."""
    size = source.stat().st_size if source.is_file() else 0
    unpacked = size * (1 if source.suffix.lower() in {".csv", ".tsv", ".txt"} else _PACKED)
    return unpacked > 2 * ALONE * PIECE_BYTES


def _check_paths(job: Job) -> None:
    errors = _errors_path(job.target)
    named = [path for path in (job.source, job.target, job.review, errors) if path]
    if len({path.resolve() for path in named}) < len(named):
        raise InputError(
            f"输入、输出、待复核文件和出错清单（{errors.name}）必须是不同的文件，请换一个输出文件名"
        )
    for path in named[1:]:
        if not path.resolve().parent.is_dir():
            raise OutputError(f"文件夹 {path.parent} 不存在，请先建立，或换一个位置")
        if path.is_dir():
            raise OutputError(f"{path} 是文件夹，不能作为输出文件，请给出文件名")


def _identity(job: Job, columns: Columns, source_sum: str) -> dict[str, Any]:
    """What must be the same for the tags of an interrupted run to be of use."""
    return {
        "输入文件": source_sum,
        "模型": bundle.fingerprint(job.model),
        "列": [columns.get(role) for role in ("text", "title", "district", "town")],
        "工作表": job.sheet,
        "编码": job.encoding,
        "承办单位目录和地名": [
            sha256(job.dispatch or DATA / "dispatch.toml"),
            sha256(job.places or DATA / "places.toml"),
        ],
        "程序版本": installed("hotline-classifier"),
        "每块大小": [PIECE_BYTES, PIECE_ROWS],
    }


def _renamed(columns: Sequence[str], report: BatchReport) -> list[str]:
    """The input's columns, those that are called like an added one given another name."""
    taken = {*columns, *TAG_TYPES}
    names = []
    for name in columns:
        renamed = name
        while renamed in TAG_TYPES or (renamed != name and renamed in taken):
            renamed = f"input_{renamed}"
        if renamed != name:
            report.notes.append(f"输入中的列 {name} 与打标结果同名，在输出中改名为 {renamed}")
        taken.add(renamed)
        names.append(renamed)
    return names


def _tagged_writer(path: Path, records: Records, inputs: Sequence[str]) -> Writer:
    return open_writer(path, [*inputs, *TAG_TYPES], types=TAG_TYPES, rows=records.total)


def _errors_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.errors.csv")


def _cut_notes(writer: Writer) -> list[str]:
    cut = getattr(writer, "cut", 0)
    return (
        [f"{cut} 个单元格超过 Excel 上限 32767 字，在 xlsx 中被截短；需要全文请输出为 csv 或 parquet"]
        if cut
        else []
    )


def _sum_of(source: Path) -> str:
    """The SHA-256 of a file; nothing where it cannot be read, which `open_records` tells better."""
    try:
        return sha256(source)
    except OSError:
        return ""


def _describe(
    job: Job, model: Model, report: BatchReport, source_sum: str, writer: Writer, review: Writer | None
) -> None:
    """Write the sidecars, and take away the list of errors where there are none."""
    errors = _errors_path(job.target)
    if report.decisions["error"]:
        report.errors = errors
    else:
        errors.unlink(missing_ok=True)
    facts = {
        "source": job.source.name,
        "source_sha256": source_sum,
        "model_version": model.version,
        "model_sha256": bundle.fingerprint(job.model),
        "taxonomy_version": model.taxonomy.version,
        "hotline_version": installed("hotline-classifier"),
    }
    write_sidecar(job.target, {"rows": report.rows, **facts}, writer.sha256)
    if job.review and review:
        write_sidecar(job.review, {"rows": report.decisions["review"], **facts}, review.sha256)
