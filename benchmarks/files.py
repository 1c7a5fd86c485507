"""Files of a year, tagged by `hotline batch` with two workers: rate, memory, growth, and workbooks.

    python benchmarks/files.py [--rows 10000 100000 1000000] [--sheet-rows 50000] [--repeat 3]

Each run is a process of its own, from its start to its end. A csv's rate is held against that of two
processes that do nothing but tag the same texts, measured in the same run (the middle of before and
after). Memory is what the process and its workers hold together at the worst moment, what they share
counted once. A workbook is held against reading its cells with calamine and writing those of the tagged one
with XlsxWriter, and nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import psutil
import xlsxwriter
from python_calamine import CalamineWorkbook

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import Figure, printed
from benchmarks.material import requests, write_csv, write_xlsx
from benchmarks.speed import CHUNK, tag_chunk, two_processes
from classifier.batch import Job, tag_file
from classifier.store import shipped
from classifier.work_order import request_of

LENGTH = 130
TEXTS = 24_000  # of the rate in the process
WORKERS = 2
_OFTEN = 0.1  # seconds between two looks at the memory


class Run(NamedTuple):
    """A run of the command."""

    seconds: float
    peak: int  # bytes


class Stages(NamedTuple):
    """Where the time of a file goes, in seconds."""

    before: float  # until the first rows are written
    each: float  # a row, from the first ones that are written to the last
    after: float


def figures(rows: list[int], sheet_rows: int, repeat: int) -> Iterator[Figure]:
    """All figures of files; the largest csv is tagged once only."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from _csv_figures(folder, sorted(rows), repeat)
        yield from _xlsx_figures(folder, sheet_rows, repeat)


def _csv_figures(folder: Path, sizes: list[int], repeat: int) -> Iterator[Figure]:
    before = in_process()
    runs: dict[int, Run] = {}
    for size in sizes:
        source = folder / f"{size}.csv"
        write_csv(source, size, LENGTH)
        count = repeat if size < sizes[-1] else 1
        some = [batch(source, folder / "out.csv") for _ in range(count)]
        runs[size] = Run(statistics.median(run.seconds for run in some), max(run.peak for run in some))
        if size == sizes[-1]:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
                parts = apart.submit(stages, source, folder / "out.csv").result()
        source.unlink()
        yield Figure(
            f"csv {size:,} 行",
            f"{runs[size].seconds:.1f} 秒，{size / runs[size].seconds:,.0f} 行/秒，"
            f"内存最多 {runs[size].peak / 2**20:,.0f} MiB",
        )
    rate = statistics.mean([before, in_process()])
    most = sizes[-1]
    yield Figure("两个进程只打标", f"{rate:,.0f} 条/秒")
    yield Figure(f"csv {most:,} 行对两个进程只打标", f"{most / runs[most].seconds / rate:.0%}", "75%")
    yield Figure(
        f"其中 {most:,} 行的用时",
        f"到写出第一块（载入模型、起进程、看过全文）{parts.before:.1f} 秒；"
        f"之后每行 {parts.each * 1e6:.1f} 微秒（只打标为 {1e6 / rate:.1f} 微秒）；"
        f"收尾 {parts.after:.1f} 秒；其余是解释器的启动",
    )
    if len(sizes) > 1:
        less = sizes[-2]
        shown = f"{most:,} 行对 {less:,} 行"
        yield Figure(f"内存，{shown}", f"{runs[most].peak / runs[less].peak:.2f} 倍", "1.2 倍")
        ratio = runs[most].seconds / runs[less].seconds
        yield Figure(f"用时，{shown}", f"{ratio:.2f} 倍", "10.5 倍" if most == 10 * less else "")


def _xlsx_figures(folder: Path, rows: int, repeat: int) -> Iterator[Figure]:
    source, target = folder / "in.xlsx", folder / "out.xlsx"
    write_xlsx(source, rows, LENGTH)
    runs = [batch(source, target) for _ in range(repeat)]
    cells = CalamineWorkbook.from_path(target).get_sheet_by_index(0).to_python()
    bare = statistics.median(_bare(source, folder / "bare.xlsx", cells) for _ in range(repeat))
    ours = statistics.median(run.seconds for run in runs)
    yield Figure(
        f"xlsx {rows:,} 行", f"{ours:.1f} 秒，内存最多 {max(run.peak for run in runs) / 2**20:,.0f} MiB"
    )
    yield Figure("只读写同样的单元格（calamine、XlsxWriter）", f"{bare:.1f} 秒")
    yield Figure(f"xlsx {rows:,} 行对只读写", f"{ours / bare:.2f} 倍", "2 倍")


def _bare(source: Path, target: Path, cells: list[list[object]]) -> float:
    """Seconds for reading the cells of one workbook, and writing those of the other."""
    start = time.perf_counter()
    CalamineWorkbook.from_path(source).get_sheet_by_index(0).to_python()
    with xlsxwriter.Workbook(str(target), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(cells):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                else:
                    sheet.write(number, column, cell)
    return time.perf_counter() - start


def stages(source: Path, target: Path) -> Stages:
    """Tag a file in this process and its workers, looking at the clock."""
    seen: list[tuple[float, int]] = []
    start = time.perf_counter()
    model = shipped()
    assert model is not None
    job = Job(source, target, model, workers=WORKERS)
    tag_file(job, lambda done, _total: seen.append((time.perf_counter() - start, done)))
    end = time.perf_counter() - start
    (first, some), (last, every) = seen[1], seen[-1]
    return Stages(first, (last - first) / (every - some), end - last)


def batch(source: Path, target: Path) -> Run:
    """Run the command on a file."""
    command = [sys.executable, "-c", "from api.cli import main; main()", "batch", source, target]
    start = time.perf_counter()
    running = psutil.Popen(
        [*map(str, command), "--workers", str(WORKERS)],
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parent.parent,
    )
    peak = 0
    while running.poll() is None:
        peak = max(peak, _held(running))
        time.sleep(_OFTEN)
    seconds = time.perf_counter() - start
    if running.returncode:
        sys.exit(f"hotline batch ended with {running.returncode}")
    return Run(seconds, peak)


def _held(process: psutil.Process) -> int:
    """Bytes that a process and its children hold, what they share counted once where the system tells."""
    held = 0
    for one in [process, *_children(process)]:
        try:
            memory = one.memory_full_info()
            held += getattr(memory, "pss", memory.uss)
        except psutil.Error:  # it has just ended
            continue
    return held


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def in_process() -> float:
    """Texts a second of two processes that tag and do nothing else."""
    texts = [request_of(title, text) for title, text in requests(TEXTS, LENGTH)]
    chunks = [texts[start : start + CHUNK] for start in range(0, TEXTS, CHUNK)]
    rates = []
    with two_processes() as processes:
        shared = [processes.shared] * len(chunks)  # type: ignore[attr-defined]
        for _ in range(5):
            start = time.perf_counter()
            list(processes.map(tag_chunk, chunks, shared))
            rates.append(TEXTS / (time.perf_counter() - start))
    return statistics.median(rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--sheet-rows", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    list(printed(figures(options.rows, options.sheet_rows, options.repeat)))


if __name__ == "__main__":
    main()
