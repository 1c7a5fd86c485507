"""A citizen's request as the model reads it.

`clean` takes away what must not change a tag: mark-up, widths, invisible characters, traditional
forms, capitals, spacing, long numbers, courtesies. `align` is its slow twin, which also knows where each
character came from. Nothing here knows words or labels.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from html.entities import html5

from .courtesy import courtesies_in, with_openings_joined, without_courtesies

MAX_CHARACTERS = 8_000
"""As much of a cleaned text as the model reads."""

_MAX_RAW = 8 * MAX_CHARACTERS  # mark-up may be most of a text; more than this is not a request
_WIDEST = 18  # characters that NFKC makes of one, at most (U+FDFA)
_MAX_LAYERS = 8  # of escapes and tags inside each other; deeper ones are an attack on our time

_Piece = tuple[int, int, int]  # start, until, and the length of what takes its place
_New = str | Callable[[re.Match[str]], str]


def clean(text: str) -> str:
    """Return what the model reads of `text`; cleaning it again changes nothing.

    At most `MAX_CHARACTERS` long. No string makes it raise.
    """
    for _, _, after in _changes(text):
        text = after
    return text


def align(text: str) -> tuple[str, list[int]]:
    """Return the cleaned text, and for each of its characters the offset in `text` that it came from.

    Offsets never decrease. A character that stands for several points at the first of them. Slow:
    for explanations only.
    """
    offsets = list(range(len(text)))
    for step, before, after in _changes(text):
        carried: list[int] = []
        done = 0
        for start, until, length in step.pieces(before):
            carried += offsets[done:start]
            carried += [offsets[start]] * length
            done = until
        offsets = carried + offsets[done:]
        text = after
    return text, offsets


def is_truncated(text: str) -> bool:
    """Tell whether `clean(text)` leaves out the end of `text`; free of charge for short ones."""
    if len(text) * _WIDEST <= MAX_CHARACTERS:
        return False
    return any(step in (_CUT_RAW, _CUT) for step, _, _ in _changes(text))


def traditional() -> str:
    """Return the characters of the first plane that cleaning folds into others even alone."""
    return _folding()[2]


# One list of steps, which `clean` runs and `align` follows.


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One thing that cleaning does: `rewrite` does it, `pieces` tells which spans changed length."""

    applies: Callable[[str], object]  # a cheap test, so that a plain text costs next to nothing
    rewrite: Callable[[str], str]
    pieces: Callable[[str], Iterable[_Piece]]
    uncovers: bool = False  # what it leaves may need the earlier steps again


def _substitution(applies: Callable[[str], object], pattern: str, new: _New, uncovers: bool = False) -> _Step:
    """Make the step that puts `new` in the place of each match of `pattern`."""
    compiled = re.compile(pattern, re.VERBOSE)

    def pieces(text: str) -> Iterator[_Piece]:
        for match in compiled.finditer(text):
            yield *match.span(), len(new if isinstance(new, str) else new(match))

    return _Step(applies, partial(compiled.sub, new), pieces, uncovers)


def _changes(text: str) -> Iterator[tuple[_Step, str, str]]:
    """Yield each step that changes `text`, with the text before and after it."""
    position = layers = 0
    while position < len(_STEPS):
        step = _STEPS[position]
        position += 1
        if not step.applies(text) or (after := step.rewrite(text)) == text:
            continue
        if step.uncovers:
            layers += 1
            if layers > _MAX_LAYERS:
                step, after = _DISARM, _DISARM.rewrite(text)
            position = 0
        yield step, text, after
        text = after


def _narrow_punctuation(text: str) -> str:
    for wide, narrow in _PUNCTUATION:
        text = text.replace(wide, narrow)
    return text


def _clusters(text: str) -> Iterator[_Piece]:
    """Yield the stretches of `text` that NFKC treats independently of each other."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not _joins_backwards(text[at]):
            yield start, at, len(unicodedata.normalize("NFKC", text[start:at]))
            start = at


def _joins_backwards(character: str) -> bool:
    first = unicodedata.normalize("NFKD", character)[0]
    is_hangul_vowel_or_final = "\u1160" <= first <= "\u11ff"
    return is_hangul_vowel_or_final or unicodedata.category(first).startswith("M")


def _grown(character: str, length: int, text: str) -> Iterator[_Piece]:
    """Yield the places of the one character that a step makes longer."""
    return ((match.start(), match.end(), length) for match in re.finditer(character, text))


def _cut(limit: int) -> _Step:
    def rewrite(text: str) -> str:
        return text[:limit].rstrip()

    return _Step(lambda text: len(text) > limit, rewrite, lambda text: [(len(rewrite(text)), len(text), 0)])


def _decoded(entity: re.Match[str]) -> str:
    if entity["escaped"]:
        return "&"
    # `unescape` alone would decode the beginning of an unknown name: &notit; -> ¬it;
    return html.unescape(entity[0]) if entity[0][1] == "#" or entity[0][1:] in html5 else entity[0]


def _without_digits(run: re.Match[str]) -> str:
    """Return "0" for a long number, and short ones and public service codes as they are."""
    return run[0] if len(run[0]) < 5 or re.fullmatch(SERVICE_CODE, run[0]) else "0"


@cache  # OpenCC reads its dictionaries (20 ms) when a first text needs them; two threads at once do no harm
def _folding() -> tuple[Callable[[str], str], re.Pattern[str], str]:
    """Return OpenCC's conversion, and the characters that it changes even alone: a pattern, and a list."""
    from opencc import OpenCC

    convert: Callable[[str], str] = OpenCC("t2s").convert
    hanzi = [chr(code) for code in range(0x3400, 0xA000)]
    folded = convert("\n".join(hanzi)).split("\n")
    changed = "".join(old for old, new in zip(hanzi, folded, strict=True) if old != new)
    return convert, re.compile(f"[{changed}\U00020000-\U0003ffff]"), changed


