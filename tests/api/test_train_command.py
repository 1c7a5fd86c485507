import json

import pandas as pd
import pytest

from classifier.records import as_text, open_records
from classifier.store import ModelStore

SCORES = {"accuracy", "macro_f1", "classes", "expected_calibration_error", "coverage", "automatic_error"}


@pytest.fixture(scope="module")
def table(examples):
    """The invented work orders, every cell a text."""
    chunks = open_records(examples).chunks(1000)
    return pd.concat([chunk.frame for chunk in chunks], ignore_index=True).map(as_text)


@pytest.fixture
def few(table, tmp_path):
    """Enough of them for a quick fit; a column of a foreign label set among their columns."""
    path = tmp_path / "样本.csv"
    table[:200].to_csv(path, index=False)
    return path


def check_scores(facets):
    for facet in facets.values():
        assert set(facet) >= SCORES
        assert 0 <= facet["accuracy"] <= 1
        assert 0 <= facet["macro_f1"] <= 1
        for one in facet["classes"].values():
            assert set(one) == {"precision", "recall", "f1", "support"}
        assert sum(one["support"] for one in facet["classes"].values()) == facet["samples"]


def test_training_on_all_facets_makes_a_version_that_answers(hotline, few, tmp_path):
    folder = tmp_path / "models"
    outcome = hotline("train", few, "--name", "v1", "--json", "--models-dir", folder)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found["version"] == "v1"
    check_scores(found["facets"])
    assert set(found["facets"]) >= {
        "category",
        "category_first",
        "scope",
        "scope_detail",
        "request_type",
        "urgent",
    }
    assert "已保存" in outcome.err
    assert ModelStore(folder).current_version() == "v1"
    tagged = hotline("tag", "路灯不亮", "--json", "--models-dir", folder)
    assert json.loads(tagged.out)["model_version"] == "v1"


def test_a_foreign_label_set_is_trained_by_the_same_command(hotline, few, table, tmp_path):
    folder = tmp_path / "models"
    outcome = hotline("train", few, "--label-column", "区县", "--name", "area", "--models-dir", folder)
    assert outcome.code == 0, outcome.err
    assert "宏平均 F1" in outcome.out
    assert "5 折" in outcome.out
    districts = {name for name in table["区县"][:300] if name}
    (model,) = [ModelStore(folder).current()]
    assert set(model.facets) == {"category"}
    assert set(model.facets["category"].codes) == districts
    tagged = json.loads(hotline("tag", "路灯不亮", "--json", "--models-dir", folder).out)
    assert list(tagged["facets"]) == ["category"]
    assert tagged["facets"]["category"]["code"] in districts
    shown = hotline("tag", "路灯不亮", "--models-dir", folder).out
    assert tagged["facets"]["category"]["code"] in shown
    scores = hotline("evaluate", few, "--label-column", "区县", "--json", "--models-dir", folder)
    assert list(json.loads(scores.out)["facets"]) == ["category"]


def test_labels_in_brackets_are_shown_as_they_are(hotline, few, tmp_path):
    frame = pd.read_csv(few, dtype=str)
    frame["类"] = [("[red]", "[/x]")[number % 2] for number in range(len(frame))]
    frame.to_csv(few, index=False)
    outcome = hotline("train", few, "--label-column", "类", "--name", "odd", "--models-dir", tmp_path / "m")
    assert outcome.code == 0, outcome.err
    assert "[red]" in outcome.out
    assert "[/x]" in outcome.out
    assert hotline("tag", "路灯", "--models-dir", tmp_path / "m").code == 0


def test_given_folds_are_used(hotline, few, tmp_path):
    frame = pd.read_csv(few, dtype=str)
    frame["第几份"] = [str(number % 3) for number in range(len(frame))]
    frame.to_csv(few, index=False)
    options = ("--label-column", "来源渠道", "--fold-column", "第几份", "--models-dir", tmp_path / "m")
    outcome = hotline("train", few, *options, "--name", "v1")
    assert outcome.code == 0, outcome.err
    assert "3 折" in outcome.out


def test_a_name_that_is_taken_or_unfit_is_refused_before_training(hotline, models_dir, examples):
    for name, said in (("small", "已经存在"), ("../up", "只能用字母"), ("a b", "只能用字母")):
        outcome = hotline("train", examples, "--name", name, "--models-dir", models_dir)
        assert (outcome.code, outcome.out) == (1, "")
        assert said in outcome.err


