import pytest
from pydantic import ValidationError

from api.schemas import EvidenceOut, LabelOut, TagRequest, TagsOut, WorkOrderIn, label_out, tags_out
from classifier.dispatch import Dispatch, Dispatcher
from classifier.evidence import Evidence
from classifier.work_order import WorkOrder

TEXT = "迎宾大道的路灯不亮，请致电13800138000联系我"


def tagged(model, *orders, explained=False):
    tags = model.tag([order.request for order in orders])
    suggested = Dispatcher.load().suggest(
        [order.request for order in orders],
        [given["category"].label for given in tags],
        [order.district for order in orders],
    )
    rows = zip(orders, tags, suggested, strict=True)
    return [TagsOut(**tags_out(*row[:2], model, row[2], explained=explained)) for row in rows]


def test_a_work_order_comes_in_as_the_noun_of_the_lower_floors():
    arrived = WorkOrderIn(work_order_id="A1", title="路灯", text="不亮")
    assert arrived.to_work_order() == WorkOrder("A1", "不亮", "路灯")
    assert WorkOrderIn(text="不亮").to_work_order() == WorkOrder("", "不亮", "")


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_a_text_of_nothing_is_refused(text):
    with pytest.raises(ValidationError, match="pattern"):
        WorkOrderIn(text=text)


def test_a_text_on_several_lines_is_taken_as_it_is():
    assert WorkOrderIn(text=" \n路灯\n").text == " \n路灯\n"


@pytest.mark.parametrize(
    "order",
    [
        {"text": "a" * 100_001},
        {"text": "a", "title": "b" * 1001},
        {"text": "a", "work_order_id": "1" * 201},
        {"text": "a", "street": "江海区"},
        {"text": 7},
        {},
    ],
)
def test_what_is_too_long_unknown_or_no_text_is_refused(order):
    with pytest.raises(ValidationError):
        WorkOrderIn.model_validate(order)


def test_one_to_a_thousand_work_orders_are_taken():
    order = {"text": "路灯"}
    assert len(TagRequest.model_validate({"work_orders": [order] * 1000}).work_orders) == 1000
    for orders in ([], [order] * 1001):
        with pytest.raises(ValidationError):
            TagRequest.model_validate({"work_orders": orders})


def test_a_label_is_code_name_and_path(model):
    facet = model.facets["category"]
    code = facet.codes[0]
    label, first = facet.by_code[code], facet.first_names[facet.by_code[code].first]
    assert LabelOut(**label_out(facet, code, 0.123456)) == LabelOut(
        code=code, name=label.name, path=f"{first}/{label.name}", confidence=0.1235
    )


def test_the_path_of_a_flat_facet_is_its_name(model):
    label = label_out(model.facets["request_type"], "help")
    assert label == {"code": "help", "name": "求助", "path": "求助"}


def test_tags_go_out_as_the_model_gave_them(model):
    order = WorkOrder("A1", TEXT)
    (result,) = tagged(model, order)
    (tags,) = model.tag([TEXT])
    assert list(result.facets) == list(tags.facets)
    for name, tag in tags.facets.items():
        facet = result.facets[name]
        assert (facet.code, facet.level, facet.first.code) == (tag.label, tag.level, tag.first)
        assert facet.confidence == round(tag.confidence, 4)
        assert facet.first.confidence == round(tag.first_confidence, 4)
        assert [(one.code, one.confidence) for one in facet.alternatives] == [
            (code, round(share, 4)) for code, share in tag.alternatives
        ]
        assert facet.evidence is None
    assert (result.work_order_id, result.decision) == ("A1", tags.decision)
    assert (result.model_version, result.taxonomy_version) == (model.version, model.taxonomy.version)


def test_a_work_order_without_id_has_none_in_the_answer(model):
    (result,) = tagged(model, WorkOrder("", TEXT))
    assert result.work_order_id is None


def test_evidence_is_given_where_it_is_asked_for(model):
    (result,) = tagged(model, WorkOrder("", TEXT, "路灯"), explained=True)
    request = f"路灯。{TEXT}"
    for facet in result.facets.values():
        assert facet.evidence
        for one in facet.evidence:
            assert 0 <= one.start < one.until <= len(request)
            assert one.text == request[one.start : one.until] or "*" in one.text


def test_evidence_shows_the_masked_text():
    masked = "电话138****8000"
    assert EvidenceOut.of(masked, Evidence(2, 13, 0.123456)) == EvidenceOut(
        start=2, until=13, text="138****8000", weight=0.1235
    )


def test_warnings_of_the_model_are_passed_on(model):
    order = WorkOrder("", "？？？")
    (tags,) = model.tag([order.request])
    assert (
        tags_out(order, tags, model, Dispatch("", ""), explained=False)["warnings"]
        == list(tags.warnings)
        != []
    )
