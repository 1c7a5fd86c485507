"""Samples whose label is probably wrong, for people to read again.

Labels are compared with held-out confidences by confident learning (Northcutt, Jiang, Chuang: Confident
Learning, JAIR 70, 2021, as cleanlab has it). Nothing is changed: a suspect may be right and the model
wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.masking import mask
from classifier.writers import open_writer

from .samples import Samples

COLUMNS = ("工单编号", "诉求内容", "维度", "现有标签", "现有标签的置信度", "建议标签", "建议标签的置信度")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A sample whose label for a facet is doubtful; `place` counts the samples from zero."""

    place: int
    facet: str
    label: str
    confidence: float  # in the label that the sample carries
    suggested: str
    suggested_confidence: float


def suspects(samples: Samples, confidences: Mapping[str, npt.NDArray[np.float64]]) -> list[Suspect]:
    """The doubtful labels of all facets, the most doubtful first; confidences are held out."""
    found = [one for name in samples.labels for one in _of_facet(samples, name, confidences[name])]
    return sorted(found, key=lambda one: one.confidence - one.suggested_confidence)


def _of_facet(samples: Samples, name: str, confidences: npt.NDArray[np.float64]) -> list[Suspect]:
    from cleanlab.filter import find_label_issues

    judged = np.flatnonzero(samples.judged(name))
    labels, shares = samples.labels[name][judged], confidences[judged]
    present = np.unique(labels)  # cleanlab wants every label that it is told of
    place = np.full(shares.shape[1], -1)
    place[present] = np.arange(len(present))
    if len(present) < 2:
        return []
    kept = shares[:, present] / np.maximum(shares[:, present].sum(axis=1, keepdims=True), 1e-12)
    doubtful = find_label_issues(place[labels], kept, n_jobs=1, min_examples_per_class=0)
    codes = samples.taxonomy.facets[name].codes
    return [
        Suspect(
            int(judged[i]),
            name,
            codes[labels[i]],
            float(shares[i, labels[i]]),
            codes[shares[i].argmax()],
            float(shares[i].max()),
        )
        for i in np.flatnonzero(doubtful).tolist()
        if shares[i].argmax() != labels[i]
    ]


def write_suspects(path: Path, samples: Samples, found: Sequence[Suspect]) -> None:
    """Write suspects as a table for reviewers, personal numbers masked; the format goes by the suffix.

    Raises:
        InputError: the suffix is not known.
        OutputError: the file cannot be written.
    """
    rows = [
        (
            samples.ids[one.place],
            mask(samples.requests[one.place]),
            samples.taxonomy.facets[one.facet].title,
            one.label,
            round(one.confidence, 4),
            one.suggested,
            round(one.suggested_confidence, 4),
        )
        for one in found
    ]
    with open_writer(path, COLUMNS, rows=len(rows)) as writer:
        writer.write(pd.DataFrame(rows, columns=list(COLUMNS)))
