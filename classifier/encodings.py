"""In which encoding a text file is: by its mark, else the one in which nearly all of it can be read."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from .csv_kernel import utf8_prefix
from .errors import InputError

_BLOCK = 1 << 20  # bytes
_UTF8 = {"utf-8", "utf-8-sig"}  # which the kernel checks, ten times as fast
_LONGEST = 3  # bytes of a character of UTF-8 that is not whole
_BAD_SHARE = 0.01  # of the lines: more undecodable ones than this, and the encoding is another
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's, so it goes before
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Encoding:
    name: str
    bad: int  # lines with bytes that are none of this encoding's
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lines:
    """How many lines a file has when it is read in an encoding, with bad bytes replaced."""

    all: int
    foreign: int  # those beyond ASCII: only they can tell one encoding from another
    bad: int
    first_bad: int  # its line number


def find_encoding(path: Path, given: str | None) -> Encoding:
    """Find the encoding in which the whole file can be read, or all but a few lines of it."""
    with path.open("rb") as file:
        start = file.read(4)
    bom = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    if given or bom:
        return _only(path, bom if bom and _is_same(bom, given) else str(given))
    if _is_utf8(path):
        return Encoding("utf-8", 0)
    utf8 = _read_lines(path, "utf-8")
    # Chinese in GB18030 is hardly ever sound UTF-8, but short UTF-8 may pass for GB18030: so a
    # few bad lines in UTF-8 are damage rather than another encoding.
    if utf8.bad < _BAD_SHARE * utf8.foreign:
        return _mended("utf-8", utf8)
    if _first_bad_byte(path, "gb18030") is None:
        return Encoding("gb18030", 0, ("编码按 GB18030 读取。",))
    gb = _read_lines(path, "gb18030")
    return _checked(path, "gb18030", gb) if gb.bad < utf8.bad else _checked(path, "utf-8", utf8)


def _is_same(bom: str, given: str | None) -> bool:
    """Say whether the encoding that the byte order mark names may be read as the one that was given."""
    return not given or codecs.lookup(bom).name.startswith(_lookup(given).name[:6])


def _lookup(encoding: str) -> codecs.CodecInfo:
    try:
        b"a".decode(encoding, "ignore")  # refuses also what is no encoding of text, such as "hex"
        return codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise InputError(f"不认识编码“{encoding}”。可用的有 utf-8、gb18030、utf-16、big5。") from error


def _only(path: Path, encoding: str) -> Encoding:
    name = _lookup(encoding).name
    if (name in _UTF8 and _is_utf8(path)) or _first_bad_byte(path, name) is None:
        return Encoding(name, 0)
    return _checked(path, name, _read_lines(path, name))


def _checked(path: Path, name: str, lines: _Lines) -> Encoding:
    """Accept an encoding with a few bad lines, refuse one with many."""
    if lines.bad < _BAD_SHARE * lines.all:
        return _mended(name, lines)
    byte = _first_bad_byte(path, name)
    raise InputError(
        f"{path.name} 的编码无法识别：按 {_people(name)} 读取，{lines.all} 行中有 {lines.bad} 行不通，"
        f"最先是第 {lines.first_bad} 行（第 {byte} 字节）。请用 --encoding 指定编码，或另存为 UTF-8 后再试。"
    )


def _mended(name: str, lines: _Lines) -> Encoding:
    note = (
        f"编码按 {_people(name)} 读取，其中 {lines.bad} 行有无法解码的字节（最先是第 {lines.first_bad} 行）。"
    )
    return Encoding(name, lines.bad, (note,))


def _people(encoding: str) -> str:
    return encoding.upper().removesuffix("-SIG")


def _is_utf8(path: Path) -> bool:
    kept = b""  # of a character cut in two by the last block's end
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            block = kept + block
            kept = block[utf8_prefix(block) :]
            if len(kept) > _LONGEST:
                return False
    return not kept


def _first_bad_byte(path: Path, encoding: str) -> int | None:
    """Give the offset of the first byte that is not of this encoding, decoding block by block."""
    # "utf-8-sig" would count from behind the mark, which is sound UTF-8 itself
    decoder = codecs.getincrementaldecoder(encoding.removesuffix("-sig"))()
    done = 0  # bytes before this block
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            kept = len(decoder.getstate()[0])  # bytes of a character cut in two by the last block's end
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return done - kept + error.start
            done += len(block)
            if not block:
                return None


def _read_lines(path: Path, encoding: str) -> _Lines:
    total = foreign = bad = first_bad = 0
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        for total, line in enumerate(file, 1):
            foreign += not line.isascii()
            if "\ufffd" in line:
                bad += 1
                first_bad = first_bad or total
    return _Lines(total, foreign, bad, first_bad)
