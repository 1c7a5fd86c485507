"""What training may choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from classifier.features import BLOCKS
from classifier.grams import Block

LENGTHS = {
    ("text", "words"): 1.0,
    ("text", "characters"): 1.3,
    ("title", "words"): 0.6,
    ("title", "characters"): 0.7,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """The defaults were chosen on the development data (docs/model.md)."""

    blocks: Sequence[Block] = BLOCKS
    cost: float = 10.0  # of the category's second-level heads: larger fits the samples more closely
    other_cost: float = 3.0  # of all other heads, which have more samples each
    trust: float = 0.3  # in what grams tell alone: 0 leaves them alike, 1 weighs them by their log ratio
    flat_trust: float = 0.5  # for facets of one level
    alarm_cost: float = 0.1  # both of the heads of a facet with an alarm, which has few samples
    alarm_trust: float = 1.0
    first_share: float = 0.5  # of the first level's score in a category's own
    # How long the row of each block is made in learning, which all have length one to begin with.
    lengths: Mapping[tuple[str, str], float] = field(default_factory=lambda: dict(LENGTHS))
