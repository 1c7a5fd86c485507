import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from classifier.columns import Columns
from classifier.decision import Threshold
from classifier.dispatch import Directory, Dispatcher
from classifier.model import Model
from classifier.records import Chunk
from classifier.tag_columns import TAG_TYPES
from classifier.tagged import districts_of, requests_of, tag_columns
from training.samples import Samples

TEXTS = ["迎宾大道的路灯不亮，夜里看不清路", "邻居半夜唱歌，吵得睡不着", "请问社保卡怎么补办？"]


def tag_frame(model, requests, problems, districts=None):
    return tag_columns(model, Dispatcher.load(), requests, problems, districts).frame()


def chunk_of(**columns):
    frame = pd.DataFrame(columns, dtype=object)
    return Chunk(0, frame, range(2, 2 + len(frame)))


def test_added_columns_are_those_that_users_were_promised():
    assert list(TAG_TYPES) == [
        "category_code", "category_name", "first_code", "first_name", "category_confidence",
        "scope", "scope_detail", "scope_confidence", "request_type", "request_type_confidence",
        "urgent", "urgent_confidence", "decision", "model_version",
        "department", "district_found", "decision_level", "also", "error_reason",
    ]  # fmt: skip


def test_a_request_is_title_and_text(model):
    chunk = chunk_of(标题=["路灯", "", None], 内容=["不亮", "唱歌", "咨询"])
    requests = requests_of(chunk, Columns({"text": "内容", "title": "标题"}))
    assert requests.texts() == ["路灯。不亮", "唱歌", "咨询"]


def test_a_row_without_text_has_no_request_even_when_it_has_a_title():
    chunk = chunk_of(标题=["路灯"] * 5, 内容=[None, "", " \t\n", float("nan"), "\u3000"])
    assert requests_of(chunk, Columns({"text": "内容", "title": "标题"})).texts() == [""] * 5


def test_a_number_or_a_date_as_text_is_read_as_people_see_it():
    chunk = chunk_of(内容=[20240712.0, pd.Timestamp("2024-07-12 08:30")])
    assert requests_of(chunk, Columns({"text": "内容"})).texts() == ["20240712", "2024-07-12 08:30:00"]


def test_columns_of_arrow_types_are_read_alike():
    frame = pd.DataFrame({"内容": pd.array(["路灯", None], dtype=pd.ArrowDtype(pa.string()))})
    assert requests_of(Chunk(0, frame, range(2)), Columns({"text": "内容"})).texts() == ["路灯", ""]


def test_tags_are_those_of_the_model(model):
    frame = tag_frame(model, TEXTS, {})
    for row, tags in zip(frame.to_dict("records"), model.tag(TEXTS), strict=True):
        category, scope = tags["category"], tags["scope"]
        kind, urgent = tags["request_type"], tags["urgent"]
        facet = model.facets["category"]
        assert row == {
            "category_code": category.label,
            "category_name": facet.by_code[category.label].name,
            "first_code": category.first,
            "first_name": facet.first_names[category.first],
            "category_confidence": round(category.confidence, 4),
            "scope": scope.first,
            "scope_detail": scope.label,
            "scope_confidence": round(scope.first_confidence, 4),
            "request_type": kind.label,
            "request_type_confidence": round(kind.confidence, 4),
            "urgent": int(urgent.label),
            "urgent_confidence": round(urgent.confidence, 4),
            "decision": tags.decision,
            "model_version": model.version,
            "department": Directory.load().department(category.label, ""),
            "district_found": None,
            "decision_level": category.level,
            "also": "；".join(category.also) or None,
            "error_reason": None,
        }


def test_a_row_that_cannot_be_tagged_has_a_reason_and_no_tags(model):
    places = ["新会", "新会", "新会"]
    frame = tag_frame(model, [TEXTS[0], "", TEXTS[1]], {2: "有无法解码的字节"}, places)
    assert frame["decision"].tolist()[1:] == ["error", "error"]
    assert frame["decision"][0] in {"auto", "review"}
    assert frame["error_reason"].tolist() == [None, "没有诉求内容", "有无法解码的字节"]
    tags = frame.drop(columns=["decision", "model_version", "error_reason"])
    assert tags.iloc[1:].isna().all(axis=None)
    assert tags.iloc[0].drop("also").notna().all()