def _is_traditional(text: str) -> object:
    return _folding()[1].search(text)  # 4 µs, where converting takes 12


def _fold(text: str) -> str:
    """Return `text` in simplified characters, as many as before, so that offsets hold."""
    convert, changing, _ = _folding()
    for _ in range(3):  # a result may fold again: 薴 -> 苧 -> 苎
        folded = convert(text)
        if len(folded) != len(text):
            pairs = ((old, convert(old)) for old in text)
            folded = "".join(new if len(new) == 1 else old for old, new in pairs)
        if folded == text or not changing.search(folded):
            return folded
        text = folded
    return text


_PUNCTUATION = tuple(zip("，：；！？（）…", (*",:;!?()", "..."), strict=True))
SERVICE_CODE = "(?:123[0-9]{2}|100(?:00|10|86)|9[56][0-9]{3})"  # nobody's own, and telling: 12315, 10086
_INLINE = "a|abbr|b|big|em|font|i|label|o:p|s|small|span|strong|sub|sup|u"  # these do not part words
_BLOCK = (
    "article|blockquote|body|br|button|center|code|dd|div|dl|dt|form|h[1-6]|head|hr|html|iframe|img|input|li"
    "|link|meta|ol|option|p|pre|script|section|select|style|table|tbody|td|tfoot|th|thead|title|tr|ul|xml"
)

_CUT_RAW = _cut(_MAX_RAW)
_CUT = _cut(MAX_CHARACTERS)
_DISARM = _substitution(bool, "[<&]", " ")
_NFKC = _Step(
    lambda text: not unicodedata.is_normalized("NFKC", text),
    partial(unicodedata.normalize, "NFKC"),
    _clusters,
)
_STEPS = (
    _CUT_RAW,
    _substitution(
        lambda text: not text.isprintable() or "\ufe0f" in text,
        # Control, format, private use, half of a pair; and the variation selectors of emoji.
        r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
        r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\uf8ff\ufe0e\ufe0f\ufeff\ufff9-\ufffb\U000110bd"
        r"\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
        r"\U000f0000-\U0010ffff]+",
        "",
    ),
    _Step(  # not left to NFKC, which takes 40 µs as soon as there is one of these, as there always is
        lambda text: not text.isascii(), _narrow_punctuation, partial(_grown, "…", 3)
    ),
    _NFKC,
    _Step(bool, str.lower, partial(_grown, "İ", 2)),
    _NFKC,  # again: there is a small ǰ in one piece, but no capital
    _substitution(
        lambda text: "&" in text,
        r"""&(?P<escaped>(?:amp|\#38|\#x26);)+ | &nbsp;?
        | &(?:\#[0-9]{1,7}|\#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});""",
        _decoded,
        uncovers=True,
    ),
    _substitution(  # "<" begins a tag only with a name that HTML has, so "<3天" and "<物业条例>" stay
        lambda text: "<" in text,
        rf"""<(?P<hidden>style|script)\b[^<]*</(?P=hidden)\s*> | <!--[^<>]*> | <[!?](?:doctype|\[|xml)[^<>]*>
        | </?(?:(?P<inline>{_INLINE})|{_BLOCK})(?:\s[^<>=]*=[^<>]*|\s*/?)>""",
        lambda tag: "" if tag["inline"] else " ",
        uncovers=True,
    ),
    _substitution(lambda text: not text.isprintable() or "  " in text, r"\s+", " "),
    _substitution(lambda text: text[:1] == " " or text[-1:] == " ", r"\A[ ]|[ ]\Z", ""),
    _substitution(
        re.compile("[0-9*][-0-9*x)—– ][0-9*x—– -][0-9*x][0-9*x]").search,
        r"""(?=[0-9*(+])(?:  # the rest is tried only there: four times as fast
        (?<![0-9*x])\(?0[0-9]{2,3}\)?[-—– ]{0,2}[0-9]{7,8}(?:(?:[ ]?转[ ]?|-)[0-9]{1,5})?(?![0-9*])
        | (?<![0-9*x])(?:(?:00|\+)?86[-—– ]{0,2})?1[3-9][0-9][-—– ]{0,2}[0-9]{4}[-—– ]{0,2}[0-9]{4}(?![0-9*])
        | (?<![0-9*x])[0-9*]{4}(?:[- ][0-9*]{4}){3,}(?:[- ][0-9]{1,3})?(?![0-9*])
        | (?:(?=[0-9])|(?<!\*)(?=\*++[0-9]))(?=[0-9*x]{5})(?:[0-9]+|\*{2,}|(?<=[0-9*])x{3,}(?=[0-9*]))++)""",
        _without_digits,
    ),
    _CUT,
    _Step(_is_traditional, _fold, lambda _: ()),
    _Step(bool, without_courtesies, lambda text: ((*span, 0) for span in courtesies_in(text))),
    _Step(bool, with_openings_joined, lambda _: ()),
)
