"""The tags of many texts as arrays: what a year's file needs, and from what single tags are made.

A `Tags` object is for one text and for people; a thousand of them cost more than finding out what
they say. Here a facet's tags are an array entry each, and objects are made only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .taxonomy import Facet
from .work_order import Decision, Level, Tag, Tags

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.int64]

ALTERNATIVES = 3
LEVELS = cast(tuple[Level, ...], ("none", "first", "second"))


@dataclass(frozen=True, slots=True)
class FacetTags:
    """One facet's tags; labels are places in `facet.codes` and `facet.firsts`."""

    facet: Facet
    confidences: Floats  # texts x labels
    labels: Places
    firsts: Places
    first_confidence: Floats
    levels: Places  # how deep the automatic decision reaches: places in LEVELS
    also: dict[int, tuple[str, ...]] = field(default_factory=dict)  # place of a text -> further codes

    @property
    def confidence(self) -> Floats:
        """The confidence of each text's label."""
        return cast(Floats, np.minimum(self.confidences[np.arange(len(self.labels)), self.labels], 1))

    @property
    def codes(self) -> npt.NDArray[np.object_]:
        """The code of each text's label."""
        return np.array(self.facet.codes, dtype=object)[self.labels]

    @property
    def first_codes(self) -> npt.NDArray[np.object_]:
        """The code of each text's first-level label."""
        return np.array(self.facet.firsts, dtype=object)[self.firsts]

    def alternatives(self) -> tuple[Places, Floats]:
        """The next labels, best first, and their confidences: texts x up to three."""
        low, texts = -self.confidences, np.arange(len(self.labels))
        low[texts, self.labels] = np.inf
        places = low.argsort(axis=1, kind="stable")[:, : min(ALTERNATIVES, low.shape[1] - 1)]
        return places, np.minimum(self.confidences[texts[:, None], places], 1)

    def at(self, places: Places) -> FacetTags:
        """The tags of some texts, or of all in another order; what they also ask for is left behind."""
        return FacetTags(
            self.facet,
            self.confidences[places],
            self.labels[places],
            self.firsts[places],
            self.first_confidence[places],
            self.levels[places],
        )

    @classmethod
    def joined(cls, parts: Sequence[FacetTags]) -> FacetTags:
        """The tags of one batch after another as one."""
        return cls(
            parts[0].facet,
            np.concatenate([part.confidences for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.firsts for part in parts]),
            np.concatenate([part.first_confidence for part in parts]),
            np.concatenate([part.levels for part in parts]),
            _shifted([part.also for part in parts], [len(part.labels) for part in parts]),
        )

    def tags(self) -> Iterator[Tag]:
        """Each text's tag."""
        codes, firsts = self.facet.codes, self.facet.firsts
        rows = (self.labels, self.confidence, self.firsts, self.first_confidence, self.levels)
        for text, (label, confidence, first, first_confidence, level, others, theirs) in enumerate(
            zip(*(row.tolist() for row in (*rows, *self.alternatives())), strict=True)
        ):
            alternatives = tuple((codes[place], share) for place, share in zip(others, theirs, strict=True))
            also = self.also.get(text, ())
            level_name = LEVELS[level]
            yield Tag(
                codes[label], confidence, firsts[first], first_confidence, level_name, alternatives, also
            )


@dataclass(frozen=True, slots=True)
class Tagging:
    """What the model says of many texts; iterating gives each text's `Tags`, in order."""

    facets: Mapping[str, FacetTags]
    automatic: npt.NDArray[np.bool_]  # decision "auto", the others are "review"
    warnings: Mapping[int, tuple[str, ...]]  # place of a text -> its warnings, where it has any

    def __len__(self) -> int:
        return len(self.automatic)

    def __iter__(self) -> Iterator[Tags]:
        names = list(self.facets)
        by_facet = [tags.tags() for tags in self.facets.values()]
        for place, (sure, *tags) in enumerate(zip(self.automatic.tolist(), *by_facet, strict=True)):
            decision: Decision = "auto" if sure else "review"
            yield Tags(dict(zip(names, tags, strict=True)), decision, self.warnings.get(place, ()))

    @classmethod
    def joined(cls, parts: Sequence[Tagging]) -> Tagging:
        """The taggings of one batch after another as one."""
        warnings = _shifted([part.warnings for part in parts], list(map(len, parts)))
        facets = {name: FacetTags.joined([part.facets[name] for part in parts]) for name in parts[0].facets}
        return cls(facets, np.concatenate([part.automatic for part in parts]), warnings)


def _shifted(
    parts: Sequence[Mapping[int, tuple[str, ...]]], lengths: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """What is said of some texts of each part, by their places in the whole."""
    starts = np.cumsum([0, *lengths]).tolist()
    return {
        start + place: told
        for start, part in zip(starts, parts, strict=False)
        for place, told in part.items()
    }
