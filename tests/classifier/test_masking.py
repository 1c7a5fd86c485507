"""Personal numbers are hidden, public ones stay, and what is masked is as long as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric

from classifier.masking import mask

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


def identity_card(first_17: str) -> str:
    return first_17 + ric.calc_check_digit(first_17 + "0")


def bank_card(all_but_last: str) -> str:
    return all_but_last + luhn.calc_check_digit(all_but_last)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13800001234。", "电话138****1234。"),
        ("电话138-0000-1234或138 0000 1234", "电话138-****-1234或138 **** 1234"),
        ("+86 13800001234，8613800001234，013800001234", "+86 138****1234，86138****1234，0138****1234"),
        ("１３８００００１２３４", "１３８****１２３４"),
        ("**13800001234**", "**138****1234**"),
        ("0750-3312345，(0750)3312345", "0750-*******，(0750)*******"),
        ("0750 3312345 转 801", "0750 ******* 转 ***"),
        ("（０７５０）３３１２３４５", "（０７５０）*******"),
        ("粤J12345、粤J·D12345、粤J 12345", "粤J*****、粤J·******、粤J *****"),
        ("粤j1a2b3停在粤Ｊ１２３４５旁，粤Z1234港", "粤j*****停在粤Ｊ*****旁，粤Z****港"),
        ("邮箱lei.li@example.com", "邮箱l**.**@example.com"),
        ("12345678@qq.com", "1*******@qq.com"),
        ("微信：abc_1234，微信号 lilei123", "微信：ab*_****，微信号 li******"),
        ("QQ:12345678 qq号12345678 ＱＱ群１２３４５６", "QQ:12****** qq号12****** ＱＱ群１２****"),
        ("微信13800001234", "微信138****1234"),
    ],
)
def test_personal_numbers_are_starred_out(text, masked):
    assert mask(text) == masked


def test_identity_cards_keep_four_digits():
    card = identity_card("44070119900101123")
    assert mask(f"身份证{card}。") == f"身份证4407{'*' * 14}。"
    ends_in_x = next(c for n in range(99) if (c := identity_card(f"440701199001011{n:02}")).endswith("X"))
    assert mask(ends_in_x.lower()) == "4407" + "*" * 14
    assert mask("440701900101123") == "4407" + "*" * 11


def test_a_mistyped_identity_card_is_still_hidden():
    right = identity_card("44070119900101123")
    wrong_check_digit = right[:-1] + ("1" if right[-1] != "1" else "2")
    wrong_month = identity_card("44070119901301123")
    assert mask(wrong_check_digit) == mask(wrong_month) == "4407" + "*" * 14


def test_a_work_order_number_that_holds_a_date_is_no_identity_card():
    right = identity_card("44070020240712000")
    endings = (right[:-1] + ending for ending in "0123456789")
    other = next(number for number in endings if number != right and not luhn.is_valid(number))
    assert mask(f"GZ{other}") == f"GZ{other}"


def test_a_mobile_number_beside_an_identity_card_is_hidden_too():
    assert "0000" not in mask(f"138-0000-1234 {identity_card('44070119900101123')}")
    assert mask("138 0000 " + bank_card("622202000000123456")) == mask(
        mask("138 0000 " + bank_card("622202000000123456"))
    )


def test_bank_cards_are_hidden_when_their_check_digit_holds():
    card = bank_card("622202000000123456")
    grouped = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
    assert mask(f"卡号{card}") == f"卡号6222{'*' * 11}{card[-4:]}"
    hidden = mask(grouped)
    assert hidden.startswith("6222 **** **** ")
    assert hidden.replace(" ", "") == f"6222{'*' * 11}{card[-4:]}"
    other = card[:-1] + str((int(card[-1]) + 1) % 10)
    assert mask(other) == other


@pytest.mark.parametrize(
    "text",
    [
        "拨打12345、110、12319、95588", "400-830-1234", "4008301234", "2024-07-12", "20240712",
        "2024年07月12日",
        "工单GZ20240712000123", "工单202407120001234", "工资12000元，欠款1234567元", "2018-2020", "3栋1202房",
        "微信12345小程序", "微信支付", "QQ音乐", "微信iphone版", "云A8888888888栋", "新ABCDEF", "邮箱@", "",
        "路灯不亮，请处理",
    ],
)  # fmt: skip
def test_what_is_nobodys_own_stays(text):
    assert mask(text) == text


@given(any_text)
def test_masking_twice_is_masking_once_and_keeps_the_length(text):
    masked = mask(text)
    assert mask(masked) == masked
    assert len(masked) == len(text)
    assert all(new in (old, "*") for old, new in zip(text, masked, strict=True))


@given(any_text, st.integers(13_000_000_000, 19_999_999_999))
def test_no_mobile_number_survives_masking(text, number):
    assert f"{number}" not in mask(f"{text}，{number}，{text}")


@pytest.mark.parametrize(
    "text", ["微信" + "号" * 60_000, "微信" + "a" * 60_000, "a." * 30_000 + "@", "1*" * 30_000]
)
def test_hostile_texts_are_masked_without_going_over_them_again_and_again(text):
    # Where a pattern were quadratic, this would not end in minutes.
    assert len(mask(text)) == len(text)
