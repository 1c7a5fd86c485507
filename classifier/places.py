"""Which district of the city a text speaks of, by the names of its places.

The names live in data/places.toml; another city brings its own file. One regular expression, made
of all of them, reads a text once: at each place the longest name counts, so that 白沙街道 is not
the ambiguous 白沙, and 公开平台 does not hide 开平. Nothing here knows departments.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .codes import Codes
from .data_file import check_keys, read_data_file
from .errors import InputError
from .kernel import Sieve
from .text import clean

_LISTS = ("city", "weak", "not_ours", "elsewhere")
_DISTRICT_LISTS = ("names", "towns", "town_names", "landmarks")
_DISTRICT, _TOWN, _LANDMARK, _WEAK, _ELSEWHERE = range(5)  # what speaks louder comes first

_SENTENCE_END = re.compile("[。\n!?！？]")
_ADDRESS = re.compile("市?(?:[\u4e00-\u9fff]{1,3}[区县市])?")  # what stands between a city and its town


@dataclass(frozen=True, slots=True)
class _Name:
    """What a name tells: how loudly, and of which districts (more than one only for weak ones)."""

    rank: int
    districts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Mention:
    """A name in a text, with one of the districts that it tells."""

    word: str
    start: int
    rank: int
    district: str


@dataclass(frozen=True)
class Places:
    """The districts of a city, and the names by which people speak of them."""

    districts: tuple[str, ...]
    _names: Mapping[str, _Name] = field(repr=False)
    _ours: re.Pattern[str] = field(repr=False)  # the city's own names: most texts have none, and pass here
    _pattern: re.Pattern[str] = field(repr=False)  # these, other cities, and words that hide one of them
    _sieve: Sieve = field(repr=False)  # of the city's own names

    @classmethod
    def load(cls, path: Path | None = None) -> Places:
        """Read a file of places, by default the one that the program brings.

        Raises:
            InputError: the file is missing, is no TOML, has an unknown key, or one name means two things.
        """
        path = path or Path(__file__).parent / "data" / "places.toml"
        stored = read_data_file(path, "地名文件", "places.toml")
        _check(path, stored)
        names = _names(path, stored)
        own = [word for word, name in names.items() if name.rank != _ELSEWHERE]
        ours = re.compile(_trie(own))
        pattern = re.compile(_trie([*names, *stored.get("not_ours", [])]))
        return cls(tuple(stored["districts"]), names, ours, pattern, Sieve(own))

    def may_be_in(self, texts: Codes) -> npt.NDArray[np.bool_]:
        """Of each cleaned text, whether it may name a place of our city; False only where it names none."""
        return self._sieve.passed(texts)

    def find(self, text: str) -> str:
        """Return the district that a cleaned text speaks of, "" when none or when two stand equally.

        Names of districts beat those of towns, and those landmarks; then more mentions beat fewer.
        Between equals the first sentence, which is the title where there is one, decides by the one
        that it names first; where it names neither, there is no telling.
        """
        mentions = self._mentions(text)
        best = _loudest(mentions)
        if len(best) < 2:
            return next(iter(best), "")
        end = _SENTENCE_END.search(text)
        until = end.start() if end else len(text)
        titled = (mention.district for mention in mentions if mention.start < until)
        return next((district for district in titled if district in best), "")

    def district_of(self, written: str) -> str:
        """Return the district that a work order's district or town field names, "" if none or two.

        A field is about our own city, so that a weak name is enough: 「水口」 alone is 开平市's.
        """
        mentions = self._mentions(re.sub(r"\s+", "", clean(written)))
        best = _loudest(mentions) or {mention.district for mention in mentions}
        return next(iter(best)) if len(best) == 1 else ""

    def _mentions(self, text: str) -> list[_Mention]:
        """Return what the text names of our city, in order; a name that two districts share twice."""
        mentions: list[_Mention] = []
        if not self._ours.search(text):
            return mentions
        abroad = -1  # where the name of another city ended
        for match in self._pattern.finditer(text):
            name = self._names.get(match[0])
            if name is None:
                continue
            start, until = match.span()
            if name.rank == _ELSEWHERE:
                abroad = until
            elif name.rank == _DISTRICT or abroad < 0 or not _ADDRESS.fullmatch(text, abroad, start):
                mentions += [_Mention(match[0], start, name.rank, district) for district in name.districts]
        return mentions


def _loudest(mentions: Sequence[_Mention]) -> set[str]:
    """Return the districts that are spoken of most; a weak name needs another one beside it."""
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    words: defaultdict[str, set[str]] = defaultdict(set)  # district -> its different names
    for mention in mentions:
        counts[mention.district][mention.rank] += 1
        words[mention.district].add(mention.word)
    sure = {
        district: count
        for district, count in counts.items()
        if any(count[:_WEAK]) or len(words[district]) > 1
    }
    most = max(sure.values(), default=[])
    return {district for district, count in sure.items() if count == most}


# --- the file ---


def _check(path: Path, stored: Mapping[str, Any]) -> None:
    check_keys(path, "", stored, (*_LISTS, "suffixes", "districts"))
    tables: dict[str, Any] = {key: stored.get(key, {}) for key in ("suffixes", "districts")}
    for key, table in tables.items():
        if not isinstance(table, dict):
            raise InputError(f"{path}：{key} 须是一个表，例如 [{key}]")
    if not stored.get("districts"):
        raise InputError(f'{path}：没有区县，请至少写一个 [districts."区县全称"]')
    for key in _LISTS:
        _check_list(path, key, stored.get(key, []))
    for suffix, forms in tables["suffixes"].items():
        _check_list(path, f"suffixes.{suffix}", forms)
    for district, table in tables["districts"].items():
        if not isinstance(table, dict):
            raise InputError(f"{path}：districts.{district} 须是一个表，内有 {'、'.join(_DISTRICT_LISTS)}")
        check_keys(path, f"districts.{district}.", table, _DISTRICT_LISTS)
        for key, names in table.items():
            _check_list(path, f"districts.{district}.{key}", names)


def _check_list(path: Path, key: str, names: object) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise InputError(f'{path}：{key} 须是地名的列表，例如 ["甲", "乙"]，不能有空名')


def _names(path: Path, stored: Mapping[str, Any]) -> dict[str, _Name]:
    """Return each name with what it tells; the louder meaning of a name goes before its weaker one."""
    weak = set(stored.get("weak", []))
    names: dict[str, _Name] = {}
    bare: defaultdict[str, list[str]] = defaultdict(list)  # a town's name without suffix -> its districts
    for district, table in stored["districts"].items():
        ranked = {_DISTRICT: [district, *table.get("names", [])], _LANDMARK: table.get("landmarks", [])}
        ranked[_TOWN] = list(table.get("town_names", []))
        for town in table.get("towns", []):
            stem, forms = _forms(town, stored.get("suffixes", {}))
            ranked[_TOWN] += forms
            bare[stem].append(district)
        for rank, words in ranked.items():
            for word in words:
                if word in names and names[word].districts != (district,):
                    both = f"{names[word].districts[0]} 和 {district}"
                    raise InputError(f"{path}：“{word}”同属 {both}，无法区分，请从其中一处删去")
                names.setdefault(word, _Name(rank, (district,)))
    for stem, districts in bare.items():
        is_weak = stem in weak or len(districts) > 1
        names.setdefault(stem, _Name(_WEAK if is_weak else _TOWN, tuple(districts)))
    for city in stored.get("elsewhere", []):
        names.setdefault(city, _Name(_ELSEWHERE, ()))
    for name in weak - set(bare):
        raise InputError(f"{path}：weak 中的“{name}”不是任何镇街去掉后缀的名称，请改正或删去")
    return names


def _forms(town: str, suffixes: Mapping[str, Sequence[str]]) -> tuple[str, list[str]]:
    """Return a town's name without its suffix, and the names that it has with one."""
    for suffix, forms in suffixes.items():
        stem = town.removesuffix(suffix)
        if stem not in ("", town):
            return stem, [town, *(stem + form for form in forms)]
    return town, [town]


def _trie(words: Iterable[str]) -> str:
    """Write words as a pattern that looks at each next character once, and matches the longest."""
    tails: defaultdict[str, set[str]] = defaultdict(set)
    for word in words:
        tails[word[0]].add(word[1:])
    branches = []
    for head, ends in tails.items():
        more = sorted(ends - {""})
        rest = f"(?:{_trie(more)})" if more else ""
        branches.append(re.escape(head) + rest + ("?" if more and "" in ends else ""))
    return "|".join(branches)
