"""Samples from files: what labels may be written like, what is refused, and what is noted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifier.errors import InputError, LabelError
from classifier.taxonomy import Taxonomy
from training.samples import FOLDS, UNKNOWN, read_beside, read_samples

HEADER = "工单编号,标题,诉求内容,事项分类,利益属性,诉求类型,紧急,fold"


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return Taxonomy.load()


def written(tmp_path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "samples.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def codes(samples, facet: str) -> list[str | None]:
    known = samples.taxonomy.facets[facet].codes
    return [None if label == UNKNOWN else known[label] for label in samples.labels[facet]]


# --- labels ---


def test_codes_names_paths_aliases_letters_and_truth_values_are_accepted(tmp_path, taxonomy):
    samples = read_samples(
        written(
            tmp_path,
            "1,,停水了,utilities.water,P,complaint,true,",
            "2,,停电了,供电,E,投诉,false,",
            "3,,油烟扰民,环境保护/大气污染,d,举报,1,",
            "4,,异味,Environment.Air,公共利益,求助,0,",
            "5,,没气了,燃气,private_affair,consult,是,",
        ),
        taxonomy,
    )
    air = "environment.air"
    assert codes(samples, "category") == ["utilities.water", "utilities.power", air, air, "utilities.gas"]
    assert codes(samples, "scope") == [
        "public", "private_affair", "private_dispute", "public", "private_affair"
    ]  # fmt: skip
    assert codes(samples, "request_type") == ["complaint", "complaint", "report", "help", "consult"]
    assert codes(samples, "urgent") == ["1", "0", "1", "0", "1"]


def test_unknown_labels_list_their_rows(tmp_path, taxonomy):
    path = written(
        tmp_path,
        "1,,停水了,utilities.water,P,,,",
        "2,,停电了,电力,P,,,",
        "3,,油烟扰民,油烟,P,,,",
        "4,,又停电了,电力,P,,,",
    )
    with pytest.raises(LabelError) as caught:
        read_samples(path, taxonomy)
    says = str(caught.value)
    assert "samples.csv" in says
    assert "2 种未知标签" in says
    assert "“电力”（第 3、5 行）" in says
    assert "“油烟”（第 4 行）" in says
    assert "停电了" not in says


def test_a_sample_may_leave_a_facet_open(tmp_path, taxonomy):
    path = written(tmp_path, "1,,停水了,utilities.water,,,1,", "2,,停电了,,P,,0,")
    samples = read_samples(path, taxonomy)
    assert codes(samples, "category") == ["utilities.water", None]
    assert codes(samples, "scope") == [None, "public"]
    assert codes(samples, "urgent") == ["1", "0"]


def test_a_facet_that_no_sample_labels_is_none_of_theirs(tmp_path, taxonomy):
    samples = read_samples(written(tmp_path, "1,,停水了,utilities.water,P,,,"), taxonomy)
    assert list(samples.labels) == list(samples.taxonomy.facets) == ["category", "scope"]


def test_the_examples_label_every_facet(samples, taxonomy):
    assert list(samples.labels) == list(taxonomy.facets)
    assert all(len(labels) == len(samples) for labels in samples.labels.values())


def test_the_title_is_read_before_the_text(tmp_path, taxonomy):
    samples = read_samples(written(tmp_path, "1,水管爆裂,家里没水,utilities.water,,,,"), taxonomy)
    assert samples.requests == ["水管爆裂。家里没水"]


# --- rows that cannot be used ---


def test_rows_without_text_or_label_are_noted_with_their_numbers(tmp_path, taxonomy):
    path = written(
        tmp_path, "1,,停水了,utilities.water,,,,", "2,,  ,utilities.water,,,,", "3,,停电了,,,,,", "4,,,,,,,"
    )
    samples = read_samples(path, taxonomy)
    assert samples.ids == ["1"]
    (note,) = [note for note in samples.notes if "未使用" in note]
    assert note.startswith("3 行")
    assert "第 3、4、5 行" in note


def test_a_file_without_a_usable_row_is_refused(tmp_path, taxonomy):
    with pytest.raises(InputError, match=r"samples\.csv"):
        read_samples(written(tmp_path, "1,,停水了,,,,,"), taxonomy)


@pytest.mark.parametrize("header", ["工单编号,事项分类", "工单编号,诉求内容"])
def test_a_file_without_text_or_label_column_is_refused(tmp_path, taxonomy, header):
    with pytest.raises(InputError, match="列"):
        read_samples(written(tmp_path, "1,停水了", header=header), taxonomy)


@pytest.mark.parametrize(
    "other", ["停水了,utilities.power", "停电了,utilities.water", "停电了,utilities.power"]
)
def test_contradicting_rows_of_one_id_are_refused(tmp_path, taxonomy, other):
    path = written(
        tmp_path, "1,,停水了,utilities.water,,,,", "2,,停气了,utilities.gas,,,,", f"1,,{other},,,,"
    )
    with pytest.raises(LabelError, match="第 2 行与第 4 行"):
        read_samples(path, taxonomy)


def test_rows_of_one_id_that_agree_and_rows_without_id_are_kept(tmp_path, taxonomy):
    water = ",,停水了,utilities.water,,,,"
    path = written(tmp_path, f"1{water}", f"1{water}", water, ",,停电了,utilities.power,,,,")
    assert len(read_samples(path, taxonomy)) == 4


# --- folds ---


def test_given_folds_are_kept(tmp_path, taxonomy):
    path = written(tmp_path, *(f"{i},,停水{i},utilities.water,,,,{'丙甲乙'[i % 3]}" for i in range(9)))
    folds = read_samples(path, taxonomy).folds
    assert len(set(folds.tolist())) == 3
    assert [folds[i] == folds[0] for i in range(9)] == [i % 3 == 0 for i in range(9)]


def test_a_missing_fold_names_its_row(tmp_path, taxonomy):
    path = written(tmp_path, "1,,停水,utilities.water,,,,0", "2,,停电,utilities.power,,,,")
    with pytest.raises(InputError, match="第 3 行缺少折号"):
        read_samples(path, taxonomy)


def test_a_fold_column_of_one_value_is_refused(tmp_path, taxonomy):
    path = written(tmp_path, "1,,停水,utilities.water,,,,0", "2,,停电,utilities.power,,,,0")
    with pytest.raises(InputError, match="只有一种取值"):
        read_samples(path, taxonomy)


def test_a_fold_column_that_is_none_is_refused(tmp_path, taxonomy):
    path = written(tmp_path, *(f"{i},,停水{i},utilities.water,,,,{i}" for i in range(21)))
    with pytest.raises(InputError, match="21 种取值"):
        read_samples(path, taxonomy)


def test_hashed_folds_keep_equal_texts_together(tmp_path, taxonomy):
    same = ["停水了，请处理。", "<p>停水了，请处理。</p>", " 停水了,请处理。"]
    lines = [f'{i},,"{text}",utilities.water,,,,' for i, text in enumerate(same)]
    lines += [f"{i},,停水{i}号楼甲{i}乙,utilities.water,,,," for i in range(10, 210)]
    folds = read_samples(written(tmp_path, *lines), taxonomy).folds
    assert len(set(folds[:3].tolist())) == 1
    assert np.bincount(folds).min() > 20
    assert set(folds.tolist()) == set(range(FOLDS))


def test_hashed_folds_do_not_depend_on_the_other_rows(tmp_path, taxonomy):
    lines = [f"{i},,停水{i}号楼,utilities.water,,,," for i in range(50)]
    whole = read_samples(written(tmp_path, *lines), taxonomy).folds
    part = read_samples(written(tmp_path, *lines[::-1][:20]), taxonomy).folds
    assert part.tolist() == whole[::-1][:20].tolist()


# --- a label set of one's own ---

OWN = "诉求内容,我的分类,利益属性,事项分类"


def test_a_foreign_label_set_is_a_flat_category_alone(tmp_path, taxonomy):
    path = written(tmp_path, "停水,水务,P,", "停电,电力,坏的,", "停水,水务,,", header=OWN)
    samples = read_samples(path, taxonomy, label_column="我的分类")
    assert list(samples.labels) == ["category"]
    assert samples.taxonomy.facets["category"].is_flat
    assert codes(samples, "category") == ["水务", "电力", "水务"]


def test_a_column_of_known_categories_keeps_their_names_and_parents(tmp_path, taxonomy):
    path = written(tmp_path, "停水,供水,P,", "停电,utilities.power,P,", header=OWN)
    samples = read_samples(path, taxonomy, label_column="我的分类")
    assert codes(samples, "category") == ["utilities.water", "utilities.power"]
    assert samples.taxonomy.facets["category"] == taxonomy.facets["category"]
    assert samples.taxonomy.departments == taxonomy.departments


def test_a_row_without_the_chosen_label_is_noted_although_it_has_others(tmp_path, taxonomy):
    path = written(tmp_path, "停水,水务,P,", "停电,电力,P,", "停气,,P,utilities.gas", header=OWN)
    samples = read_samples(path, taxonomy, label_column="我的分类")
    assert codes(samples, "category") == ["水务", "电力"]
    assert any("第 4 行" in note for note in samples.notes)


@pytest.mark.parametrize("label", ["水务", "utilities.water"])
def test_a_label_column_of_one_value_is_refused(tmp_path, taxonomy, label):
    path = written(tmp_path, f"停水,{label},,", f"又停水,{label},,", header=OWN)
    with pytest.raises(InputError, match="只有一种取值"):
        read_samples(path, taxonomy, label_column="我的分类")


def test_closed_refuses_a_foreign_label_set_and_takes_a_single_label(tmp_path, taxonomy):
    path = written(tmp_path, "停水,水务,,", "停电,供电,,", header=OWN)
    with pytest.raises(LabelError, match="水务"):
        read_samples(path, taxonomy, label_column="我的分类", closed=True)
    path = written(tmp_path, "停水,供水,,", header=OWN)
    assert codes(read_samples(path, taxonomy, label_column="我的分类", closed=True), "category") == [
        "utilities.water"
    ]


def test_columns_may_be_named(tmp_path, taxonomy):
    path = written(tmp_path, "别的,停水,utilities.water", header="内容,话,码")
    samples = read_samples(path, taxonomy, columns={"text": "话", "category": "码"})
    assert samples.requests == ["停水"]


def test_a_missing_label_column_is_refused_by_name(tmp_path, taxonomy):
    path = written(tmp_path, "停水,水务,,", header=OWN)
    with pytest.raises(InputError, match="没有名为“你的分类”的列"):
        read_samples(path, taxonomy, label_column="你的分类")


def test_a_column_of_texts_is_no_label_column_and_is_not_quoted(tmp_path, taxonomy):
    written_down = "我是某某，人民路路灯坏了一个星期没有人来修理，晚上看不见路，老人小孩都不敢出门"
    phoned = "回电13800138000"
    for label in (written_down, phoned):
        path = written(tmp_path, f"路灯坏了,{label}", "停水了,其他", header="诉求内容,类别")
        with pytest.raises(LabelError, match="不像标签：第 2 行") as caught:
            read_samples(path, taxonomy, label_column="类别")
        assert label not in str(caught.value)
    with pytest.raises(LabelError) as caught:
        read_samples(path, taxonomy, label_column="类别", closed=True)
    assert phoned not in str(caught.value)


def test_labels_that_nearly_all_differ_are_no_labels(tmp_path, taxonomy):
    lines = [f"路灯坏了,甲{number}" for number in range(60)]
    with pytest.raises(LabelError, match="60 行有 60 种取值"):
        read_samples(written(tmp_path, *lines, header="诉求内容,类别"), taxonomy, label_column="类别")


# --- samples that are only learned from ---


def test_samples_beside_others_are_learned_from_and_never_judged(tmp_path):
    taxonomy = Taxonomy.load()
    main, extra = tmp_path / "main.csv", tmp_path / "extra.csv"
    main.write_text(
        "诉求内容,事项分类,利益属性\n路灯不亮,municipal.lighting,public\n工厂排烟,environment.air,public\n"
    )
    extra.write_text("诉求内容,事项分类\n水管爆了,utilities.water\n")
    samples = read_samples(main, taxonomy)
    both = samples.beside(read_samples(extra, samples.taxonomy, closed=True))
    assert both.requests == ["路灯不亮", "工厂排烟", "水管爆了"]
    assert both.labels["scope"].tolist()[2] == UNKNOWN
    assert both.fold_numbers == samples.fold_numbers
    assert both.judged("category").tolist() == [True, True, False]
    assert both.taxonomy is samples.taxonomy
    assert both.counting.tolist() == [1, 1, 0.25]


def test_a_share_is_for_all_files_beside_or_for_each(tmp_path):
    paths = [tmp_path / f"{name}.csv" for name in ("main", "one", "other")]
    for place, path in enumerate(paths):
        path.write_text(f"诉求内容,事项分类\n第{place}条路灯不亮,municipal.lighting\n")
    samples = read_samples(paths[0], Taxonomy.load())
    for shares, expected in (([], [1, 0.25, 0.25]), ([0.5], [1, 0.5, 0.5]), ([0.5, 1], [1, 0.5, 1])):
        assert read_beside(samples, paths[1:], shares).counting.tolist() == expected
    with pytest.raises(InputError, match=r"2 个 --extra 文件配了 3 个"):
        read_beside(samples, paths[1:], [1, 1, 1])
    with pytest.raises(InputError, match=r"0 个 --extra 文件配了 2 个"):
        read_beside(samples, [], [1, 1])
