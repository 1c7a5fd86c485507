"""How long training takes, against the fit of the naive pipeline on the same samples.

    python benchmarks/training_time.py [--samples 2000] [--rounds 1]

Ours is the whole of `hotline train`: a model for each of five folds, from whose answers the confidences
are calibrated and the thresholds chosen, and the one on all samples. Naive is a single fit of what
speed.py holds tagging against, which has no confidences that can be trusted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.figures import Figure, printed
from benchmarks.material import EXAMPLES
from benchmarks.speed import naive_fit
from classifier.taxonomy import Taxonomy
from training.fit import train
from training.samples import Samples, read_samples


def figures(count: int, rounds: int) -> Iterator[Figure]:
    """Both times, and their ratio."""
    samples = some(read_samples(EXAMPLES[1], Taxonomy.load()), count)
    labels = {name: [str(label) for label in given.tolist()] for name, given in samples.labels.items()}
    ours, naive = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        naive_fit(samples.requests, labels)
        middle = time.perf_counter()
        train(samples, "benchmark")
        naive.append(middle - start)
        ours.append(time.perf_counter() - middle)
    whole, single = statistics.median(ours), statistics.median(naive)
    steps = "六次拟合、各维度互参、校准、门限"
    yield Figure(f"训练 {len(samples):,} 条样本（{steps}）", f"{whole:.1f} 秒")
    yield Figure("通常写法拟合一次", f"{single:.1f} 秒")
    yield Figure("整个训练对通常写法拟合一次", f"{whole / single:.2f} 倍")


def some(samples: Samples, count: int) -> Samples:
    """So many of the samples, drawn at random."""
    chosen = np.sort(np.random.default_rng(12345).permutation(len(samples))[:count])
    return replace(
        samples,
        requests=[samples.requests[place] for place in chosen.tolist()],
        labels={name: given[chosen] for name, given in samples.labels.items()},
        folds=samples.folds[chosen],
        ids=[samples.ids[place] for place in chosen.tolist()],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    list(printed(figures(options.samples, options.rounds)))


if __name__ == "__main__":
    main()
