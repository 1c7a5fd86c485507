import pytest

from classifier.columns import ROLES, Columns, find_header, option
from classifier.errors import InputError

EXPORT = [
    "工单编号",
    "诉求标题",
    "诉求内容",
    "受理时间",
    "所属区县",
    "镇街",
    "诉求来源",
    "承办单位",
    "事项分类",
]


def test_the_columns_of_an_export_are_found_without_being_given():
    columns = Columns.find(EXPORT)
    assert [columns[role] for role in ROLES if role in columns] == [
        "工单编号", "诉求内容", "诉求标题",
        "受理时间", "所属区县", "镇街", "诉求来源", "承办单位", "事项分类",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "诉求内容（必填）",
        "诉求 内容",
        "*诉求内容:",
        "诉求内容\n[不超过500字]",
        "【必填】诉求内容",
        "ＴＥＸＴ",
        "Text",
    ],
)
def test_names_are_compared_without_case_spaces_width_and_remarks(name):
    assert Columns.find([name])["text"] == name


def test_an_exact_name_goes_before_one_that_contains_it():
    assert Columns.find(["市民诉求内容全文", "问题描述"])["text"] == "问题描述"


def test_a_name_that_contains_a_known_one_is_found_when_no_exact_one_is_there():
    assert Columns.find(["编号", "市民诉求内容全文"])["text"] == "市民诉求内容全文"


def test_the_first_listed_name_wins_when_several_fit():
    assert Columns.find(["问题描述", "来电内容", "诉求内容"])["text"] == "诉求内容"


@pytest.mark.parametrize(
    "name", ["诉求内容分类", "诉求内容字数", "答复内容", "办理内容", "context", "关联工单编号"]
)
def test_a_column_about_the_text_is_not_the_text(name):
    with pytest.raises(InputError):
        Columns.find([name])
    assert Columns.find([name], required=()).by_role == {}


def test_a_given_column_goes_before_the_found_one():
    columns = Columns.find(["诉求内容", "整理后内容"], {"text": "整理后内容", "title": ""})
    assert columns["text"] == "整理后内容"
    assert columns.get("title") is None


def test_a_given_column_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"a\.csv 没有名为“诉求内荣”的列.*--text-column.*是不是“诉求内容”？"):
        Columns.find(["编号", "诉求内容"], {"text": "诉求内荣"}, file="a.csv")


def test_a_missing_column_is_refused_naming_those_found_and_the_option():
    with pytest.raises(InputError) as caught:
        Columns.find(["甲", "乙"], file="tagged.csv")
    assert str(caught.value) == "tagged.csv 没有诉求内容列。找到的列：甲、乙。请用 --text-column 指定。"


def test_every_required_column_that_is_missing_is_named():
    with pytest.raises(InputError, match=r"没有事项分类、是否紧急列.*--label-column、--urgent-column"):
        Columns.find(["text"], required=("text", "category", "urgent"))


@pytest.mark.parametrize(
    "row",
    [
        ["市民张先生反映楼下烧烤档每晚油烟扰民", "城区"],
        ["20240712000123", "路灯坏了"],
        ["13800138000", "张三"],
    ],
)
def test_a_file_without_header_shows_none_of_its_text_in_the_error(row):
    with pytest.raises(InputError) as caught:
        Columns.find(row)
    assert not any(cell in str(caught.value) for cell in row if len(cell) > 10 or cell == "张三")


def test_a_column_plays_one_role_only():
    assert Columns.find(["来电内容与受理时间说明"]).by_role == {"text": "来电内容与受理时间说明"}


def test_the_development_data_is_understood():
    names = ["id", "text", "category", "scope_detail", "request_type", "urgent", "source", "fold"]
    columns = Columns.find(names)
    assert {role: columns.get(role) for role in ("work_order_id", "channel", "fold")} == {
        "work_order_id": "id",
        "channel": "source",
        "fold": "fold",
    }
    assert Columns.find(["text", "label", "fold"])["category"] == "label"


def test_every_role_has_an_option():
    assert option("work_order_id") == "--id-column"
    assert option("category") == "--label-column"
    assert option("scope_detail") == "--scope-detail-column"


def test_a_header_is_found_below_a_title_that_holds_the_same_words():
    rows = [["诉求内容明细表", "", ""], ["", "", ""], ["编号", "诉求内容", "时间"], ["1", "x", "y"]]
    assert find_header(rows) == 2


def test_two_known_names_make_a_header_without_a_text_column():
    assert find_header([["台账", ""], ["工单编号", "受理时间"], ["1", "2"]]) == 1


def test_the_first_filled_row_is_the_header_when_no_name_is_known():
    assert find_header([["", ""], ["甲", "乙"], ["1", "2"]]) == 1
    assert find_header([["", " "]]) is None
