"""The public seven-class messages with labels by the codebook, as samples to learn from.

    python benchmarks/labelled_messages.py MESSAGES.parquet OUT.csv

MESSAGES is one of the two files of that benchmark: whole texts, or words without the frequent ones, which
are put together again (a little better to learn from than with spaces between them). The labels stand beside
this script in messages7_labels.tsv and messages7_tokens_labels.tsv, by the row of the file, in its order; the
texts are in the benchmark itself, which is not ours. They are less sure than those of the development data,
and for learning only. Messages that stand in the development data, too, have no label here: they would be
learned from and measured on.

Whole texts were read once. Of the words, 4,105 messages are labelled that are not among the whole texts,
those first of which the default model was less sure. 955 of them were read twice: where the two readings
differ, the facet is left empty. Urgency was looked at in the later readings only, in 1,280.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

_FOLDER = Path(__file__).parent
_LABELS = {"text": _FOLDER / "messages7_labels.tsv", "tokens": _FOLDER / "messages7_tokens_labels.tsv"}
# Of all texts of the file, a line each: the labels go by the row, and would be wrong of any other order.
_DIGESTS = {"text": "a53a464e6a793ff5", "tokens": "5260fd4c7c2f2b1e"}
_NAMES = {
    "category": "事项分类",
    "scope_detail": "利益属性",
    "request_type": "诉求类型",
    "urgent": "紧急",
}


def samples(messages: Path) -> pd.DataFrame:
    """The labelled messages, with the columns of the invented work orders.

    Raises ValueError if the file is not one of the two that the labels were given to.
    """
    columns = pq.read_schema(messages).names
    column = next((name for name in _LABELS if name in columns), None)
    if column is None:
        raise ValueError(f"{messages} has neither a column text nor tokens, only: {', '.join(columns)}")
    texts = pd.read_parquet(messages, columns=[column])[column]
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    if digest != _DIGESTS[column]:
        raise ValueError(
            f"{messages}: its {len(texts):,} texts are not those that were labelled, in their order; "
            "take the file of the benchmark as it is"
        )
    labels = pd.read_csv(_LABELS[column], sep="\t", dtype=str, keep_default_na=False)
    rows = labels.pop("row").astype(int)
    found = labels.rename(columns=_NAMES)
    found.insert(0, "工单编号", [f"m7-{column}-{row}" for row in rows])
    found.insert(1, "标题", "")
    # Spaces stand between the words only; whole texts have none.
    found.insert(2, "诉求内容", [text.replace(" ", "") for text in texts.iloc[rows]])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("messages", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    try:
        found = samples(given.messages)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from error
    found.to_csv(given.out, index=False)
    print(f"{given.out}: {len(found):,}")


if __name__ == "__main__":
    main()
