"""How fast tagging is, as ratios measured side by side in one run on one processor.

    python benchmarks/speed.py [RECORDS]

Times, turn by turn on the same texts: the bare compiled tokenizer, `Model.tag`, and the pipeline that one
would write first (jieba in Python, scikit-learn's TfidfVectorizer and LinearSVC for each facet, fitted
here on the invented examples; words only, so it does less). Without RECORDS the invented examples are
used, repeated.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from classifier.columns import Columns
from classifier.records import open_records
from classifier.store import ModelStore
from classifier.tagged import requests_of
from classifier.text import clean
from classifier.tokens import Tokenizer, domain_words

EXAMPLES = Path(__file__).parent.parent / "examples" / "work_orders.xlsx"
TEXTS = 4000
ROUNDS = 5


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    texts = read(path)
    texts = (texts * (TEXTS // len(texts) + 1))[:TEXTS]
    model = ModelStore().current()
    tokenizer = Tokenizer(domain_words())
    naive = naive_pipeline()
    contenders: dict[str, Callable[[], object]] = {
        "bare tokenizer (rjieba)": lambda: tokenizer.cut_many(texts),
        "Model.tag": lambda: model.tag(texts),
        "naive pipeline": lambda: naive(texts),
    }
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}  # the first warms up
    length = statistics.mean(map(len, texts))
    print(f"{TEXTS} texts of {length:.0f} characters on average, median of {ROUNDS} rounds")
    for name, taken in medians.items():
        ratio = taken / medians["Model.tag"]
        print(f"{name:26s} {TEXTS / taken:10,.0f} texts/s   {ratio:6.2f} x the time of Model.tag")


def read(path: Path) -> list[str]:
    """All requests of a file."""
    records = open_records(path)
    columns = Columns.find(records.columns)
    return [request for chunk in records.chunks(5000) for request in requests_of(chunk, columns) if request]


def naive_pipeline() -> Callable[[list[str]], object]:
    """What one would write first, with as many heads as the model has facets."""
    jieba.setLogLevel(logging.ERROR)
    records = open_records(EXAMPLES)
    columns = Columns.find(records.columns)
    chunk = next(records.chunks(10_000))
    requests = [clean(request) for request in requests_of(chunk, columns)]
    vectorizer = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None)
    rows = vectorizer.fit_transform(requests)
    heads = [
        LinearSVC().fit(rows, [str(label) for label in chunk.frame[columns[role]]])
        for role in ("category", "scope_detail", "request_type", "urgent")
    ]

    def tag(texts: list[str]) -> object:
        arrived = vectorizer.transform([clean(text) for text in texts])
        return [head.predict(arrived) for head in heads]

    return tag


if __name__ == "__main__":
    main()
