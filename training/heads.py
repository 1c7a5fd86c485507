"""One linear head for each label of a facet.

A facet of two levels gets heads for both, and the score of a label is its own head's plus a share of
its first level's head: what is rare below is helped by what is frequent above. Heads are L2-regularised
logistic regressions, one label against the rest with both sides weighted alike, fitted by dual
coordinate descent (Yu, Huang, Lin: Machine Learning 85, 2011, as LIBLINEAR has it). A sample counts by
its share, a gram by how well it alone tells the label from the rest, to the power `trust` (after Wang,
Manning: Baselines and Bigrams, ACL 2012, where it is 1): of few texts a head otherwise remembers whole turns
of phrase. Experts are heads fitted to the samples of
one first level of the category each (`classifier.stack`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from joblib import Parallel, cpu_count, delayed
from sklearn.linear_model import LogisticRegression

from classifier.taxonomy import Facet

from .calibrate import Labels
from .recipe import Recipe

Shares = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

_PARTS = 4  # tasks for each process: few enough to start quickly, many enough to end together
_MANY = 1_000_000  # values in the rows from which on starting processes is worth its seconds
_LARGEST_RATIO = 4.0
_ENOUGH = 5  # samples of either side from which on there is an expert
_UNSEEN = -10.0  # the score of a label that the samples of a fold do not hold: lower than any head gives


@dataclass(frozen=True, slots=True)
class Learned:
    """What heads are fitted to: rows, their labels, and how much each counts."""

    rows: sp.csr_matrix
    labels: Labels
    shares: Shares

    def under(self, labels: Labels) -> Learned:
        """The same rows under other labels."""
        return Learned(self.rows, labels, self.shares)

    def at(self, which: npt.NDArray[np.bool_]) -> Learned:
        """Some of them."""
        return Learned(self.rows[which], self.labels[which], self.shares[which])


def facet_heads(learned: Learned, facet: Facet, recipe: Recipe) -> tuple[Weights, Weights]:
    """The heads of one facet: grams x labels, and a bias for each label."""
    count = len(facet.codes)
    if facet.alarm in facet.codes:
        return _heads(learned, count, recipe.alarm_cost, recipe.alarm_trust)
    trust = recipe.flat_trust if facet.is_flat else recipe.trust
    if facet.name != "category":
        return _heads(learned, count, recipe.other_cost, trust)
    weights, bias = _heads(learned, count, recipe.cost, trust)
    if not facet.is_flat:
        above = learned.under(facet.first_index[learned.labels])
        of_firsts, first_bias = _heads(above, len(facet.firsts), recipe.other_cost, trust)
        weights += recipe.first_share * of_firsts[:, facet.first_index]
        bias += recipe.first_share * first_bias[facet.first_index]
    return weights, bias


def expert_heads(learned: Learned, owners: Labels, count: int, recipe: Recipe) -> tuple[Weights, Weights]:
    """A head for each of `count` owners, which knows that owner's samples only: label 0 against the rest.

    Grams x owners, and a bias for each; an expert that would have hardly a sample of one side says 0 always.
    """
    weights = np.zeros((learned.rows.shape[1], count), dtype=np.float32)
    bias = np.zeros(count, dtype=np.float32)
    sides = (
        np.bincount(owners[side], minlength=count) for side in (learned.labels == 0, learned.labels != 0)
    )
    able = np.flatnonzero(np.minimum(*sides) >= _ENOUGH)
    exact = Learned(learned.rows.astype(np.float64), learned.labels, learned.shares)
    jobs = cpu_count() if learned.rows.nnz > _MANY else 1
    fitted = Parallel(n_jobs=jobs)(
        delayed(_part)(exact.at(owners == owner), np.zeros(1, np.int64), recipe.other_cost, recipe.trust)
        for owner in able
    )
    for owner, (slopes, offsets) in zip(able, fitted, strict=True):
        weights[:, owner], bias[owner] = slopes[:, 0], offsets[0]
    return weights, bias


def _heads(learned: Learned, count: int, cost: float, trust: float) -> tuple[Weights, Weights]:
    """One label against the rest, for each of `count` labels: grams x labels, and their biases."""
    rows = learned.rows
    weights = np.zeros((rows.shape[1], count), dtype=np.float32)
    bias = np.full(count, _UNSEEN, dtype=np.float32)
    present = np.unique(learned.labels)
    if len(present) < 2:
        bias[present] = -_UNSEEN
        return weights, bias
    # Processes, not threads: LIBLINEAR has one random generator for all threads, and two fits would differ.
    jobs = cpu_count() if rows.nnz > _MANY else 1
    parts = np.array_split(present, min(len(present), jobs * _PARTS))
    # LIBLINEAR works with double precision; converted once, shared by the processes.
    exact = Learned(rows.astype(np.float64), learned.labels, learned.shares)
    fitted = Parallel(n_jobs=jobs)(delayed(_part)(exact, part, cost, trust) for part in parts)
    for part, (slopes, offsets) in zip(parts, fitted, strict=True):
        weights[:, part], bias[part] = slopes, offsets
    return weights, bias


def _part(learned: Learned, part: Labels, cost: float, trust: float) -> tuple[Weights, Weights]:
    """The heads of some labels: grams x labels of the part, and their biases."""
    rows = learned.rows
    every = _texts_with(rows, learned.shares)
    slopes = np.zeros((rows.shape[1], len(part)), dtype=np.float32)
    offsets = np.zeros(len(part), dtype=np.float32)
    for place, label in enumerate(part):
        carries = learned.labels == label
        telling = _log_ratios(_texts_with(rows[carries], learned.shares[carries]), every) ** trust
        weighed = sp.csr_matrix((rows.data * telling[rows.indices], rows.indices, rows.indptr), rows.shape)
        # At a tolerance of 0.01 held-out scores have three digits in common with those at 0.0001, and
        # come ten times faster.
        machine = LogisticRegression(
            C=cost, class_weight="balanced", solver="liblinear", dual=True, tol=0.01, random_state=0
        ).fit(weighed, carries, sample_weight=learned.shares)
        slopes[:, place], offsets[place] = machine.coef_[0] * telling, machine.intercept_[0]
    return slopes, offsets


def _texts_with(rows: sp.csr_matrix, shares: Shares) -> Shares:
    """In how many texts each gram stands; a text counts by its share."""
    counted = np.bincount(rows.indices, np.repeat(shares, np.diff(rows.indptr)), rows.shape[1])
    return cast(Shares, counted.astype(np.float64))


def _log_ratios(with_label: Shares, every: Shares) -> Shares:
    """How much more often each gram stands in the texts that carry a label, or in the others; no sign.

    Both are numbers of texts for each gram. A logarithm, cut off where few texts say so much.
    """
    shares = (1 + number for number in (with_label, every - with_label))
    carrying, others = (np.log(number / number.sum()) for number in shares)
    return cast(Shares, np.minimum(np.abs(carrying - others), _LARGEST_RATIO))
