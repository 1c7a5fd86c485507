"""From which confidence on a tag needs no review, an alarm is given, a further label is named.

Everything here is chosen on held-out confidences: those that a text got from a model that had not
seen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from classifier.decision import NEVER, Threshold, decide
from classifier.taxonomy import Facet

from .calibrate import Confidences, Labels

ERROR_LEVEL = 0.05  # the error that the automatic part may have
SURENESS = 0.95  # with which its bound must hold
ALARMS = 0.045  # share of all texts for which an alarm is given: a little below the 5 % that a desk bears
ALSO = 0.7  # the confidence in the label of a part; what it finds is in docs/model.md

_STEPS = np.arange(0.05, 1.0001, 0.01)  # shares of the texts that are tried as the automatic part
_FEWEST = 100  # texts below which no bound is tried
_FEWEST_ALONE = 30  # texts of the automatic part of one label from which on its errors are counted

Right = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.floating[Any]]


def thresholds_of(facet: Facet, confidences: Confidences, labels: Labels, folds: Labels) -> Threshold:
    """The thresholds of a facet; confidences are texts x labels, held out by the folds."""
    alarm = NEVER
    if facet.alarm in facet.codes:
        alarm = choose_alarm(confidences[:, facet.codes.index(facet.alarm)])
    decided = decide(facet, confidences, Threshold(alarm=alarm))
    right = decided.labels == labels
    second, second_of = choose_thresholds(decided.confidence, right, decided.labels, folds, facet.codes)
    above = decided.firsts == facet.first_index[labels]
    first, first_of = choose_thresholds(decided.first_confidence, above, decided.firsts, folds, facet.firsts)
    return Threshold(second, first, alarm, ALSO, second_of, first_of)


def choose_thresholds(
    confidence: Shares, right: Right, given: Labels, folds: Labels, codes: Sequence[str]
) -> tuple[float, dict[str, float]]:
    """One threshold for all labels, and higher ones for those that would be wrong too often above it.

    A label's own threshold is the lowest at which its tags are wrong at most `ERROR_LEVEL` of the time;
    the common one is then chosen among the tags that pass it. So that the bound stays one, own thresholds
    are chosen for it on the other folds, and for use on all.
    """
    passing = np.zeros_like(confidence)
    for fold in np.unique(folds):
        rest, out = folds != fold, folds == fold
        own = _own_thresholds(confidence[rest], right[rest], given[rest], len(codes))
        passing[out] = np.where(confidence[out] >= own[given[out]], confidence[out], 0)
    common = choose_threshold(passing, right)
    own = _own_thresholds(confidence, right, given, len(codes))
    higher = np.flatnonzero(own > common)
    return common, {codes[label]: float(own[label]) for label in higher.tolist()}


def _own_thresholds(confidence: Shares, right: Right, given: Labels, count: int) -> Shares:
    """For each label the lowest confidence from which on its tags are wrong rarely enough; zero for few."""
    own = np.zeros(count)
    for label in range(count):
        texts = np.flatnonzero(given == label)
        if len(texts) < _FEWEST:
            continue
        falling = texts[np.argsort(-confidence[texts], kind="stable")]
        counts = np.arange(1, len(falling) + 1)
        enough = (np.cumsum(~right[falling]) <= ERROR_LEVEL * counts) & (counts >= _FEWEST_ALONE)
        own[label] = confidence[falling[enough.nonzero()[0][-1]]] if enough.any() else NEVER
    return own


def choose_threshold(
    confidence: npt.NDArray[np.floating[Any]], right: npt.NDArray[np.bool_], level: float = ERROR_LEVEL
) -> float:
    """The lowest confidence from which on tags are wrong at most `level` of the time, with 95 % sureness.

    Larger and larger automatic parts are tested in a fixed order, each by the exact binomial bound
    (Clopper, Pearson: Biometrika 26, 1934), until one fails; the order makes the error of the whole
    search that of a single test (fixed-sequence testing in Angelopoulos, Bates, Candes, Jordan, Lei:
    Learn then Test, 2021, section 3). A confidence that none reaches is returned when no part passes.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = -confidence[order]
    wrong = np.cumsum(~right[order])
    threshold = NEVER
    for share in _STEPS:
        count = round(share * len(confidence))
        if count < _FEWEST:
            continue
        count = int(np.searchsorted(falling, falling[count - 1], side="right"))  # equal ones go together
        if upper_bound(int(wrong[count - 1]), count) > level:
            break
        threshold = float(confidence[order[count - 1]])
    return threshold


def choose_alarm(confidence: Shares) -> float:
    """The confidence in a rare label from which on it is given to as many texts as a desk can look at.

    What is missed costs more than a look at what is not urgent, so the share of alarms is fixed, not
    their precision.
    """
    return float(np.quantile(confidence, 1 - ALARMS, method="higher"))


def upper_bound(wrong: int, count: int, sureness: float = SURENESS) -> float:
    """The largest error rate that `wrong` of `count` still allows, one-sided (Clopper-Pearson)."""
    return 1.0 if wrong >= count else float(beta.ppf(sureness, wrong + 1, count - wrong))
