"""How fast tagging is, as ratios measured side by side in one run on one machine.

    python benchmarks/speed.py [RECORDS]

Times, turn by turn on the same texts:

- naive: what one would write first, with the same features: jieba in Python, scikit-learn's
  TfidfVectorizer for words and characters of text and title, LogisticRegression for each facet,
  fitted here on the invented examples;
- tokenizer: the bare compiled tokenizer (rjieba), cutting and nothing else;
- ours: `Model.tagging`, as files are tagged, and `Model.tag`, with an object for each text; in one
  process, in two processes, and in two threads of one process;
- one text at a time, ours and naive.

Without RECORDS the invented examples are used, repeated.
"""

from __future__ import annotations

import logging
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import jieba
import rjieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from classifier.columns import Columns
from classifier.model import Model
from classifier.records import open_records
from classifier.store import ModelStore
from classifier.tagged import requests_of
from classifier.text import clean
from classifier.tokens import domain_words

EXAMPLES = Path(__file__).parent.parent / "examples" / "work_orders.xlsx"
TEXTS = 8000
NAIVE_TEXTS = 400  # it is too slow for all of them; its time is counted up
SINGLE = 100
ROUNDS = 5
CHUNK = 2000

Run = Callable[[], object]


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    texts = read(path)
    texts = (texts * (TEXTS // len(texts) + 1))[:TEXTS]
    chunks = [texts[start : start + CHUNK] for start in range(0, TEXTS, CHUNK)]
    with ProcessPoolExecutor(2) as processes, ThreadPoolExecutor(2) as threads:
        list(processes.map(tag_chunk, chunks))  # each loads its model before the clock runs
        times = measured(contenders(texts, chunks, processes, threads))
    report(texts, times)


def contenders(
    texts: list[str], chunks: Sequence[list[str]], processes: ProcessPoolExecutor, threads: ThreadPoolExecutor
) -> dict[str, tuple[Run, int]]:
    """What is timed, by name: a call, and how many texts it tags."""
    model, naive, cut = the_model(), naive_pipeline(), bare_tokenizer()
    some, single = texts[:NAIVE_TEXTS], texts[:SINGLE]
    return {
        "naive": (lambda: naive(some), NAIVE_TEXTS),
        "tokenizer": (lambda: cut(texts), TEXTS),
        "tagging": (lambda: [model.tagging(chunk) for chunk in chunks], TEXTS),
        "tag": (lambda: [model.tag(chunk) for chunk in chunks], TEXTS),
        "2 processes": (lambda: list(processes.map(tag_chunk, chunks)), TEXTS),
        "2 threads": (lambda: list(threads.map(model.tagging, chunks)), TEXTS),
        "naive, one text": (lambda: [naive([text]) for text in single], SINGLE),
        "one text": (lambda: [model.tag([text]) for text in single], SINGLE),
    }


def measured(runs: dict[str, tuple[Run, int]]) -> dict[str, float]:
    """Seconds for a text, the median of the rounds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS + 1):
        for name, (run, count) in runs.items():
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) / count)
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}  # the first warms up


def report(texts: list[str], times: dict[str, float]) -> None:
    """The rates, and the ratios that docs and README state."""
    length = statistics.mean(map(len, texts))
    print(f"{TEXTS} texts of {length:.0f} characters on average, median of {ROUNDS} rounds")
    for name, taken in times.items():
        print(f"{name:18s} {1 / taken:10,.0f} texts/s {taken * 1e6:10,.1f} µs")
    print(f"tagging against naive          {times['naive'] / times['tagging']:6.1f} x its rate")
    print(f"tagging against the tokenizer  {times['tokenizer'] / times['tagging']:6.0%} of its rate")
    print(f"tag against the tokenizer      {times['tokenizer'] / times['tag']:6.0%} of its rate")
    print(f"two processes against one      {times['tagging'] / times['2 processes']:6.2f} x")
    print(f"two threads against one        {times['tagging'] / times['2 threads']:6.2f} x")
    print(f"one text against naive         {times['one text'] / times['naive, one text']:6.3f} of its time")


@cache
def the_model() -> Model:
    return ModelStore().current()


def tag_chunk(texts: list[str]) -> int:
    """What a worker process does; the answer stays there, for a file's tags are a few bytes a row."""
    return len(the_model().tagging(texts))


def read(path: Path) -> list[str]:
    """All requests of a file."""
    records = open_records(path)
    columns = Columns.find(records.columns)
    return [request for chunk in records.chunks(5000) for request in requests_of(chunk, columns) if request]


def bare_tokenizer() -> Callable[[list[str]], object]:
    engine = rjieba.Jieba()
    for word, frequency in domain_words().items():
        engine.add_word(word, frequency, None)
    return lambda texts: [engine.cut(text, False) for text in texts]


def title_of(text: str) -> str:
    return re.split("[。!?！？]", text, maxsplit=1)[0][:60]


def naive_pipeline() -> Callable[[list[str]], object]:
    """What one would write first, with the model's features and facets."""
    jieba.setLogLevel(logging.ERROR)
    records = open_records(EXAMPLES)
    columns = Columns.find(records.columns)
    chunk = next(records.chunks(10_000))
    words = {"tokenizer": jieba.lcut, "token_pattern": None, "sublinear_tf": True}
    characters = {"analyzer": "char", "ngram_range": (1, 3), "sublinear_tf": True}
    union = FeatureUnion(
        [
            ("words", TfidfVectorizer(**words)),
            ("characters", TfidfVectorizer(**characters)),
            ("title words", TfidfVectorizer(preprocessor=title_of, ngram_range=(1, 2), **words)),
            ("title characters", TfidfVectorizer(preprocessor=title_of, **characters)),
        ]
    )
    rows = union.fit_transform([clean(request) for request in requests_of(chunk, columns)])
    heads = [
        LogisticRegression().fit(rows, [str(label) for label in chunk.frame[columns[role]]])
        for role in ("category", "scope_detail", "request_type", "urgent")
    ]

    def tag(texts: list[str]) -> object:
        arrived = union.transform([clean(text) for text in texts])
        return [head.predict_proba(arrived) for head in heads]

    return tag


if __name__ == "__main__":
    main()
