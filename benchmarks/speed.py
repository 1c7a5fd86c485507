"""How fast tagging is, as ratios measured side by side in one run on one machine.

    python benchmarks/speed.py [--rounds 5]

Times, turn by turn on the same texts (see material.py):

- naive: what one would write first, with the same features: jieba in Python, scikit-learn's
  TfidfVectorizer for words and characters of text and title, LogisticRegression for each facet,
  fitted here on the invented examples;
- tokenizer: the bare compiled tokenizer (rjieba), cutting and nothing else;
- ours: `Model.tagging`, as files are tagged, and `Model.tag`, with an object for each text; in one
  process, in two processes that share the weights, and in two threads of one process;
- one text at a time, ours and naive.
"""

from __future__ import annotations

import argparse
import logging
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import jieba
import rjieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import Figure, printed
from benchmarks.material import EXAMPLES, drawn
from classifier import bundle
from classifier.columns import Columns
from classifier.model import Model
from classifier.records import open_records
from classifier.store import ModelStore
from classifier.tagged import requests_of
from classifier.text import clean
from classifier.tokens import domain_words
from classifier.work_order import request_of

TEXTS = 8000
NAIVE_TEXTS = 400  # it is too slow for all of them; its time is counted up
SINGLE = 100
CHUNK = 2000

Run = Callable[[], object]


def figures(rounds: int) -> Iterator[Figure]:
    """The rates, and the ratios that docs and README state."""
    texts = [request_of(title, text) for title, text in drawn(TEXTS)]
    chunks = [texts[start : start + CHUNK] for start in range(0, TEXTS, CHUNK)]
    with two_processes() as processes, ThreadPoolExecutor(2) as threads:
        times = measured(contenders(texts, chunks, processes, threads), rounds)
    length = statistics.mean(map(len, texts))
    yield Figure("文本", f"{TEXTS:,} 条，平均 {length:.0f} 字，各轮中位数")
    for name, taken in times.items():
        yield Figure(name, f"{1 / taken:,.0f} 条/秒，每条 {taken * 1e6:,.1f} 微秒")
    ours = times["本程序，一个进程"]
    yield Figure("本程序对通常写法（单进程批量）", f"{times['通常写法'] / ours:.1f} 倍", "25 倍")
    yield Figure("占单纯分词速度的", f"{times['单纯分词（rjieba）'] / ours:.0%}", "60%")
    yield Figure("两个进程对一个", f"{ours / times['两个进程']:.2f} 倍", "1.7 倍")
    yield Figure("两个线程对一个", f"{ours / times['同一进程两个线程']:.2f} 倍")
    ratio = times["本程序，逐条"] / times["通常写法，逐条"]
    yield Figure("逐条调用的用时，与通常写法之比", f"{ratio:.3f}", "0.1")


@contextmanager
def two_processes() -> Iterator[ProcessPoolExecutor]:
    """Workers as `hotline batch` has them: each with its model loaded, the weights shared."""
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder) / "weights.npy"
        bundle.share(the_model(), shared)
        with ProcessPoolExecutor(2, initializer=the_model, initargs=(shared,)) as processes:
            list(processes.map(tag_chunk, [["路灯不亮"]] * 8, [shared] * 8))
            processes.shared = shared  # type: ignore[attr-defined]
            yield processes


def contenders(
    texts: list[str], chunks: Sequence[list[str]], processes: ProcessPoolExecutor, threads: ThreadPoolExecutor
) -> dict[str, tuple[Run, int]]:
    """What is timed, by name: a call, and how many texts it tags."""
    model, naive, cut = the_model(), naive_pipeline(), bare_tokenizer()
    shared = [processes.shared] * len(chunks)  # type: ignore[attr-defined]
    some, single = texts[:NAIVE_TEXTS], texts[:SINGLE]
    return {
        "通常写法": (lambda: naive(some), NAIVE_TEXTS),
        "单纯分词（rjieba）": (lambda: cut(texts), TEXTS),
        "本程序，一个进程": (lambda: [model.tagging(chunk) for chunk in chunks], TEXTS),
        "本程序，每条一个对象": (lambda: [model.tag(chunk) for chunk in chunks], TEXTS),
        "两个进程": (lambda: list(processes.map(tag_chunk, chunks, shared)), TEXTS),
        "同一进程两个线程": (lambda: list(threads.map(model.tagging, chunks)), TEXTS),
        "通常写法，逐条": (lambda: [naive([text]) for text in single], SINGLE),
        "本程序，逐条": (lambda: [model.tag([text]) for text in single], SINGLE),
    }


def measured(runs: dict[str, tuple[Run, int]], rounds: int) -> dict[str, float]:
    """Seconds for a text, the median of the rounds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, (run, count) in runs.items():
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) / count)
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}  # the first warms up


@cache
def the_model(shared: Path | None = None) -> Model:
    store = ModelStore()
    return bundle.load(store.path(store.current_version()), shared)


def tag_chunk(texts: list[str], shared: Path) -> int:
    """What a worker process does; the answer stays there, for a file's tags are a few bytes a row."""
    return len(the_model(shared).tagging(texts))


def bare_tokenizer() -> Callable[[list[str]], object]:
    engine = rjieba.Jieba()
    for word, frequency in domain_words().items():
        engine.add_word(word, frequency, None)
    return lambda texts: [engine.cut(text, False) for text in texts]


def title_of(text: str) -> str:
    return re.split("[。!?！？]", text, maxsplit=1)[0][:60]


def naive_pipeline() -> Callable[[list[str]], object]:
    """What one would write first, with the model's features and facets."""
    records = open_records(EXAMPLES[0])
    columns = Columns.find(records.columns)
    chunk = next(records.chunks(10_000))
    labels = {
        role: [str(label) for label in chunk.frame[columns[role]]]
        for role in ("category", "scope_detail", "request_type", "urgent")
    }
    union, heads = naive_fit(requests_of(chunk, columns).texts(), labels)

    def tag(texts: list[str]) -> object:
        arrived = union.transform([clean(text) for text in texts])
        return [head.predict_proba(arrived) for head in heads]

    return tag


def naive_fit(
    texts: Sequence[str], labels: Mapping[str, Sequence[str]]
) -> tuple[FeatureUnion, list[LogisticRegression]]:
    """Its features, and a head for each facet."""
    jieba.setLogLevel(logging.ERROR)
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
    rows = union.fit_transform([clean(text) for text in texts])
    return union, [LogisticRegression().fit(rows, given) for given in labels.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    list(printed(figures(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
