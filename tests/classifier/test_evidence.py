"""What decided: the parts sum to the score exactly, and stand where the citizen wrote them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.evidence import STRONGEST, contributions, explain
from classifier.stack import heard
from classifier.text import clean

DRESSED = [
    "<p>我家楼下的<b>ＫＴＶ</b>半夜唱歌，<br>噪声很大</p>",
    "　　臺山市某鎮路燈不亮，&nbsp;請維修！",
    "電話１３８００１３８０００，物业公司乱收费㎡",
    "公司<br/>拖欠<span style='x'>工资</span>２个月……",
    "&lt;br&gt;停水三天&amp;amp;停电",
    "路灯\u200b不亮",
]


def beyond_the_others(model, request: str, facet: str, label: str) -> float:
    """The label's score less the others' mean score weighted by confidence, in slopes of the link."""
    row = model.features.transform([clean(request)])
    where, bias = model.columns[facet], model.bias.astype(np.float64)
    added = row.data.astype(np.float64) @ model.weights.of_grams(row.indices)
    # Between two bends of the layer over the scores it is linear: what the text adds goes through as it is.
    told = heard((added + bias)[None, :], model.labels, model.stack.gates)[0]
    awake = (added + bias) * told @ model.stack.inward + model.stack.offset > 0
    corrected = model.stack.corrected((added + bias)[None, :])[:, where]
    through = ((added * told) @ model.stack.inward * awake) @ model.stack.outward
    arrived = (added[: model.labels] + through)[where]
    bent = arrived * model.links[facet].slopes(corrected)[0]
    chosen = model.facets[facet].codes.index(label)
    others = np.arange(len(arrived)) != chosen
    shares = model.links[facet].confidences(corrected)[0]
    return float(bent[chosen] - np.average(bent[others], weights=shares[others]))


def test_contributions_sum_to_what_the_label_scores_beyond_the_others(model, samples):
    for request in [*samples.requests[::40], *DRESSED]:
        (tags,) = model.tag([request])
        for name, tag in tags.facets.items():
            for label in (tag.label, tag.alternatives[0][0]):
                parts = contributions(model, clean(request), name, label)
                assert parts.shape == (len(clean(request)),)
                assert parts.sum() == pytest.approx(beyond_the_others(model, request, name, label), abs=1e-4)


def test_what_speaks_for_one_of_two_labels_speaks_against_the_other(model, samples):
    # Exactly so: of two labels each is all that there is beside the other.
    cleaned = clean(samples.requests[3])
    calm, urgent = (contributions(model, cleaned, "urgent", label) for label in ("0", "1"))
    assert np.abs(calm).max() > 0
    assert calm == pytest.approx(-urgent, abs=1e-9)


def test_words_together_carry_what_their_characters_do(model):
    request = "路灯不亮"
    label = model.tag([request])[0]["category"].label
    found = explain(model, request, "category", label)
    parts = contributions(model, clean(request), "category", label)
    assert sum(one.weight for one in found) == pytest.approx(parts.sum(), abs=1e-9)


def test_evidence_is_strongest_first_and_not_more_than_people_read(model, samples):
    longest = max(samples.requests, key=len)
    for request in [longest, *samples.requests[:40]]:
        found = explain(model, request, "category", model.tag([request])[0]["category"].label)
        strengths = [abs(one.weight) for one in found]
        assert 0 < len(found) <= STRONGEST
        assert strengths == sorted(strengths, reverse=True)
        assert min(strengths) > 0
    assert len(explain(model, longest, "category", model.facets["category"].codes[0])) == STRONGEST


def test_evidence_stands_in_the_untouched_text(model, samples):
    cut = model.features.tokenizer.cut_many
    for request in [*DRESSED, *samples.requests[:40]]:
        words = cut([clean(request)])[0]
        for facet in model.facets:
            for one in explain(model, request, facet, model.facets[facet].codes[0]):
                assert 0 <= one.start < one.until <= len(request)
                if not request[one.start].isdigit():  # a long number is read as 0, at its first digit
                    assert clean(request[one.start : one.until]) in words


@pytest.mark.parametrize(
    ("request_text", "stretch"),
    [
        ("<p>我们小区</p><br>路燈不亮，請維修", "路燈不亮"),
        ("&nbsp;&nbsp;ＷＩＦＩ很慢，物业公司乱收费", "物业公司"),
        ("路<b>灯</b>不亮", "路<b>灯</b>不亮"),
    ],
)
def test_a_word_is_shown_as_the_citizen_wrote_it(model, request_text, stretch):
    label = model.tag([request_text])[0]["category"].label
    found = explain(model, request_text, "category", label)
    assert stretch in [request_text[one.start : one.until] for one in found]


def test_stretches_do_not_overlap(model, samples):
    for request in [*DRESSED, *samples.requests[:50]]:
        found = explain(model, request, "scope", "public")
        spans = sorted((one.start, one.until) for one in found)
        assert all(until <= start for (_, until), (start, _) in pairwise(spans))


def test_the_word_that_says_it_all_speaks_for_its_label(model, samples):
    """Taking the strongest word out of the text must cost the label confidence."""
    facet = model.facets["category"]
    poorer = 0
    for request in samples.requests[:40]:
        tag = model.tag([request])[0]["category"]
        best = explain(model, request, "category", tag.label)[0]
        if best.weight < 0:
            continue
        without = request[: best.start] + "，" + request[best.until :]
        after = model.confidences([without])["category"][0][facet.codes.index(tag.label)]
        poorer += after < tag.confidence
    assert poorer > 30


@pytest.mark.parametrize("nothing", ["", "。。。", "😀", "<br>"])
def test_a_text_without_words_has_no_evidence(model, nothing):
    assert explain(model, nothing, "scope", "public") == []


@settings(deadline=None, max_examples=60)
@given(st.text(st.characters(exclude_categories=())) | st.sampled_from(DRESSED))
def test_any_text_can_be_explained(model, text):
    for one in explain(model, text, "scope", "public"):
        assert 0 <= one.start < one.until <= len(text)
