"""Cross-validated accuracy on labelled samples, and a stored model's accuracy on others.

    python benchmarks/accuracy.py SAMPLES [--extra FILE [--extra-weight W]] [--label-column C]
    python benchmarks/accuracy.py SAMPLES --model default

The first is over folds, the second judges a stored model.

Prints a row for each facet: accuracy, macro-F1, expected calibration error, and coverage and error of
the automatic part. Calibration and thresholds are chosen on the other folds only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from classifier.store import ModelStore
from classifier.taxonomy import Taxonomy
from training.card import title_of
from training.evaluate import Scores, evaluate, evaluate_held_out
from training.fit import train
from training.samples import read_beside, read_samples


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", type=Path)
    parser.add_argument("--extra", type=Path, action="append", default=[], help="only learned from")
    parser.add_argument("--extra-weight", type=float, action="append", default=[], help="of each --extra")
    parser.add_argument("--text-column")
    parser.add_argument("--label-column")
    parser.add_argument("--model", help="a stored version, instead of cross-validation")
    arguments = parser.parse_args()
    model = ModelStore().load(arguments.model) if arguments.model else None
    samples = read_samples(
        arguments.samples,
        model.taxonomy if model else Taxonomy.load(),
        columns={"text": arguments.text_column} if arguments.text_column else None,
        label_column=arguments.label_column,
        closed=model is not None,
    )
    samples = read_beside(samples, arguments.extra, arguments.extra_weight)
    if model:
        show(evaluate(model, samples))
    else:
        _, held_out = train(samples, "benchmark", progress=lambda stage: print(stage, flush=True))
        show(evaluate_held_out(held_out, samples))


def show(scores: Scores) -> None:
    """A Markdown table, a row for each facet."""
    print("| 维度 | 样本数 | 准确率 | 宏平均 F1 | ECE | 自动比例 | 自动错误率 |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, score in scores.items():
        error = "—" if score.automatic_error is None else f"{score.automatic_error:.1%}"
        print(
            f"| {title_of(name)} | {score.samples:,} | {score.accuracy:.1%} | {score.macro_f1:.1%} "
            f"| {score.calibration_error:.1%} | {score.coverage:.1%} | {error} |"
        )


if __name__ == "__main__":
    main()
