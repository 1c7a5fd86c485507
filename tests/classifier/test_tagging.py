"""Tags as arrays against plain Python over the same confidences."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.tagging import ALTERNATIVES, FacetTags, Tagging
from classifier.taxonomy import Facet

FACET = Facet.flat("category", "事项", ["a", "b", "c", "d", "e"])


@pytest.fixture
def some() -> FacetTags:
    confidences = np.array([[0.1, 0.4, 0.1, 0.3, 0.1], [0.2, 0.2, 0.2, 0.2, 0.2]], dtype=np.float32)
    labels = np.array([3, 0])
    first = confidences[[0, 1], labels]
    return FacetTags(FACET, confidences, labels, labels, first, np.array([2, 0]))


def test_alternatives_are_the_best_others_and_of_equal_ones_the_first(some):
    first, second = (tag.alternatives for tag in some.tags())
    assert [code for code, _ in first] == ["b", "a", "c"]
    assert [code for code, _ in second] == ["b", "c", "d"]
    assert [share for _, share in first] == pytest.approx([0.4, 0.1, 0.1])


def test_alternatives_are_no_more_than_the_other_labels():
    facet = Facet.flat("urgent", "紧急", ["0", "1"])
    shares = np.array([[0.9, 0.1]], dtype=np.float32)
    nought = np.array([0])
    (tag,) = FacetTags(facet, shares, nought, nought, shares[:, 0], nought).tags()
    assert [code for code, _ in tag.alternatives] == ["1"]


def test_arrays_and_objects_say_the_same(model, samples):
    requests = samples.requests[:300]
    tagging = model.tagging(requests)
    assert list(tagging) == model.tag(requests)
    for name, arrays in tagging.facets.items():
        tags = [each.facets[name] for each in tagging]
        assert arrays.codes.tolist() == [tag.label for tag in tags]
        assert arrays.confidence.tolist() == [tag.confidence for tag in tags]
        assert arrays.first_codes.tolist() == [tag.first for tag in tags]
        assert {len(tag.alternatives) for tag in tags} == {min(ALTERNATIVES, len(arrays.facet.codes) - 1)}
    assert ["auto" if sure else "review" for sure in tagging.automatic] == [one.decision for one in tagging]


def test_joined_taggings_keep_their_order_and_warnings(model):
    parts = [model.tagging(texts) for texts in (["路灯不亮", "!!"], [], ["", "停水"])]
    joined = Tagging.joined(parts)
    assert len(joined) == 4
    assert list(joined) == [tags for part in parts for tags in part]
    assert set(joined.warnings) == {1, 2}
