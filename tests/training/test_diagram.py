"""The diagram is an SVG page that shows each facet's points where they belong, the same each time."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from training.diagram import reliability_svg
from training.evaluate import FacetScore

BINS = ((0.25, 0.75), (0.5, 0.5), (1.0, 0.25))


def score(bins):
    reliability = [(stated, found, 10) for stated, found in bins]
    return FacetScore(30, 0.8, 0.7, 0.123, 0.5, 0.04, reliability, {})


@pytest.fixture(scope="module")
def page():
    return reliability_svg({"category": score(BINS), "urgent": score(BINS[:1])}, {"category": "事项分类"})


def test_it_is_the_same_each_time(page):
    scores = {"category": score(BINS), "urgent": score(BINS[:1])}
    assert reliability_svg(scores, {"category": "事项分类"}) == page


def test_letters_stay_letters_with_the_calibration_error_beside_the_title(page):
    root = ET.fromstring(page)  # noqa: S314 - our own page
    texts = ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("事项分类" in text and "12.3%" in text for text in texts)
    assert any("urgent" in text for text in texts)  # without a title the facet's name stands there


def test_a_point_stands_at_its_confidence_and_its_share_of_right_tags(page):
    """On the page x grows to the right and y downwards: the three points of the first facet fall."""
    lines = [
        [tuple(map(float, pair)) for pair in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path)]
        for path in re.findall(r'<path d="(M [^"]*?)" clip-path', page)
    ]
    (diagonal, points), *_ = [(a, b) for a, b in itertools.pairwise(lines) if len(b) == 3]
    (x0, y0), (x1, y1) = diagonal
    for (x, y), (stated, found) in zip(points, BINS, strict=True):
        assert (x - x0) / (x1 - x0) == pytest.approx(stated, abs=1e-3)
        assert (y - y0) / (y1 - y0) == pytest.approx(found, abs=1e-3)
