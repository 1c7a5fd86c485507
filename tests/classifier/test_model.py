"""The model: properties that hold for any text, and behaviour that people rely on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.decision import NEVER, Threshold
from classifier.model import Model
from classifier.tagging import ALTERNATIVES
from classifier.taxonomy import Facet
from classifier.text import MAX_CHARACTERS

any_text = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["", " ", "。", "路灯不亮", "<br>", "😀", "\ud800", "\x00", "楼下餐馆油烟扰民", "12345", "停水" * 300]
)

PLAIN = [
    "泥头车夜间超速行驶,噪声很大,请交警部门处理。地点在建设路12号。",
    "我是某小区业主，物业公司拒绝公开账目，电梯坏了3个月无人维修，联系电话13800138000。",
    "请问养老保险怎么转移？需要什么材料。",
    "公司拖欠工资2个月，老板失联，希望劳动部门帮助追讨。",
    "ktv半夜唱歌扰民，报警后警察来过，第二天继续。",
    "路灯不亮，晚上行人看不见路，已经两周。",
]


def with_thresholds(model: Model, **thresholds: Threshold) -> Model:
    return model.variant(model.version, thresholds)


# --- properties ---


@settings(deadline=None, max_examples=60)
@given(st.lists(any_text, max_size=8))
def test_any_strings_get_as_many_tags_in_their_order(model, texts):
    tags = model.tag(texts)
    assert len(tags) == len(texts)
    assert tags == [model.tag([text])[0] for text in texts]


@settings(deadline=None, max_examples=60)
@given(st.lists(any_text, min_size=1, max_size=5))
def test_confidences_are_shares_and_levels_agree_whatever_the_text(model, texts):
    confidences = model.confidences(texts)
    for i, tags in enumerate(model.tag(texts)):
        for name, tag in tags.facets.items():
            check_tag(model.facets[name], tag, confidences[name][i])


def check_tag(facet: Facet, tag, row) -> None:
    assert ((row >= 0) & (row <= 1)).all()
    assert row.sum() == pytest.approx(1, abs=1e-5)
    by_code = dict(zip(facet.codes, row.tolist(), strict=True))
    assert 0 <= tag.confidence <= tag.first_confidence <= 1
    assert tag.first == facet.by_code[tag.label].first
    assert tag.confidence == pytest.approx(by_code[tag.label], abs=1e-6)
    firsts = dict.fromkeys(facet.firsts, 0.0)
    for label in facet.labels:
        firsts[label.first] += by_code[label.code]
    assert tag.first_confidence == pytest.approx(firsts[tag.first], abs=1e-5)
    if tag.label != facet.alarm:
        assert tag.first_confidence == pytest.approx(max(firsts.values()), abs=1e-5)
    below = [by_code[label.code] for label in facet.labels if label.first == tag.first]
    assert tag.confidence == pytest.approx(max(below), abs=1e-6)


def test_every_example_has_sound_tags(model, samples):
    confidences = model.confidences(samples.requests)
    for i, tags in enumerate(model.tag(samples.requests)):
        assert set(tags.facets) == set(model.facets)
        for name, tag in tags.facets.items():
            check_tag(model.facets[name], tag, confidences[name][i])


def test_a_text_twice_has_the_same_tags(model, samples):
    tags = model.tag([*samples.requests[:50], *samples.requests[:50]])
    assert tags[:50] == tags[50:] == model.tag(samples.requests[:50])


def test_tags_do_not_depend_on_the_batch(model, samples, monkeypatch):
    monkeypatch.setattr("classifier.model.BATCH", 300)
    requests = (list(samples.requests) * 2)[:1000]
    together = model.tag(requests)
    for i in [*range(0, 1000, 13), 299, 300, 301, 999]:
        assert model.tag([requests[i]]) == [together[i]]


def test_no_texts_have_no_tags(model):
    assert model.tag([]) == []
    assert {name: rows.shape for name, rows in model.confidences([]).items()} == {
        name: (0, len(facet.codes)) for name, facet in model.facets.items()
    }


def test_alternatives_are_the_next_best_labels_and_never_the_label_itself(model, samples):
    for tags in model.tag(samples.requests[:100]):
        for name, tag in tags.facets.items():
            codes = [code for code, _ in tag.alternatives]
            shares = [share for _, share in tag.alternatives]
            assert len(codes) == min(ALTERNATIVES, len(model.facets[name].codes) - 1)
            assert tag.label not in codes
            assert len(set(codes)) == len(codes)
            assert shares == sorted(shares, reverse=True)


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c in "0123456789" else c for c in text)


def traditional(text: str) -> str:
    pairs = zip(
        "头车驶声请门处设号业务开账电个维联养险转么资劳动帮讨闹区",
        "頭車駛聲請門處設號業務開賬電個維聯養險轉麼資勞動幫討鬧區",
        strict=True,
    )
    return text.translate(str.maketrans(dict(pairs)))


CHANGES = {
    "full-width digits": full_width,
    "another phone number": lambda text: text.replace("13800138000", "13912345678"),
    "a phone number with spaces": lambda text: text.replace("13800138000", "139 1234 5678"),
    "traditional characters": traditional,
    "line breaks after sentences": lambda text: text.replace("。", "。<br>"),
    "a paragraph around it": lambda text: f"<p>{text}</p>",
    "bold letters": lambda text: f"<b>{text[:3]}</b>{text[3:]}",
    "capitals": str.upper,
    "spaces at the ends": lambda text: f" \u3000\n{text}\t\u00a0 ",
    "invisible characters": lambda text: text[:2] + "\u200b" + text[2:] + "\ufeff",
    "other commas": lambda text: text.replace("，", ","),
    "escaped line breaks": lambda text: text + "&lt;br&gt;&nbsp;",
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_matter_changes_no_tag_and_no_confidence(model, change):
    changed = [CHANGES[change](text) for text in PLAIN]
    assert changed != PLAIN
    assert model.tag(changed) == model.tag(PLAIN)


@pytest.mark.parametrize("change", [full_width, str.upper, "{} ".format, "<p>{}</p>".format])
def test_what_is_no_matter_changes_no_tag_of_the_examples(model, samples, change):
    assert model.tag([change(text) for text in samples.requests]) == model.tag(samples.requests)


def test_another_matter_has_other_tags(model):
    labels = {tags["category"].label for tags in model.tag(PLAIN)}
    assert len(labels) > 3


def test_most_examples_get_back_the_labels_they_were_trained_with(model, samples):
    facet = model.facets["category"]
    truth = [facet.codes[label] for label in samples.labels["category"]]
    given_ = [tags["category"].label for tags in model.tag(samples.requests)]
    assert np.mean([a == b for a, b in zip(truth, given_, strict=True)]) > 0.9


# --- warnings and decisions ---


def test_a_too_long_text_is_tagged_by_its_beginning_and_warned_of(model):
    begin = "路灯不亮,请维修。" * 1000
    assert len(begin) > MAX_CHARACTERS
    long, short = model.tag([begin + "公司拖欠工资" * 100, begin[:MAX_CHARACTERS]])
    assert any("8000" in warning for warning in long.warnings)
    assert short.warnings == ()
    assert long.facets == short.facets


def test_a_text_that_is_long_only_by_its_mark_up_is_not_warned_of(model):
    assert model.tag(["路灯不亮" + "<br>" * 4000])[0].warnings == ()


@pytest.mark.parametrize("nothing", ["", "   ", "。。。", "!!!", "😀😀", "<br><br>", "\ud800", "。" * 9000])
def test_a_text_without_readable_words_is_for_review_with_a_warning(model, nothing):
    eager = with_thresholds(model, **dict.fromkeys(model.facets, Threshold(0.0, 0.0)))
    for one in (model, eager):
        (tags,) = one.tag([nothing])
        assert tags.decision == "review"
        assert any("没有可识别的词" in warning for warning in tags.warnings)
        assert {tag.level for tag in tags.facets.values()} == {"none"}


def test_a_readable_text_has_no_warning(model):
    assert all(tags.warnings == () for tags in model.tag(PLAIN))


def test_without_a_threshold_everything_is_for_review(model):
    for tags in with_thresholds(model).tag(PLAIN):
        assert tags.decision == "review"
        assert {tag.level for tag in tags.facets.values()} == {"none"}


def test_a_confidence_at_the_threshold_is_sure_and_one_below_is_not(model):
    (tags,) = model.tag(PLAIN[:1])
    tag = tags["category"]

    def above(confidence: float) -> float:  # in single precision, which is what confidences are
        return float(np.nextafter(np.float32(confidence), np.float32(2)))

    levels = [
        with_thresholds(model, category=threshold).tag(PLAIN[:1])[0]["category"].level
        for threshold in (
            Threshold(tag.confidence, NEVER),
            Threshold(above(tag.confidence), tag.first_confidence),
            Threshold(above(tag.confidence), above(tag.first_confidence)),
        )
    ]
    assert levels == ["second", "first", "none"]


@pytest.mark.parametrize(
    ("category", "scope", "decision"),
    [
        (Threshold(0, 0), Threshold(0, 0), "auto"),
        (Threshold(0, 0), Threshold(NEVER, 0), "auto"),
        (Threshold(NEVER, 0), Threshold(0, 0), "review"),
        (Threshold(0, 0), Threshold(), "review"),
    ],
)
def test_a_decision_is_automatic_when_category_and_scope_are_sure(model, category, scope, decision):
    for tags in with_thresholds(model, category=category, scope=scope).tag(PLAIN):
        assert tags.decision == decision


def test_a_category_and_a_scope_that_samples_hardly_had_together_are_warned_of(model, samples):
    (request,) = samples.requests[:1]
    (tags,) = model.tag([request])
    category, scope = model.facets["category"], model.facets["scope"]
    row, column = category.codes.index(tags["category"].label), scope.codes.index(tags["scope"].label)
    counts = np.full((len(category.codes), len(scope.codes)), 100)
    for together, warned in ((1, True), (100, False)):
        counts[row, column] = together
        other = model.variant("x", {})
        other.together = counts
        assert any("很少属于" in warning for warning in other.tag([request])[0].warnings) is warned
