import json
import shutil

import pytest

from api.commands import tag as command
from classifier.evidence import explain

TEXTS = ["迎宾大道的路灯不亮，夜里看不清路", "邻居半夜唱歌，吵得睡不着", "请问社保卡怎么补办？"]
PHONE = "13800138000"


def lines(outcome):
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_a_text_is_tagged_for_people(hotline, models_dir, model):
    outcome = hotline("tag", TEXTS[0], "--models-dir", models_dir)
    (tags,) = model.tag([TEXTS[0]])
    assert outcome.code == 0
    assert outcome.err == ""
    assert TEXTS[0] in outcome.out
    assert model.facets["category"].by_code[tags["category"].label].name in outcome.out
    assert tags["category"].label in outcome.out
    assert f"{tags['category'].confidence:.0%}" in outcome.out
    assert ("待人工复核" if tags.decision == "review" else "自动") in outcome.out


def test_json_is_a_line_for_each_text_in_order(hotline, models_dir, model):
    found = lines(hotline("tag", *TEXTS, "--json", "--models-dir", models_dir))
    for one, tags in zip(found, model.tag(TEXTS), strict=True):
        assert list(one["facets"]) == ["category", "scope", "request_type", "urgent"]
        for name, tag in tags.facets.items():
            facet = one["facets"][name]
            assert facet["code"] == tag.label
            assert facet["name"] == model.facets[name].by_code[tag.label].name
            assert facet["confidence"] == round(tag.confidence, 4)
            assert facet["first"]["code"] == tag.first
            assert "evidence" not in facet
        assert one["decision"] == tags.decision
        assert one["model_version"] == "small"
        assert one["warnings"] == []


def test_texts_come_from_stdin_a_line_each(hotline, models_dir):
    given = "\n".join(TEXTS).encode()
    piped = hotline("tag", "-", "--json", "--models-dir", models_dir, stdin=given)
    assert lines(piped) == lines(hotline("tag", *TEXTS, "--json", "--models-dir", models_dir))


def test_empty_lines_of_stdin_keep_their_place(hotline, models_dir, monkeypatch):
    monkeypatch.setattr(command, "_LINES", 2)  # so that it also holds beyond the texts tagged at once
    given = f"{TEXTS[0]}\n\n{TEXTS[1]}\r\n\n\n{TEXTS[2]}\n".encode()
    outcome = hotline("tag", "-", "--json", "--models-dir", models_dir, stdin=given)
    found = [one["facets"]["category"]["confidence"] for one in lines(outcome)]
    alone = [
        one["facets"]["category"]["confidence"]
        for one in lines(hotline("tag", *TEXTS, "--json", "--models-dir", models_dir))
    ]
    assert len(found) == 6
    assert [found[0], found[2], found[5]] == alone
    assert [f"第 {number} 条没有内容" in outcome.err for number in range(1, 7)] == [
        False, True, False, True, True, False,
    ]  # fmt: skip


def test_no_line_of_stdin_gives_no_output(hotline, models_dir):
    assert hotline("tag", "-", "--json", "--models-dir", models_dir) == (0, "", "")


def test_bytes_that_are_no_utf8_are_survived(hotline, models_dir):
    outcome = hotline(
        "tag", "-", "--json", "--models-dir", models_dir, stdin="路灯不亮\n路灯".encode("gb18030")
    )
    assert len(lines(outcome)) == 2
    arguments = ("tag", "路灯\udcff不亮", "--explain", "--models-dir", models_dir)
    assert len(lines(hotline(*arguments, "--json"))) == 1
    assert hotline(*arguments).code == 0


def test_stdin_in_gb18030_is_read_as_it_was_meant(hotline, models_dir):
    arguments = ("tag", "-", "--json", "--models-dir", models_dir)
    text = "楼下烧烤店油烟扰民"
    meant = hotline(*arguments, stdin=text.encode())
    outcome = hotline(*arguments, stdin=text.encode("gb18030"))
    assert outcome.out == meant.out
    assert "GB18030" in outcome.err
    refused = hotline(*arguments, stdin="路灯\n".encode() + b"\xff\xff\n")
    assert refused.code == 1
    assert "第 2 行" in refused.err


