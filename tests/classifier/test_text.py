"""Cleaning, aligning and masking. Every personal number here is made up; check digits are computed."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.text import MAX_CHARACTERS, align, clean, is_truncated

# What real texts are mixed of, and what has made cleaning trip.
FRAGMENTS = """
路灯不亮 臺灣 薴 著名 微信 号 QQ 粤 粤J 转 <br> <b> </b> <p style= <style> </style> <!-- --> < > &
&amp; amp; lt; &#60; &nbsp &nbsp; &zwj; # ; 0 1 5 86 138 12345 1234 5678 0750 440701199001011230 622202
* ** **** x xxx - — ( ) + １ ， … ㎡ ﷺ ﾊ ﾞ é 가 ᆨ
\u0301 \u0307 \u0338 J\u030c İ Σ ΑΣ \u200b \ufeff \ufe0f \ud800 \x00 𠮷 @ . com A a
""".split()  # noqa: SIM905 - a list literal would be a page
mixtures = st.lists(
    st.sampled_from([*FRAGMENTS, " ", "\n", "\u3000"]) | st.text(max_size=4), max_size=25
).map("".join)
any_text = st.text(st.characters(exclude_categories=())) | mixtures


# --- clean ---


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("我家<br>楼下<BR/>有垃圾", "我家 楼下 有垃圾"),
        ('<p style="color:red">噪音</p><div>扰民</div>', "噪音 扰民"),
        ("<span class='x'>路</span>灯<b>不</b>亮", "路灯不亮"),
        ("<style>p{color:red}</style><!-- 粘贴 -->停水", "停水"),
        ("＜ｂｒ＞停电", "停电"),
        ("停水&nbsp;停电&nbsp停气", "停水 停电 停气"),
        ("他说&quot;不管&quot;，&amp;#39;没空&#39;", "他说\"不管\",'没空'"),
        ("&amp;amp;lt;br&amp;amp;gt;积水", "积水"),
        ("&#x8def;灯", "路灯"),
    ],
)
def test_mark_up_is_taken_away(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "温度<3天",
        "5<6户",
        "<",
        "a<b 且 c>d",
        "违反<物业管理条例>第3条",
        "<a市新图>",
        "x&y",
        "&notit;",
        "a=1&idx=2",
        "at&t",
    ],
)
def test_what_only_looks_like_mark_up_stays(text):
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Ｋ２３路公交，（晚点）……", "k23路公交,(晚点)......"),
        ("面积８０㎡ ①号楼 30℃", "面积80m2 1号楼 30°c"),
        ("一\u200b二\ufeff三\u202e四\x00五\u00ad六\ud800七", "一二三四五六七"),
        ("  路灯\t\r\n\u3000不亮\u00a0 ", "路灯 不亮"),
        ("臺灣後面乾淨，瞭解", "台湾后面干净,了解"),
        ("著名的瞭望台", "著名的瞭望台"),
        ("薴", "苎"),
        ("WiFi 和 APP", "wifi 和 app"),
        ("", ""),
        (" \u200b\n", ""),
    ],
)
def test_ways_of_writing_become_one(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "number",
    [
        "13800001234", "138 0000 1234", "138-0000-1234", "138 00001234", "+86 138-0000-1234", "8613800001234",
        "１３８００００１２３４", "138****6621", "138xxxx6621", "4406**********1234", "*****1234",
        "0750-3312345", "(0750)3312345", "（0750）3312345", "0750 3312345转801", "0750-3312345-801",
        "6222 0200 0000 0000 123", "6222 **** **** 1234", "20240712", "123456", "50000",
    ],
)  # fmt: skip
def test_a_long_number_becomes_a_nought(number):
    assert clean(f"请回电{number}，在线等") == "请回电0,在线等"


@pytest.mark.parametrize(
    "text",
    [
        "12345热线",
        "12315",
        "95588客服",
        "拨打110",
        "2024-07-12",
        "2018-2020年",
        "3-1202房",
        "100*200",
        "1**号楼",
        "9:30",
    ],
)
def test_service_codes_dates_and_short_numbers_stay_readable(text):
    assert clean(text) == text


def test_another_phone_number_gives_the_same_cleaned_text():
    assert (
        clean("张先生 13900005678 反映")
        == clean("张先生 0750-3312345 反映")
        == clean("张先生 186 1111 2222 反映")
    )


def test_a_long_text_is_cut_and_says_so():
    assert len(clean("水" * 9_000)) == MAX_CHARACTERS
    assert is_truncated("水" * (MAX_CHARACTERS + 1))
    assert is_truncated("ﷺ" * 500)
    assert is_truncated("<br>" * 30_000 + "停水")


@pytest.mark.parametrize(
    "text", ["", "停水", "水" * MAX_CHARACTERS, " " * 9_000 + "停水", "<br>停水" * 2_000, "1" * 9_000]
)
def test_a_text_that_fits_once_cleaned_is_not_called_truncated(text):
    assert not is_truncated(text)


def test_a_cut_text_stays_as_it_is_when_cleaned_again():
    cut = clean("字 " * 9_000 + "臺")
    assert clean(cut) == cut


@given(any_text)
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "text",
    ["5678****xxx8651", "&am<b></b>p;lt;", "<b<b></b>>", "e<b></b>\u0301", "J\u030c", "12**(0750)3312345"],
)
def test_what_cleaning_uncovers_is_cleaned_too(text):
    assert clean(clean(text)) == clean(text)


@given(any_text)
def test_a_cleaned_text_is_normal_printable_and_trimmed(text):
    cleaned = clean(text)
    assert unicodedata.is_normalized("NFKC", cleaned)
    assert cleaned == cleaned.strip().lower()
    assert "  " not in cleaned
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co")]


@pytest.mark.parametrize(
    "text",
    ["&amp;" * 12_000, "&lt&#59" * 9_000 + ";" * 9, "<b " * 20_000, "<style>" * 9_000, "*" * 60_000,
     "1*" * 30_000, "&#59" * 16_000 + ";"],
)  # fmt: skip
def test_hostile_texts_are_cleaned_without_going_over_them_again_and_again(text):
    # Where a step were quadratic, this would not end in minutes.
    assert clean(clean(text)) == clean(text)


def test_threads_clean_alike():
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(clean, ["臺灣後面乾淨"] * 200)) == {"台湾后面干净"}


# --- align ---


@given(any_text)
def test_aligning_gives_the_cleaned_text_and_an_offset_for_each_character(text):
    cleaned, offsets = align(text)
    assert cleaned == clean(text)
    assert len(offsets) == len(cleaned)
    assert offsets == sorted(offsets)
    assert all(0 <= offset < len(text) for offset in offsets)


def test_aligning_counts_courtesies_that_are_left_out_and_openings_that_are_joined():
    cleaned, offsets = align("尊敬的领导，您好！我想咨询一下。路灯不亮，谢谢！")
    assert cleaned == "我想咨询一下,路灯不亮,"
    assert offsets == list(range(9, 21))


def test_aligning_keeps_in_step_with_cleaning_where_the_text_is_cut():
    text = "<p>㎡…" * 3_000
    cleaned, offsets = align(text)
    assert cleaned == clean(text)
    assert len(offsets) == MAX_CHARACTERS


@pytest.mark.parametrize(
    ("text", "found", "original"),
    [
        ("<p>臺城&nbsp;&nbsp;路燈不亮</p>", "路灯不亮", "路燈不亮"),
        ("电话13800001234……\u200b８０㎡Ｋ２３路", "k23路", "Ｋ２３路"),
        ("İ…é &amp;lt;br&amp;gt;噪音", "噪音", "噪音"),
        ("ﾊﾞｽ 停水", "停水", "停水"),
        ("가\u11a8停水", "停水", "停水"),
    ],
)
def test_a_span_of_the_cleaned_text_is_found_in_the_citizens_own(text, found, original):
    cleaned, offsets = align(text)
    start = cleaned.index(found)
    assert text[offsets[start] : offsets[start + len(found) - 1] + 1] == original
