import re
import tomllib
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.codes import Codes
from classifier.errors import InputError
from classifier.kernel import Sieve
from classifier.places import Places

PLACES = Places.load()

FILE = """
city = ["甲州市"]
weak = ["清水"]
not_ours = ["东山再起"]
elsewhere = ["乙州"]
[suffixes]
"镇" = ["镇", "圩"]
[districts."东山区"]
names = ["东山"]
towns = ["清水镇", "柳林镇"]
landmarks = ["白塔"]
[districts."西河县"]
names = ["西河"]
towns = ["石桥镇"]
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "places.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("蓬江区某小区门口的路灯坏了。", "蓬江区"),
        ("恩平这边停水两日。", "恩平市"),
        ("杜阮有间厂夜晚排废气。", "蓬江区"),
        ("外海街道垃圾无人清。", "江海区"),
        ("会城街办的窗口排长队。", "新会区"),
        ("上川岛的船票太贵。", "台山市"),
        ("古劳水乡停车乱收费。", "鹤山市"),
        ("小鸟天堂门口有人拉客。", "新会区"),
    ],
)
def test_a_district_is_known_by_its_own_name_its_towns_and_its_landmarks(text, district):
    assert PLACES.find(text) == district


def test_a_text_without_a_place_has_no_district():
    assert PLACES.find("楼上装修太吵,想投诉。") == ""
    assert PLACES.find("") == ""


def test_a_districts_name_beats_towns_and_a_town_beats_landmarks():
    assert PLACES.find("棠下镇的棠下车站,棠下到开平的班车停了") == "开平市"
    assert PLACES.find("小鸟天堂和圭峰山都去过,住在杜阮") == "蓬江区"


def test_more_mentions_beat_fewer():
    assert PLACES.find("从开平到恩平,恩平的路烂") == "恩平市"


def test_between_equals_the_title_decides_by_the_place_it_names_first():
    assert PLACES.find("开平到恩平的班车。经常晚点") == "开平市"
    assert PLACES.find("新会区的班车晚点。去江海区上班迟到") == "新会区"


def test_two_districts_stand_equally_where_the_title_names_neither():
    assert PLACES.find("班车晚点。新会区到江海区要两个钟") == ""


@pytest.mark.parametrize(
    "text",
    [
        "白沙的路灯坏了",
        "河边有百合和荷塘",
        "工地打深井",
        "共和国成立",
        "水口太脏",
        "我在长沙买了房",
        "江南水乡的风景",
    ],
)
def test_a_bare_name_that_is_also_a_word_or_another_place_does_not_count_alone(text):
    assert PLACES.find(text) == ""


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("白沙街道的路灯坏了", "蓬江区"),
        ("白沙镇的路灯坏了", "台山市"),
        ("长沙街道的路灯坏了", "开平市"),
        ("水口圩的路灯坏了", "开平市"),
    ],
)
def test_such_a_name_counts_with_its_suffix(text, district):
    assert PLACES.find(text) == district


def test_such_a_name_counts_beside_another_of_the_same_district():
    assert PLACES.find("长沙和水口之间的路灯坏了") == "开平市"
    assert PLACES.find("棠下,白沙那边;台城这边。") == "蓬江区"
    assert PLACES.find("水口,水口,还是水口") == ""


@pytest.mark.parametrize(
    "text",
    [
        "信息公开平台打不开",
        "我是新会员,他是新会计",
        "省会城市的机会城里多",
        "公司前台不理人",
        "去五台山旅游被骗",
        "地址山上",
        "赤坎区海边",
        "长沙市的长沙人",
    ],
)
def test_a_name_hidden_in_a_longer_word_is_not_heard(text):
    assert PLACES.find(text) == ""


@pytest.mark.parametrize("text", ["广州市天河区棠下有人摆摊", "佛山大泽的厂", "湖南省长沙市", "广州番禺的厂"])
def test_a_town_of_another_city_is_not_ours(text):
    assert PLACES.find(text) == ""


def test_our_own_place_after_another_city_still_counts():
    assert PLACES.find("由广州返棠下的车") == "蓬江区"
    assert PLACES.find("佛山新会两地的班车") == "新会区"


@pytest.mark.parametrize(
    ("field", "district"),
    [
        ("江门市蓬江区环市街道", "蓬江区"),
        ("广东省江门市新会区", "新会区"),
        ("蓬江", "蓬江区"),
        ("台山市川岛镇", "台山市"),
        ("台山市白沙镇", "台山市"),
        ("白沙街道办事处", "蓬江区"),
        ("鶴山", "鹤山市"),
        (" 江海 区 ", "江海区"),
        ("水口", "开平市"),
    ],
)
def test_a_field_becomes_the_name_of_its_district(field, district):
    assert PLACES.district_of(field) == district


@pytest.mark.parametrize(
    "field", ["", "江门市", "市直", "白沙", "蓬江区/江海区", "广州市番禺区", "长沙市", "鹤山区", "其他"]
)
def test_a_field_of_no_district_of_two_or_of_another_city_becomes_nothing(field):
    assert PLACES.district_of(field) == ""


def test_every_town_of_the_file_is_found_by_its_full_name():
    file = Path(__file__).parents[2] / "classifier" / "data" / "places.toml"
    districts = tomllib.loads(file.read_text("utf-8"))["districts"]
    towns = [(town, name) for name, table in districts.items() for town in table["towns"]]
    assert len(towns) == 74
    assert [PLACES.find(f"{town}的路灯坏了") for town, _ in towns] == [name for _, name in towns]
    assert [PLACES.district_of(f"{name}{town}") for town, name in towns] == [name for _, name in towns]


@given(st.text(alphabet="蓬江海区新会白沙街道镇广州市。, 公开平台山长") | st.text())
def test_any_text_gives_a_district_or_nothing(text):
    assert PLACES.find(text) in ("", *PLACES.districts)
    assert PLACES.district_of(text) in ("", *PLACES.districts)


def test_another_city_brings_its_own_file(tmp_path):
    places = Places.load(write(tmp_path, FILE))
    assert places.districts == ("东山区", "西河县")
    texts = ["清水的河", "清水镇的河", "柳林和清水", "石桥圩", "东山再起", "乙州市石桥", "白塔", "蓬江区"]
    assert [places.find(text) for text in texts] == ["", "东山区", "东山区", "西河县", "", "", "东山区", ""]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("weak =", "week =", "week"),
        ("landmarks =", "landmark =", "districts.东山区.landmark"),
        ('["清水"]', '["浊水"]', "浊水"),
        ('["清水"]', '"清水"', "weak"),
        ('names = ["西河"]', 'names = ["东山"]', "东山"),
        ('["石桥镇"]', '["石桥镇", ""]', "districts.西河县.towns"),
        ('[districts."西河县"]', '[districts."西河县', "TOML"),
    ],
)
def test_a_file_with_a_mistake_is_refused_with_its_name_and_the_key(tmp_path, old, new, said):
    assert old in FILE
    file = write(tmp_path, FILE.replace(old, new))
    with pytest.raises(InputError) as refused:
        Places.load(file)
    assert str(file) in str(refused.value)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_or_has_no_district_is_refused(tmp_path):
    with pytest.raises(InputError, match="打不开"):
        Places.load(tmp_path / "none.toml")
    with pytest.raises(InputError, match="没有区县"):
        Places.load(write(tmp_path, 'city = ["甲州市"]'))


def test_no_name_of_one_district_hides_in_anothers_field():
    for one, other in product(PLACES.districts, PLACES.districts):
        assert PLACES.district_of(one + other) == (one if one == other else "")


@given(st.lists(st.text(alphabet="江门蓬海新会台山开平鹤恩白沙棠下路😀a ", max_size=12)))
def test_where_a_place_is_found_the_sieve_lets_pass(texts):
    passed = PLACES.may_be_in(Codes.of(texts))
    assert all(passed[row] for row, text in enumerate(texts) if PLACES.find(text))


def test_most_texts_without_a_place_are_kept_back_by_the_sieve(samples):
    texts = [re.sub("[江蓬新台开鹤恩]", "", text) for text in samples.requests]
    assert PLACES.may_be_in(Codes.of(texts)).mean() < 0.5


def test_with_a_name_of_one_character_all_texts_pass():
    assert Sieve(["沙", "江门"]).passed(Codes.of(["", "路灯"])).all()
    assert not Sieve(["江门"]).passed(Codes.of(["", "江", "门江"])).any()