def test_unknown_labels_are_refused_with_their_rows(hotline, few, tmp_path):
    frame = pd.read_csv(few, dtype=str)
    frame["诉求内容"] = frame["诉求内容"].str.replace("\n", " ")  # so that a line is a row
    frame.loc[[3, 8], "事项分类"] = "municipal.nothing"
    frame.loc[5, "事项分类"] = "不知道"
    frame.to_csv(few, index=False)
    outcome = hotline("train", few, "--name", "v1", "--models-dir", tmp_path / "models")
    assert (outcome.code, outcome.out) == (1, "")
    assert "2 种未知标签" in outcome.err
    assert "municipal.nothing" in outcome.err
    assert "第 5、10 行" in outcome.err
    assert "第 7 行" in outcome.err
    assert not (tmp_path / "models").exists()


def test_samples_without_text_or_labels_are_told_with_the_option(hotline, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("编号,备注\n1,无\n", encoding="utf-8")
    outcome = hotline("train", path, "--name", "v1", "--models-dir", tmp_path / "models")
    assert outcome.code == 1
    assert "--text-column" in outcome.err
    assert "编号、备注" in outcome.err
    path.write_text("编号,诉求内容\n1,路灯\n", encoding="utf-8")
    outcome = hotline("train", path, "--name", "v1", "--models-dir", tmp_path / "models")
    assert outcome.code == 1
    assert "--label-column" in outcome.err


def test_evaluating_gives_the_scores_of_every_facet_as_json(hotline, models_dir, examples, samples):
    outcome = hotline("evaluate", examples, "--json", "--models-dir", models_dir)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found["version"] == "small"
    assert found["samples"] == len(samples)
    check_scores(found["facets"])
    assert set(found["facets"]) >= {"category", "scope", "request_type", "urgent"}
    assert found["facets"]["category"]["accuracy"] > 0.9  # it has seen them


def test_evaluating_for_people_gives_the_same_scores(hotline, models_dir, examples):
    plain = json.loads(hotline("evaluate", examples, "--json", "--models-dir", models_dir).out)
    shown = hotline("evaluate", examples, "--models-dir", models_dir).out
    assert f"{plain['facets']['category']['accuracy']:.1%}" in shown
    assert f"{plain['facets']['scope']['macro_f1']:.1%}" in shown
    assert "宏平均 F1" in shown


def test_evaluating_on_unknown_labels_is_refused(hotline, models_dir, few):
    outcome = hotline("evaluate", few, "--label-column", "区县", "--models-dir", models_dir)
    assert (outcome.code, outcome.out) == (1, "")
    assert "未知标签" in outcome.err


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_file_that_is_not_there_is_told(hotline, models_dir, tmp_path, command):
    outcome = hotline(command, tmp_path / "none.csv", "--models-dir", models_dir)
    assert (outcome.code, outcome.out) == (1, "")
    assert "找不到文件" in outcome.err


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_wrong_use_exits_with_two(hotline, command):
    assert hotline(command).code == 2


def test_extra_samples_are_learned_from_and_suspects_are_written(hotline, few, table, tmp_path):
    folder, extra, suspects = tmp_path / "models", tmp_path / "另外.csv", tmp_path / "可疑.xlsx"
    table[200:260].to_csv(extra, index=False)
    others = ("--extra", extra, "--extra-weight", "0.5", "--suspects", suspects)
    outcome = hotline("train", few, *others, "--name", "v1", "--json", "--models-dir", folder)
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["facets"]["category"]["samples"] == 200
    card = json.loads((folder / "v1" / "card.json").read_text(encoding="utf-8"))
    assert (card["samples"], card["only_learned_from"], card["counting_as"]) == (200, 60, 30)
    assert "另有 60 条（抵 30 条）只用于学习" in (folder / "v1" / "card.md").read_text(encoding="utf-8")
    assert list(card["sources"]) == ["样本.csv", "另外.csv"]
    found = pd.read_excel(suspects, engine="calamine")
    assert list(found.columns)[:3] == ["工单编号", "诉求内容", "维度"]
    assert f"{len(found):,} 处标注可疑" in outcome.err
    assert "<svg" in (folder / "v1" / "reliability.svg").read_text(encoding="utf-8")


def test_extra_samples_must_carry_labels_of_the_first_file(hotline, few, table, tmp_path):
    extra = tmp_path / "另外.csv"
    table[:5].assign(事项分类="不存在的分类").to_csv(extra, index=False)
    outcome = hotline("train", few, "--extra", extra, "--models-dir", tmp_path / "models")
    assert outcome.code == 1
    assert "不存在的分类" in outcome.err
