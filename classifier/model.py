"""Texts to tags: the only thing that serving needs.

clean -> words -> features -> one sparse product for all facets -> what the facets tell each other -> a
link for each facet. Training folds what else it combines (heads of both levels, temperature) into the one
weight matrix and the layer behind it: sums with a few bends, so what decided can be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

import numpy as np
import numpy.typing as npt

from .asks import asks
from .cleaned import clean_many
from .codes import Codes
from .decision import NEVER, Rule, Threshold
from .features import Features
from .kernel import Heads
from .link import Link, Links
from .stack import Stack
from .tagging import LEVELS, FacetTags, Tagging
from .taxonomy import Facet, Taxonomy
from .text import MAX_CHARACTERS, is_truncated
from .weights import Weights
from .work_order import Tags

Matrix = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

BATCH = 2000  # texts tagged at once: bounds memory
_ENOUGH = 50  # samples of a category from which on it is known which scopes it has
_RARE = 0.02


class Model:
    """A fitted model of one version: features, weights, and when to trust itself.

    `weights` is grams x labels, `bias` labels long; the labels of all facets stand side by side in
    the order of `taxonomy.facets`. `together` counts the samples by category and scope; `stack` corrects
    the scores of some facets by those of all, and by experts whose weights stand behind the labels'.
    """

    def __init__(
        self,
        version: str,
        taxonomy: Taxonomy,
        features: Features,
        weights: Weights,
        bias: Matrix,
        links: Mapping[str, Link],
        thresholds: Mapping[str, Threshold],
        together: Counts | None = None,
        stack: Stack | None = None,
    ) -> None:
        self.version = version
        self.taxonomy = taxonomy
        self.features = features
        self.weights = weights
        self.bias = bias
        self.links = dict(links)
        self.thresholds = dict(thresholds)
        self.together = together
        self.stack = stack

    def variant(self, version: str, thresholds: Mapping[str, Threshold] | None = None) -> Model:
        """The same model under another name, perhaps with other thresholds."""
        return Model(
            version,
            self.taxonomy,
            self.features,
            self.weights,
            self.bias,
            self.links,
            self.thresholds if thresholds is None else thresholds,
            self.together,
            self.stack,
        )

    @property
    def facets(self) -> Mapping[str, Facet]:
        """The facets that this model knows, by name."""
        return self.taxonomy.facets

    @cached_property
    def columns(self) -> Mapping[str, slice]:
        """Where the labels of each facet stand in `weights`."""
        ends = np.cumsum([len(facet.codes) for facet in self.facets.values()]).tolist()
        starts = [0, *ends[:-1]]
        return {name: slice(start, end) for name, start, end in zip(self.facets, starts, ends, strict=True)}

    @property
    def labels(self) -> int:
        """How many labels all facets have together."""
        return sum(len(facet.codes) for facet in self.facets.values())

    @cached_property
    def _rules(self) -> Mapping[str, Rule]:
        return {
            name: Rule(facet, self.thresholds.get(name, Threshold())) for name, facet in self.facets.items()
        }

    def tag(self, requests: Sequence[str]) -> list[Tags]:
        """As many tags as texts, in order. Texts are raw; any string has an answer."""
        return [tags for batch in self._batches(requests) for tags in batch]

    def tagging(self, requests: Sequence[str] | Codes, cleaned: Codes | None = None) -> Tagging:
        """The same tags as arrays: a third of the time, and what files are tagged with.

        `cleaned` is what `clean_many` makes of the requests, where that is known already.
        """
        return Tagging.joined(list(self._batches(requests, cleaned)))

    def _batches(self, requests: Sequence[str] | Codes, cleaned: Codes | None = None) -> Iterator[Tagging]:
        for start in range(0, max(len(requests), 1), BATCH):
            some = Codes.of(requests[start : start + BATCH])
            codes = clean_many(some) if cleaned is None else cleaned[start : start + BATCH]
            yield self._tagging(some, codes)

    def confidences(self, requests: Sequence[str]) -> dict[str, Matrix]:
        """For each facet the confidence of each of its labels: texts x labels, rows sum to one."""
        return self._confidences(clean_many(requests))[0]

    @cached_property
    def _heads(self) -> Heads:
        return self.weights.heads(self.bias, self.stack)

    @cached_property
    def _links(self) -> Links:
        return Links([self.links[name] for name in self.facets])

    def _confidences(self, cleaned: Codes) -> tuple[dict[str, Matrix], npt.NDArray[np.bool_]]:
        scores, blank = self.features.scores(cleaned, self._heads)
        shares = self._links.confidences(scores[:, : self.labels])
        return {name: shares[:, where] for name, where in self.columns.items()}, blank

    def _tagging(self, requests: Codes, cleaned: Codes) -> Tagging:
        confidences, blank = self._confidences(cleaned)
        facets = {
            name: self._facet_tags(facet, confidences[name], blank) for name, facet in self.facets.items()
        }
        facets["category"].also.update(self._also(cleaned, facets["category"]))
        warnings: dict[int, tuple[str, ...]] = {}
        for place, told in chain(_warnings(requests, cleaned, blank), self._rarely_together(facets)):
            warnings[place] = (*warnings.get(place, ()), told)
        return Tagging(facets, _automatic(facets), warnings)

    def _facet_tags(self, facet: Facet, confidences: Matrix, blank: npt.NDArray[np.bool_]) -> FacetTags:
        tags = self._rules[facet.name].decide(confidences)
        tags.levels[blank] = 0
        return tags

    def _also(self, cleaned: Codes, tags: FacetTags) -> dict[int, tuple[str, ...]]:
        """What further asks of a text are about, where that is another first level than the text's."""
        also_at = self.thresholds.get("category", Threshold()).also
        if also_at >= NEVER:
            return {}
        parts, owners = asks(cleaned)
        if not len(owners):
            return {}
        found = self._rules["category"].decide(self._confidences(parts)[0]["category"])
        sure = (found.confidence >= also_at) & (found.firsts != tags.firsts[owners])
        also: dict[int, tuple[str, ...]] = {}
        for place, code in zip(owners[sure].tolist(), found.codes[sure].tolist(), strict=True):
            also[place] = tuple(dict.fromkeys((*also.get(place, ()), code)))
        return also

    def _rarely_together(self, facets: Mapping[str, FacetTags]) -> Iterator[tuple[int, str]]:
        """Warn of a category and a scope that the samples hardly ever had together."""
        if self.together is None:
            return
        category, scope = facets["category"], facets["scope"]
        counts = self.together[category.labels, scope.labels]
        wholes = self.together.sum(axis=1)[category.labels]
        for place in np.flatnonzero((wholes >= _ENOUGH) & (counts < _RARE * wholes)).tolist():
            names = [tags.facet.labels[tags.labels[place]].name for tags in (category, scope)]
            count, whole = counts[place], wholes[place]
            yield (
                place,
                f"“{names[0]}”很少属于“{names[1]}”（训练样本 {whole} 例中 {count} 例），请核对",
            )


def _automatic(facets: Mapping[str, FacetTags]) -> npt.NDArray[np.bool_]:
    """Automatic where the category is sure to its second level and the scope to its first."""
    sure: npt.NDArray[np.bool_] = facets["category"].levels == LEVELS.index("second")
    if "scope" in facets:
        sure &= facets["scope"].levels > 0
    return sure


def _warnings(requests: Codes, cleaned: Codes, blank: npt.NDArray[np.bool_]) -> Iterator[tuple[int, str]]:
    for place in np.flatnonzero(blank).tolist():
        yield place, "文本中没有可识别的词，标签仅为缺省值，请人工判断"
    long = (requests.lengths >= MAX_CHARACTERS) | (cleaned.lengths + 1 >= MAX_CHARACTERS)
    for place in np.flatnonzero(long).tolist():
        if is_truncated(requests.text(place)):
            yield place, "文本超过 8000 字，只读取了前 8000 字"