def test_explained_json_gives_what_decided(hotline, models_dir, model):
    (one,) = lines(hotline("tag", TEXTS[0], "--json", "--explain", "--models-dir", models_dir))
    category = one["facets"]["category"]
    expected = explain(model, TEXTS[0], "category", category["code"])
    assert [(e["start"], e["until"], e["text"], e["weight"]) for e in category["evidence"]] == [
        (e.start, e.until, TEXTS[0][e.start : e.until], round(e.weight, 4)) for e in expected
    ]


def test_explained_text_names_the_words_and_their_weight(hotline, models_dir, model):
    outcome = hotline("tag", TEXTS[0], "--explain", "--models-dir", models_dir)
    (tags,) = model.tag([TEXTS[0]])
    strongest = explain(model, TEXTS[0], "category", tags["category"].label)[0]
    assert f"{TEXTS[0][strongest.start : strongest.until]} {strongest.weight:+.2f}" in outcome.out


@pytest.mark.parametrize("options", [[], ["--explain"], ["--json", "--explain"]])
def test_phone_numbers_are_masked(hotline, models_dir, options):
    outcome = hotline("tag", f"路灯不亮，电话{PHONE}", *options, "--models-dir", models_dir)
    assert outcome.code == 0
    assert PHONE not in outcome.out + outcome.err


def test_brackets_in_a_text_are_text_and_no_markup(hotline, models_dir):
    text = "[red]路灯[/] [/bold] 不亮 :smile:"
    assert text in hotline("tag", text, "--models-dir", models_dir).out
    assert hotline("tag", text, "--explain", "--models-dir", models_dir).code == 0


def test_warnings_go_to_stderr_or_into_the_json(hotline, models_dir):
    long = "路灯不亮" * 2001
    outcome = hotline("tag", long, "--models-dir", models_dir)
    assert "8000" in outcome.err
    assert "8000" not in outcome.out
    (one,) = lines(hotline("tag", long, "--json", "--models-dir", models_dir))
    assert "8000" in one["warnings"][0]


def test_the_models_folder_may_come_from_the_environment(hotline, models_dir, monkeypatch):
    monkeypatch.setenv("HOTLINE_MODELS_DIR", str(models_dir))
    (one,) = lines(hotline("tag", TEXTS[0], "--json"))
    assert one["model_version"] == "small"


def test_a_version_can_be_chosen(hotline, models_dir):
    arguments = ("tag", TEXTS[0], "--json", "--models-dir", models_dir, "--model")
    assert lines(hotline(*arguments, "small"))[0]["model_version"] == "small"
    outcome = hotline(*arguments, "other")
    assert (outcome.code, outcome.out) == (1, "")
    assert "没有版本“other”" in outcome.err
    assert "small" in outcome.err


def test_a_folder_without_models_is_told_with_what_to_do(hotline, tmp_path):
    outcome = hotline("tag", TEXTS[0], "--models-dir", tmp_path)
    assert (outcome.code, outcome.out) == (1, "")
    assert "hotline train" in outcome.err
    assert TEXTS[0] not in outcome.err


@pytest.mark.parametrize(
    "name", ["arrays.npz", "model.json", "words.txt", "card.json", "card.md", "manifest.sha256"]
)
def test_any_flipped_byte_of_a_model_is_refused(hotline, models_dir, tmp_path, name):
    shutil.copytree(models_dir, tmp_path / "models")
    damaged = tmp_path / "models" / "small" / name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 3] ^= 1
    damaged.write_bytes(content)
    outcome = hotline("tag", TEXTS[0], "--models-dir", tmp_path / "models")
    assert (outcome.code, outcome.out) == (1, "")
    assert "已损坏" in outcome.err
    assert "备份" in outcome.err


@pytest.mark.parametrize("arguments", [["tag"], ["tag", "路灯", "--nothing"], ["label", "路灯"]])
def test_wrong_use_exits_with_two(hotline, arguments):
    outcome = hotline(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err != ""
