import json
from xml.etree import ElementTree

import pytest

from classifier.errors import InputError, LabelError
from classifier.taxonomy import Taxonomy
from training.label_studio import LabelStudioRecords, labelling_config, names_of, task_of
from training.samples import read_samples

TAXONOMY = Taxonomy.load()


def choice(facet, *names):
    kind = "taxonomy" if len(names) > 1 else "choices"
    value = [list(names)] if kind == "taxonomy" else list(names)
    return {"from_name": facet, "to_name": "text", "type": kind, "value": {kind: value}}


def task(text, *result, number=1, **more):
    return {"id": number, "data": {"text": text}, "annotations": [{"id": 1, "result": list(result)}]} | more


@pytest.fixture
def written(tmp_path):
    def write(tasks):
        path = tmp_path / "标注.json"
        path.write_text(tasks if isinstance(tasks, str) else json.dumps(tasks), encoding="utf-8")
        return path

    return write


AIR = choice("category", "环境保护", "大气污染")
LIGHT = choice("category", "市容市政", "路灯照明")


def test_annotated_tasks_are_samples_with_all_their_facets(written):
    whole = task(
        "异味", AIR, choice("scope", "公共利益"), choice("request_type", "投诉"), choice("urgent", "一般")
    )
    samples = read_samples(written([whole, task("路灯不亮", LIGHT, number=2)]), TAXONOMY)
    assert list(samples.requests) == ["异味", "路灯不亮"]
    codes = samples.taxonomy.facets["category"].codes
    assert [codes[place] for place in samples.labels["category"]] == ["environment.air", "municipal.lighting"]
    assert samples.labels["urgent"].tolist() == [0, -1]
    assert set(samples.labels) == {"category", "scope", "request_type", "urgent"}


def test_tasks_without_a_person_s_label_are_left_out_also_if_a_model_gave_one(written):
    predicted = {"data": {"text": "路灯"}, "predictions": [{"result": [LIGHT]}]}
    cancelled = task("路灯", LIGHT)
    cancelled["annotations"][0]["was_cancelled"] = True
    records = LabelStudioRecords(written([predicted, cancelled, task("异味", AIR)]))
    assert records.total == 1
    assert any("2 个任务没有人工标注" in note for note in records.notes)
    with pytest.raises(InputError, match="提交后"):
        LabelStudioRecords(written([predicted]))


def test_of_several_annotations_the_ground_truth_counts_or_else_the_last(written):
    first, last = {"id": 1, "result": [AIR]}, {"id": 2, "result": [LIGHT]}
    for annotations, label in (
        ([first, last], "市容市政/路灯照明"),
        ([first | {"ground_truth": True}, last], "环境保护/大气污染"),
    ):
        records = LabelStudioRecords(written([task("甲", annotations=annotations)]))
        (chunk,) = records.chunks(10)
        assert chunk.frame["category"].tolist() == [label]


def test_the_flat_export_is_read_too(written):
    flat = {
        "id": 3,
        "text": "异味",
        "category": [{"taxonomy": [["环境保护", "大气污染"]]}],
        "request_type": "投诉",
        "annotator": 1,
        "annotation_id": 9,
    }
    samples = read_samples(written([flat]), TAXONOMY)
    assert samples.requests == ["异味"]
    assert set(samples.labels) == {"category", "request_type"}


def test_more_than_one_label_is_remarked(written):
    both = choice("category", "环境保护", "大气污染")
    both["value"]["taxonomy"].append(["市容市政", "路灯照明"])
    records = LabelStudioRecords(written([task("甲", both)]))
    assert any("只用第一个" in note for note in records.notes)


@pytest.mark.parametrize(
    "broken", ["", "{", '{"data": {}}', "[1]", "[" * 5000, '[{"data": {"text": "秘密"}, "annotations": 3}]']
)
def test_what_is_no_list_of_tasks_is_refused_without_showing_it(written, broken):
    with pytest.raises(InputError) as caught:
        LabelStudioRecords(written(broken))
    assert "秘密" not in str(caught.value)


def test_an_unknown_label_is_named_with_its_task(written):
    with pytest.raises(LabelError, match=r"未知标签.*第 1 行"):
        read_samples(written([task("甲", choice("category", "环境保护", "没有的"))]), TAXONOMY)


def test_a_task_goes_out_as_prediction_and_comes_back_as_annotation(written):
    labels = {
        name: names_of(TAXONOMY.facets[name], code)
        for name, code in (("category", "environment.air"), ("scope", "private_dispute"), ("urgent", "1"))
    }
    made = task_of({"work_order_id": "A1", "text": "异味"}, labels, 0.9, "m1")
    (prediction,) = made["predictions"]
    assert prediction["score"] == 0.9
    assert prediction["model_version"] == "m1"
    for part in prediction["result"]:
        assert {"id", "from_name", "to_name", "type", "value"} <= set(part)
        assert part["type"] in part["value"]
    accepted = {"id": 7, "data": made["data"], "annotations": [{"id": 1, "result": prediction["result"]}]}
    samples = read_samples(written([accepted]), TAXONOMY)
    assert samples.ids == ["A1"]
    for name, code in (("category", "environment.air"), ("scope", "private_dispute"), ("urgent", "1")):
        assert samples.taxonomy.facets[name].codes[samples.labels[name][0]] == code


def test_the_labelling_interface_offers_every_label(written):
    view = ElementTree.fromstring(labelling_config(TAXONOMY))  # noqa: S314 - our own
    controls = {control.get("name"): control for control in view if control.get("toName") == "text"}
    assert set(controls) == set(TAXONOMY.facets)
    paths = {(first.get("value"), second.get("value")) for first in controls["category"] for second in first}
    category = TAXONOMY.facets["category"]
    assert paths == {names_of(category, code) for code in category.codes}
    for name in ("scope", "request_type", "urgent"):
        offered = {(one.get("value"),) for one in controls[name]}
        assert offered == {names_of(TAXONOMY.facets[name], code) for code in TAXONOMY.facets[name].codes}


def test_a_project_s_own_control_is_named_by_option(written):
    own = choice("问题类别", "噪声")
    other = choice("问题类别", "路灯")
    samples = read_samples(
        written([task("甲", own), task("乙", other, number=2)]), TAXONOMY, label_column="问题类别"
    )
    assert samples.taxonomy.facets["category"].codes == ("噪声", "路灯")
