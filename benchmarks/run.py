"""All benchmarks of speed, one after the other, and docs/performance.md from what they find.

    python benchmarks/run.py [--quick] [--only speed files over_http training_time]

Takes about a quarter of an hour on two cores; other work on the machine spoils the ratios between one
process and two. `--only` runs some of them and leaves the others' chapters as they stand; `--quick` tries
that everything runs, on few rows, and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import files, over_http, speed, training_time
from benchmarks.figures import Figure, printed
from benchmarks.material import DATA, sources

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
LIBRARIES = (
    "numpy",
    "scikit-learn",
    "pandas",
    "pyarrow",
    "jieba",
    "rjieba",
    "fastapi",
    "uvicorn",
    "XlsxWriter",
)


def chapters(*, quick: bool) -> Iterator[tuple[str, str, Iterator[Figure]]]:
    """Heading, command and figures of each benchmark."""
    rows = [2_000, 20_000] if quick else [10_000, 100_000, 1_000_000]
    yield "文本到标签", "benchmarks/speed.py", speed.figures(1 if quick else 5)
    yield (
        "全年文件（`hotline batch`，两个进程）",
        "benchmarks/files.py",
        files.figures(rows, 2_000 if quick else 50_000, 1 if quick else 3),
    )
    yield "HTTP", "benchmarks/over_http.py", over_http.figures(1 if quick else 5, 1 if quick else 3)
    yield "训练", "benchmarks/training_time.py", training_time.figures(300 if quick else 2_000, 1)


def page(found: list[tuple[str, str, list[Figure]]]) -> str:
    """The page, as people read it; chapters that were not run are taken over from the one before."""
    before = PAGE.read_text(encoding="utf-8").split("\n## ")[1:] if PAGE.is_file() else []
    kept = {chapter.splitlines()[0]: chapter.splitlines() for chapter in before}
    real = "开发数据（真实诉求）" if sources() == [DATA] else "`examples/` 中的虚构工单"
    memory = psutil.virtual_memory().total / 2**30
    lines = [
        "# 性能",
        "",
        "由 `python benchmarks/run.py` 生成，数字由脚本写入。绝对用时因机器而异，请看同一次运行中的比值；",
        "每一节也可单独运行。",
        "",
        f"- 日期：{date.today().isoformat()}",  # noqa: DTZ011 - the day on this desk's calendar
        f"- 机器：{_processor()}，{os.cpu_count()} 个逻辑核，{memory:.0f} GiB 内存，"
        f"{platform.system()} {platform.machine()}",
        f"- Python {platform.python_version()}，{'、'.join(f'{name} {version(name)}' for name in LIBRARIES)}",
        f"- 文本取自{real}：“文本到标签”随机抽取原文，其余各节截短或接长到平均约 130 字",
        "",
    ]
    for heading, script, figures in found:
        if not figures and heading in kept:
            lines += [f"## {heading}", *kept[heading][1:], ""]
            continue
        lines += [f"## {heading}", "", f"`python {script}`", "", "| | 结果 | 目标 |", "|---|---|---|"]
        lines += [f"| {figure.name} | {figure.shown} | {figure.bar} |" for figure in figures]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _processor() -> str:
    """The processor's name; Linux has it in a file only."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return next(line.split(":")[1].strip() for line in told.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=("speed", "files", "over_http", "training_time"))
    options = parser.parse_args()
    quick, only = options.quick, options.only
    found = []
    for heading, script, figures in chapters(quick=quick):
        chosen = not only or Path(script).stem in only
        print(f"\n== {heading}" if chosen else "", flush=True)
        found.append((heading, script, list(printed(figures)) if chosen else []))
    written = page(found)
    if not quick:
        PAGE.write_text(written, encoding="utf-8")
        print(f"\n{PAGE}")


if __name__ == "__main__":
    main()
