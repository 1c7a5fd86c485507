"""A file of work orders to a tagged file: in chunks, on several processes, and resumable.

Each chunk's tags are put down in a folder beside the output as soon as they are known. A run that was
killed and is resumed takes them from there and tags the rest; either way the output is written from
the input and the tags in one go, so it is the same as if nothing had happened.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.metadata import version as installed
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed

from . import bundle
from .columns import Columns
from .errors import InputError, OutputError
from .model import Model
from .parts import Parts, remove_unfinished, sole_run
from .records import Chunk, Records, as_text, open_records
from .sidecar import sha256, write_sidecar
from .tagged import TAG_SCHEMA, districts_of, requests_of, tag_frame
from .taxonomy import DATA
from .writers import Writer, open_writer

CHUNK = 2000  # rows; also a row group of the output, so it must not depend on the number of workers
WINDOW = 8  # chunks on their way for each worker: bounds memory
ALONE = 4  # chunks below which starting processes costs more than it saves

ERROR_COLUMNS = ("行号", "工单编号", "列", "原因", "处理办法")

_SHOWN = 20
Progress = Callable[[int, int | None], None]
Seen = Callable[[Chunk, pd.DataFrame, Columns], None]


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


def tag_file(
    job: Job,
    progress: Progress = lambda _done, _total: None,
    seen: Seen = lambda _chunk, _tags, _columns: None,
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


def _tag_file(job: Job, progress: Progress, seen: Seen) -> BatchReport:
    model = bundle.load(job.model)
    records = open_records(job.source, sheet=job.sheet, encoding=job.encoding)
    columns = Columns.find(records.columns, job.columns, file=job.source.name)
    report = BatchReport(notes=list(records.notes))
    inputs = _renamed(records.columns, report)
    source_sum = sha256(job.source)
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
        ids = _Ids()
        pairs = stack.enter_context(closing(_tagged(job, model, records, columns, parts, report)))
        for chunk, tags in pairs:
            whole = pd.concat([chunk.frame.set_axis(inputs, axis=1), tags], axis=1)
            writer.write(whole)
            if review is not None:
                review.write(whole[tags["decision"] == "review"].reset_index(drop=True))
            _write_errors(errors, chunk, tags, columns)
            ids.see(chunk, columns)
            seen(chunk, tags, columns)
            report.rows += len(whole)
            report.decisions.update(tags["decision"])
            progress(report.rows, records.total)
    report.notes += [*_cut_notes(writer), *ids.notes()]
    _describe(job, model, report, source_sum)
    parts.clear()
    return report


def _tagged(
    job: Job, model: Model, records: Records, columns: Columns, parts: Parts, report: BatchReport
) -> Generator[tuple[Chunk, pd.DataFrame], None, None]:
    """Chunks with their tags, in order; tags of an interrupted run are taken as they are."""
    chunks = records.chunks(CHUNK)
    window = list(islice(chunks, WINDOW * job.workers))
    alone = job.workers == 1 or len(window) < ALONE
    call = delayed(partial(tag_frame, model) if alone else partial(_tag_in_worker, job.model))
    with Parallel(n_jobs=1 if alone else job.workers, return_as="generator") as parallel:
        while window:
            fresh = parallel(
                call(requests_of(chunk, columns), chunk.problems, districts_of(chunk, columns))
                for chunk in window
                if not parts.has(chunk.start)
            )
            with _closing(fresh):
                for chunk in window:
                    if parts.has(chunk.start):
                        report.resumed += len(chunk.frame)
                        yield chunk, parts.read(chunk.start)
                    else:
                        tags = next(fresh)
                        parts.write(chunk.start, tags)
                        yield chunk, tags
            window = list(islice(chunks, WINDOW * job.workers))


@contextmanager
def _closing(fresh: Generator[pd.DataFrame, None, None]) -> Iterator[None]:
    """See a window's results to their end, or give them up when the run fails."""
    try:
        yield
        next(fresh, None)  # joblib ends a run when asked for more; closed before, it stops its workers
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # joblib counts the tasks that it cancels
            fresh.close()


@lru_cache(maxsize=1)
def _worker_model(folder: Path) -> Model:
    return bundle.load(folder)


def _tag_in_worker(
    folder: Path, requests: Sequence[str], problems: Mapping[int, str], districts: Sequence[str]
) -> pd.DataFrame:
    """What a worker process does; each loads the model once."""
    return tag_frame(_worker_model(folder), requests, problems, districts)


class _Ids:
    """Work order ids that came more than once: the rows are tagged, but somebody should know."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}  # hash of an id -> the row where it stood first
        self._twice: list[str] = []
        self._count = 0

    def see(self, chunk: Chunk, columns: Columns) -> None:
        name = columns.get("work_order_id")
        for row, cell in enumerate(chunk.frame[name] if name else ()):
            written = as_text(cell).strip()
            number = chunk.row_number(row)
            first = self._seen.setdefault(hash(written), number)
            if written and first != number:
                self._count += 1
                if len(self._twice) < _SHOWN:
                    self._twice.append(f"第 {first} 与 {number} 行")

    def notes(self) -> list[str]:
        if not self._count:
            return []
        return [f"工单编号重复 {self._count} 处，各行都已打标：{'、'.join(self._twice)}"]


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
        "承办单位目录和地名": [sha256(DATA / name) for name in ("dispatch.toml", "places.toml")],
        "程序版本": installed("hotline-classifier"),
        "每块行数": CHUNK,
    }


def _renamed(columns: Sequence[str], report: BatchReport) -> list[str]:
    """The input's columns, those that are called like an added one given another name."""
    taken = {*columns, *TAG_SCHEMA.names}
    names = []
    for name in columns:
        renamed = name
        while renamed in TAG_SCHEMA.names or (renamed != name and renamed in taken):
            renamed = f"input_{renamed}"
        if renamed != name:
            report.notes.append(f"输入中的列 {name} 与打标结果同名，在输出中改名为 {renamed}")
        taken.add(renamed)
        names.append(renamed)
    return names


def _tagged_writer(path: Path, records: Records, inputs: Sequence[str]) -> Writer:
    return open_writer(path, [*inputs, *TAG_SCHEMA.names], schema=TAG_SCHEMA, rows=records.total)


def _errors_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.errors.csv")


def _write_errors(errors: Writer, chunk: Chunk, tags: pd.DataFrame, columns: Columns) -> None:
    rows = [row for row, decision in enumerate(tags["decision"]) if decision == "error"]
    name = columns.get("work_order_id")
    listed = [
        (
            chunk.row_number(row),
            as_text(chunk.frame[name].iloc[row]) if name else "",
            "" if row in chunk.problems else columns["text"],
            tags["error_reason"].iloc[row],
            "改正该行后单独重新打标，或人工分类",
        )
        for row in rows
    ]
    if listed:
        errors.write(pd.DataFrame(listed, columns=list(ERROR_COLUMNS), dtype=object))


def _cut_notes(writer: Writer) -> list[str]:
    cut = getattr(writer, "cut", 0)
    return (
        [f"{cut} 个单元格超过 Excel 上限 32767 字，在 xlsx 中被截短；需要全文请输出为 csv 或 parquet"]
        if cut
        else []
    )


def _describe(job: Job, model: Model, report: BatchReport, source_sum: str) -> None:
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
    write_sidecar(job.target, {"rows": report.rows, **facts})
    if job.review:
        write_sidecar(job.review, {"rows": report.decisions["review"], **facts})
