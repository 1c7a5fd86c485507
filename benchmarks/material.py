"""What the benchmarks work on: real requests where the development data is at hand, else the invented ones.

A request is drawn at random and cut, or lengthened by sentences of another one, to about the length that is
asked for; so a million of them are not a thousand repeated.
"""

from __future__ import annotations

import csv
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from classifier.columns import Columns
from classifier.records import as_text, open_records

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "requests.parquet"
EXAMPLES = (ROOT / "examples" / "work_orders.xlsx", ROOT / "examples" / "invented_orders.csv")
HEADER = ("工单编号", "受理时间", "区县", "来源渠道", "标题", "诉求内容")
DISTRICTS = ("蓬江区", "江海区", "新会区", "台山市", "开平市", "鹤山市", "恩平市", "")

_SENTENCE = re.compile(r"[^。!?！？]*[。!?！？]?")


def sources() -> list[Path]:
    """The files that requests are drawn from."""
    return [DATA] if DATA.is_file() else list(EXAMPLES)


def known() -> list[tuple[str, str]]:
    """Title and text of every request at hand; the development data has its titles in the texts."""
    found = []
    for path in sources():
        records = open_records(path)
        columns = Columns.find(records.columns)
        title = columns.get("title")
        for chunk in records.chunks(5000):
            texts = [as_text(cell) for cell in chunk.frame[columns["text"]]]
            titles = [as_text(cell) for cell in chunk.frame[title]] if title else [""] * len(texts)
            found += [pair for pair in zip(titles, texts, strict=True) if pair[1].strip()]
    return found


def drawn(count: int, seed: int = 12345) -> list[tuple[str, str]]:
    """Title and text of requests drawn at random, as they are."""
    return random.Random(seed).choices(known(), k=count)  # noqa: S311 - nothing is kept secret


def requests(count: int, length: int, seed: int = 12345) -> Iterator[tuple[str, str]]:
    """Title and text of invented requests of about so many characters."""
    rng, pairs = random.Random(seed), known()  # noqa: S311 - nothing is kept secret
    sentences = [[one for one in _SENTENCE.findall(text) if one] for _, text in pairs]
    for _ in range(count):
        place = rng.randrange(len(pairs))
        title, wanted = pairs[place][0], rng.gauss(length, length / 4)
        text, others = "", iter(sentences[place])
        while len(title) + len(text) < wanted:
            following = next(others, None)
            if following is None:
                others = iter(sentences[rng.randrange(len(pairs))])
            else:
                text += following[:length]
        yield title, text[: max(10, round(wanted) - len(title))] or pairs[place][1][:length]


def write_csv(path: Path, rows: int, length: int = 130) -> None:
    """A year's file with so many rows."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_rows(rows, length))


def write_xlsx(path: Path, rows: int, length: int = 130) -> None:
    """The same as a workbook."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        for number, row in enumerate(_rows(rows, length), 1):
            sheet.write_row(number, 0, row)


def _rows(rows: int, length: int) -> Iterator[tuple[str, ...]]:
    for number, (title, text) in enumerate(requests(rows, length)):
        day = f"2025-{number % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:00"
        yield f"GD{number:09}", day, DISTRICTS[number % len(DISTRICTS)], "12345电话", title, text
