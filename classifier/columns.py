"""Which column of a file plays which role: the names live in data/columns.toml.

Names are compared as people would compare them: without case, spaces, punctuation, full-width
forms and remarks in brackets, so that 「诉求内容（必填）」 is 诉求内容. An exact name goes before one
that merely contains it, and the first name of the list before the later ones.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .errors import InputError

ROLES = (
    "work_order_id",
    "text",
    "title",
    "received_at",
    "district",
    "town",
    "channel",
    "department",
    "category",
    "scope_detail",
    "request_type",
    "urgent",
    "fold",
)
"""What a column can be. Those from `category` on are the labels of samples."""

_OPTIONS = {"work_order_id": "id", "category": "label"}  # roles whose option has a shorter name

_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|\{[^{}]*\}|〔[^〔〕]*〕")
_NOT_A_WORD = re.compile(r"[\W_]+")
_LONG_NUMBER = re.compile(r"\d{7}")
_SHOWN = 16  # characters; what is longer is likely not a name but a citizen's text


@dataclass(frozen=True)
class _Role:
    """The names of one role, as `data/columns.toml` lists them, in the form they are compared in."""

    called: str
    names: tuple[str, ...]
    parts: tuple[str, ...]
    unless: tuple[str, ...]

    def contained_in(self, plain: str) -> bool:
        """Say whether a column of this name fits though its name is not in the list."""
        return any(part in plain for part in self.parts) and not any(word in plain for word in self.unless)


@cache
def _roles() -> dict[str, _Role]:
    data = files("classifier").joinpath("data/columns.toml").read_bytes().decode("utf-8")
    table = tomllib.loads(data)
    return {
        role: _Role(
            called=table[role]["called"],
            names=tuple(_plain(name) for name in table[role]["names"]),
            parts=tuple(_plain(name) for name in table[role].get("parts", ())),
            unless=tuple(_plain(name) for name in table[role].get("unless", ())),
        )
        for role in ROLES
    }


def _plain(name: str) -> str:
    """Write a column's name in the form in which names are compared."""
    name = unicodedata.normalize("NFKC", name).casefold()
    return _NOT_A_WORD.sub("", _REMARK.sub("", name)) or _NOT_A_WORD.sub("", name)


def option(role: str) -> str:
    """Name the option by which a person says which column plays `role`: `--text-column`."""
    return f"--{_OPTIONS.get(role, role.replace('_', '-'))}-column"


@dataclass(frozen=True)
class Columns:
    """Which column of a file plays which role; a role without a column is absent."""

    by_role: Mapping[str, str]

    @classmethod
    def find(
        cls,
        names: Sequence[str],
        given: Mapping[str, str] | None = None,
        required: Sequence[str] = ("text",),
        file: str = "",
    ) -> Columns:
        """Find the columns by their names; those that a person gave go before.

        Args:
            names: the file's columns, in order.
            given: role -> column, as given by option; an empty name is as good as none.
            file: the file's name, for messages.

        Raises:
            InputError: a given column is not there, or none was found for a required role.
        """
        by_role = {role: _given(role, name, names, file) for role, name in (given or {}).items() if name}
        _fill(by_role, names)
        missing = [role for role in required if role not in by_role]
        if missing:
            raise InputError(_missing(missing, names, file))
        return cls({role: by_role[role] for role in ROLES if role in by_role})

    def get(self, role: str) -> str | None:
        """Give the column that plays `role`, or None."""
        return self.by_role.get(role)

    def __getitem__(self, role: str) -> str:
        return self.by_role[role]

    def __contains__(self, role: object) -> bool:
        return role in self.by_role


def _fill(by_role: dict[str, str], names: Sequence[str]) -> None:
    """Add the roles that can be told from the names: first the exact ones, then those that contain."""
    plain = {name: _plain(name) for name in names}
    taken = set(by_role.values())
    for role, known in _roles().items():
        if role in by_role:
            continue
        fitting = [name for name in names if plain[name] in known.names and name not in taken]
        if fitting:
            by_role[role] = min(fitting, key=lambda name: known.names.index(plain[name]))
            taken.add(by_role[role])
    for role, known in _roles().items():
        if role in by_role:
            continue
        for name in names:
            if name not in taken and known.contained_in(plain[name]):
                by_role[role] = name
                taken.add(name)
                break


def _given(role: str, name: str, names: Sequence[str], file: str) -> str:
    """Find the column that a person gave for `role`."""
    if name in names:
        return name
    alike = [there for there in names if _plain(there) == _plain(name)]
    if alike:
        return alike[0]
    close = [there for there in difflib.get_close_matches(name, names, n=1) if _is_name(there)]
    hint = f"是不是“{close[0]}”？" if close else ""
    raise InputError(f"{_file(file)}没有名为“{name}”的列（{option(role)}）。{hint}{_found(names)}")


def _missing(roles: Sequence[str], names: Sequence[str], file: str) -> str:
    called = "、".join(_roles()[role].called for role in roles)
    options = "、".join(option(role) for role in roles)
    return f"{_file(file)}没有{called}列。{_found(names)}请用 {options} 指定。"


def _file(file: str) -> str:
    return f"{file} " if file else "文件"


def _found(names: Sequence[str]) -> str:
    """Name the columns that are there, but never what may be a citizen's text in a file without header."""
    shown = [name if _is_name(name) else f"（第 {i} 列，{len(name)} 字）" for i, name in enumerate(names, 1)]
    hidden = sum(not _is_name(name) for name in names)
    if hidden * 2 > len(names) or any(_LONG_NUMBER.search(name) for name in names):
        return f"首行共 {len(names)} 列，看起来不是表头：请确认文件第一行是列名。"
    more = f" 等 {len(names)} 列" if len(names) > 40 else ""
    return f"找到的列：{'、'.join(shown[:40])}{more}。"


def _is_name(name: str) -> bool:
    return len(name) <= _SHOWN and not _LONG_NUMBER.search(name)


def find_header(rows: Sequence[Sequence[str]]) -> int | None:
    """Find the row that holds the column names among a table's first rows; None when all are empty.

    A row with a known name of the text column goes first, then one with two known roles or more,
    then the first that is not empty: titles and remarks may stand above the header.
    """
    plain = [[_plain(cell) if len(cell) <= 40 else "…" for cell in row] for row in rows]
    texts = _roles()["text"].names
    for index, cells in enumerate(plain):
        if any(cell in texts for cell in cells) and not _is_lone(cells):
            return index
    for index, cells in enumerate(plain):
        if _known_roles(cells) > 1:
            return index
    filled = [index for index, row in enumerate(rows) if any(cell.strip() for cell in row)]
    lone_text = [index for index in filled if any(cell in texts for cell in plain[index])]
    return next(iter(lone_text or filled), None)


def _is_lone(cells: Sequence[str]) -> bool:
    """Say whether a single cell is filled: 「内容」 above a table is a title rather than a header."""
    return sum(bool(cell) for cell in cells) == 1 and len(cells) > 1


def _known_roles(cells: Sequence[str]) -> int:
    return sum(
        any(cell in known.names or known.contained_in(cell) for cell in cells) for known in _roles().values()
    )


def known_roles(names: Sequence[str]) -> int:
    """Count the roles that these column names tell; a wrong delimiter or sheet tells none."""
    return _known_roles([_plain(name) for name in names])
