"""The public seven-class messages with labels by the codebook, as samples to learn from.

    python benchmarks/labelled_messages.py MESSAGES.parquet OUT.csv

The labels stand in benchmarks/messages7_labels.tsv by the row of the file, in its order; the texts are in
the benchmark itself, which is not ours. They were given by one reading each, some of them in haste: less
sure than those of the development data, and for learning only. Nine messages that stand in the development
data, too, have no label here: they would be learned from and measured on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

LABELS = Path(__file__).with_name("messages7_labels.tsv")
_NAMES = {
    "category": "事项分类",
    "scope_detail": "利益属性",
    "request_type": "诉求类型",
    "urgent": "紧急",
}


def samples(messages: Path) -> pd.DataFrame:
    """The labelled messages, with the columns of the invented work orders."""
    labels = pd.read_csv(LABELS, sep="\t", dtype=str)
    texts = pd.read_parquet(messages, columns=["text"])["text"]
    rows = labels.pop("row").astype(int)
    found = labels.rename(columns=_NAMES)
    found.insert(0, "工单编号", [f"m7-{row}" for row in rows])
    found.insert(1, "标题", "")
    found.insert(2, "诉求内容", texts.iloc[rows].to_numpy())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("messages", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    found = samples(given.messages)
    found.to_csv(given.out, index=False)
    print(f"{given.out}: {len(found):,}")


if __name__ == "__main__":
    main()
