import json

from classifier.delimited import DelimitedRecords
from training.label_studio import LabelStudioRecords
from training.sample_files import open_samples
from training.tab_separated import TabSeparatedRecords


def test_the_form_is_told_by_suffix_and_first_line(tmp_path):
    label = {"from_name": "category", "value": {"taxonomy": [["环境保护", "大气污染"]]}}
    task = {"data": {"text": "异味"}, "annotations": [{"result": [label]}]}
    for name, content, kind in (
        ("a.json", json.dumps([task]), LabelStudioRecords),
        ("a.tsv", "异味\t环境保护##大气污染\n", TabSeparatedRecords),
        ("b.tsv", "诉求内容\t事项分类\n异味\t大气污染\n", DelimitedRecords),
        ("a.csv", "诉求内容,事项分类\n异味,大气污染\n", DelimitedRecords),
    ):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        assert type(open_samples(path)) is kind
