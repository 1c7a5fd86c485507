"""A citizen's text as it may be shown to others: without the numbers that are somebody's own.

Masking works on the untouched text, because what leaves the house is the citizen's own text: on a
copy in half-width characters, whose stars go into the original.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from stdnum import luhn
from stdnum.cn.ric import calc_check_digit

from .text import SERVICE_CODE

_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | dict.fromkeys(map(ord, "—–"), "-")
_NARROW |= dict.fromkeys(map(ord, "\u3000\u00a0"), " ")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_MAY_BE_PERSONAL = (
    re.compile("[0-9０-９][-0-9０-９()（）—–－ \u00a0\u3000]{6}").search,
    re.compile(f"[{_PROVINCES}][A-Za-zＡ-Ｚａ-ｚ]").search,
    re.compile("[@＠微QqＱｑVvＶｖWwＷｗ]").search,
)


def mask(text: str) -> str:
    """Return `text` with personal numbers starred out, as long as it was.

    Mobile numbers keep their first 3 and last 4 digits, identity cards the first 4, bank cards the
    first and last 4, landlines the area code, plates the province and letter, e-mail addresses the
    first letter and the domain, WeChat and QQ numbers the first 2 characters. Masking again changes
    nothing. Public numbers (12345, 95588, 400-...), dates, amounts and work-order numbers stay.
    """
    if not any(search(text) for search in _MAY_BE_PERSONAL):
        return text
    narrow = masked = text.translate(_NARROW)
    before = ""
    while masked != before:  # again after a change: stars may part what looked like one long number
        before = masked
        for pattern, new in _PERSONAL:
            masked = pattern.sub(new, masked)
    return "".join(old if same == new else new for old, same, new in zip(text, narrow, masked, strict=True))


def _starred(shown: str, number: str, first: int = 0, last: int = 0) -> str:
    """Return `shown`, then `number` with a star for each letter and digit but the `first` and `last`."""
    places = [match.start() for match in re.finditer("[0-9A-Za-z]", number)]
    hidden = set(places[first : len(places) - last])
    return shown + "".join("*" if at in hidden else character for at, character in enumerate(number))


def _hide(first: int = 0, last: int = 0) -> Callable[[re.Match[str]], str]:
    return lambda match: _starred(match["shown"], match["number"], first, last)


def _hide_identity(match: re.Match[str]) -> str:
    """Star out an identity card's number.

    A date of birth is enough, for people mistype the check digit; so is a right check digit. After
    Latin letters, as in a work order's number, only the check digit counts.
    """
    number = match["number"]
    checked = len(number) == 18 and calc_check_digit(number) == number[-1].upper()
    dated = match["glued"] is None and _is_date(number[6:14] if len(number) == 18 else "19" + number[6:12])
    return _starred("", number, 4) if checked or dated else match[0]


def _is_date(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year >= 1900
    except ValueError:
        return False


def _hide_bank_card(match: re.Match[str]) -> str:
    return _starred("", match[0], 4, 4) if luhn.is_valid(re.sub("[ -]", "", match[0])) else match[0]


_PERSONAL: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (  # e-mail address
        re.compile(r"(?P<shown>)(?<![\w.%+-])(?P<number>[\w.%+-]++)(?=@[\w-]+\.[\w-])", re.ASCII),
        _hide(first=1),
    ),
    (  # identity card: the province's code, and 18 or (until 1999) 15 digits
        re.compile(
            r"(?<![0-9])(?P<glued>(?<=[A-Za-z]))?(?P<number>(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
            r"(?:[0-9]{15}[0-9xX]|[0-9]{13}))(?![0-9])"
        ),
        _hide_identity,
    ),
    (
        re.compile(
            r"(?<![0-9])[3-69][0-9]{3}(?:[0-9]{12,15}|(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?)(?![0-9])"
        ),
        _hide_bank_card,
    ),
    (  # mobile
        re.compile(
            r"(?<![0-9])(?P<shown>(?:(?:00|\+)?86[ -]{0,2}|0)?)"
            r"(?P<number>1[3-9][0-9][ -]{0,2}[0-9]{4}[ -]{0,2}[0-9]{4})(?![0-9])"
        ),
        _hide(first=3, last=4),
    ),
    (  # landline with its area code, and an extension
        re.compile(
            r"(?<![0-9A-Za-z])(?P<shown>0(?:10|2[0-9]|[3-9][0-9]{2})\)?[ -]{0,2})"
            r"(?P<number>[2-9][0-9]{6,7}(?:(?: ?转 ?|-)[0-9]{1,5})?)(?![0-9])"
        ),
        _hide(),
    ),
    (  # number plate
        re.compile(
            rf"(?P<shown>[{_PROVINCES}][A-Za-z][ ·•・.-]?)(?=[A-Za-z]*[0-9])"
            r"(?P<number>[0-9A-Za-z]{5,6}|[0-9A-Za-z]{4}(?=[挂学警港澳领]))(?![0-9A-Za-z])"
        ),
        _hide(),
    ),
    (  # WeChat or QQ; a word of letters alone only after "号" or a colon, for 微信 iphone is no name
        re.compile(
            r"(?P<shown>(?:微信|(?<![A-Za-z])(?:[Qq]{2}|[Vv][Xx]|[Ww]e[Cc]hat))"
            r"(?:[群号码是为]{0,3}[号码是为:] ?|[群 ]{0,2}(?=[A-Za-z]{0,20}[-_0-9])))"
            rf"(?!{SERVICE_CODE}(?![0-9]))"
            r"(?P<number>[A-Za-z][-_A-Za-z0-9]{5,19}|[1-9][0-9]{4,11})(?![-_A-Za-z0-9])"
        ),
        _hide(first=2),
    ),
)
