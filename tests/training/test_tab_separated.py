import pytest

from classifier.errors import InputError
from classifier.taxonomy import Taxonomy
from training.samples import read_samples
from training.tab_separated import TabSeparatedRecords, is_tab_separated, line_of

TAXONOMY = Taxonomy.load()
LINES = '小区旁边工厂有异味\t环境保护##大气污染\n\n路灯不亮，引号"也在\t市容市政##路灯照明\n'


def write(path, text=LINES, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", ["集.tsv", "集.txt"])
def test_lines_are_samples_with_categories_of_two_levels(tmp_path, name, encoding):
    samples = read_samples(write(tmp_path / name, encoding=encoding), TAXONOMY)
    assert list(samples.requests) == ["小区旁边工厂有异味", '路灯不亮，引号"也在']
    codes = samples.taxonomy.facets["category"].codes
    assert [codes[place] for place in samples.labels["category"]] == ["environment.air", "municipal.lighting"]


def test_a_foreign_label_set_is_read_with_its_column_named(tmp_path):
    path = write(tmp_path / "集.tsv", "甲\t教育##学校\n乙\t交通##公交\n")
    samples = read_samples(path, TAXONOMY, label_column="category")
    assert samples.taxonomy.facets["category"].codes == ("交通/公交", "教育/学校")


def test_a_table_with_a_header_is_none_of_these(tmp_path):
    assert not is_tab_separated(
        write(tmp_path / "表.tsv", "诉求内容\t事项分类\n路灯不亮\t市容市政/路灯照明\n")
    )
    assert not is_tab_separated(write(tmp_path / "表.csv"))
    assert not is_tab_separated(write(tmp_path / "空.tsv", ""))
    assert not is_tab_separated(tmp_path / "没有.tsv")
    assert is_tab_separated(write(tmp_path / "集.tsv"))


def test_a_line_without_a_label_is_named_and_left_out(tmp_path):
    path = write(tmp_path / "集.tsv", LINES + "没有标签的\n")
    samples = read_samples(path, TAXONOMY)
    assert len(samples) == 2
    assert any("第 4 行" in note for note in samples.notes)


def test_chunks_cover_every_line_with_its_number(tmp_path):
    records = TabSeparatedRecords(write(tmp_path / "集.tsv", LINES * 4))
    chunks = list(records.chunks(3))
    assert [chunk.start for chunk in chunks] == [0, 3, 6]
    assert [number for chunk in chunks for number in chunk.sources] == [1, 3, 4, 6, 7, 9, 10, 12]


def test_nothing_but_empty_lines_is_refused(tmp_path):
    with pytest.raises(InputError, match="没有一行"):
        TabSeparatedRecords(write(tmp_path / "空.tsv", "\n \n"))


def test_a_written_line_comes_back(tmp_path):
    odd = "第一行\r\n第二行\t制表##井号\u2028完"
    path = write(tmp_path / "集.tsv", line_of(odd, ("环境保护", "大气污染")) + "\n")
    samples = read_samples(path, TAXONOMY)
    assert list(samples.requests) == ["第一行 第二行 制表 井号 完"]