def test_the_problem_of_a_row_goes_before_its_missing_text(model):
    assert tag_frame(model, [""], {0: "多出的未读"})["error_reason"].tolist() == ["多出的未读"]


def test_rows_that_fail_do_not_shift_the_tags_of_others(model):
    alone = tag_frame(model, TEXTS, {})
    among = tag_frame(model, ["", TEXTS[0], "", TEXTS[1], TEXTS[2], ""], {})
    assert among.iloc[[1, 3, 4]].values.tolist() == alone.values.tolist()


def test_the_place_of_a_row_goes_before_that_of_its_text(model):
    requests = ["台山市斗山镇停水", "台山市斗山镇停水", "停水"]
    frame = tag_frame(model, requests, {}, ["新会区会城街道", "", ""])
    assert frame["district_found"].tolist() == ["新会区", "台山市", None]
    units = [Directory.load().department(frame["category_code"][0], name) for name in ("新会区", "台山市")]
    assert frame["department"].tolist()[:2] == units


def test_a_place_is_district_and_town_joined():
    chunk = chunk_of(区=["新会区", ""], 镇=["会城街道", "斗山镇"], 文=["停水", "停水"])
    columns = Columns({"text": "文", "district": "区", "town": "镇"})
    assert districts_of(chunk, columns) == ["新会区会城街道", "斗山镇"]
    assert districts_of(chunk, Columns({"text": "文"})) == ["", ""]


def test_no_rows_give_no_tags(model):
    frame = tag_frame(model, [], {})
    assert list(frame.columns) == list(TAG_TYPES)
    assert len(frame) == 0


def test_every_column_fits_its_type(model):
    frame = tag_frame(model, [*TEXTS, ""], {})
    for name, kind in TAG_TYPES.items():
        assert str(pa.array(frame[name].tolist(), kind).type) == str(pa.type_for_alias(kind))


@pytest.fixture(scope="session")
def foreign(samples: Samples) -> Model:
    """A model of a foreign, flat label set: it knows a category and nothing else."""
    from classifier.taxonomy import Taxonomy
    from training.fit import train

    taxonomy = Taxonomy.of_labels({"短", "长"})
    codes = taxonomy.facets["category"].codes
    labels = np.array([codes.index("长" if len(text) > 80 else "短") for text in samples.requests])
    labelled = Samples(samples.ids, samples.requests, {"category": labels}, samples.folds, taxonomy)
    return train(labelled, "foreign")[0]


def test_a_foreign_model_leaves_the_columns_of_other_facets_empty(foreign):
    frame = tag_frame(foreign, [*TEXTS, ""], {})
    assert set(frame["category_code"][:3]) <= {"短", "长"}
    assert frame["category_name"].tolist()[:3] == frame["category_code"].tolist()[:3]
    assert frame["first_code"].tolist()[:3] == frame["category_code"].tolist()[:3]
    others = ["scope", "scope_detail", "scope_confidence", "request_type", "request_type_confidence"]
    assert frame[[*others, "urgent", "urgent_confidence"]].isna().all(axis=None)
    assert frame["decision"].notna().all()


def test_further_asks_of_a_text_stand_in_a_column(model):
    """The threshold is taken away, so that even this small model names the second part."""
    eager = model.variant(model.version, {"category": Threshold(also=0.0)})
    two = "路灯坏了半个月没有人来修理晚上很黑。另外工厂夜里排放黑烟气味刺鼻无法开窗"
    frame = tag_frame(eager, [two, TEXTS[0]], {})
    tags = eager.tag([two])[0]["category"]
    assert tags.also
    assert all(code.split(".")[0] != tags.first for code in tags.also)
    assert frame["also"].tolist() == ["；".join(tags.also), None]
