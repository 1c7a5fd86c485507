"""Which unit usually handles a work order: by its category, and the district that it is about.

The directory lives in data/dispatch.toml and is read against a taxonomy, so that a misspelt code,
district or department is refused when it is loaded rather than sent to nobody. A suggestion only:
the desk decides, and nothing here knows what a unit has to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from .cleaned import clean_many
from .codes import Codes
from .data_file import check_keys, read_data_file
from .errors import InputError
from .places import Places
from .taxonomy import Taxonomy

_KEYS = ("city_unit", "district_unit", "districts", "categories", "departments")
_DISTRICT_KEYS = ("short", "county")
_DEPARTMENT_KEYS = ("city_unit", "district_unit", "county_unit", "units", "hotlines")


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What is suggested for one work order; both are "" where they cannot be told."""

    department: str
    district_found: str


@dataclass(frozen=True)
class Directory:
    """The units of a city, by category and district."""

    districts: tuple[str, ...]
    hotlines: Mapping[str, tuple[str, ...]]  # department -> its own lines that 12345 has taken over
    _departments: Mapping[str, str] = field(repr=False)  # second-level code -> department
    _units: Mapping[tuple[str, str], str] = field(repr=False)  # department, district or "" -> unit

    @classmethod
    def load(cls, path: Path | None = None, taxonomy: Taxonomy | None = None) -> Directory:
        """Read a directory, by default the one that the program brings, for its own taxonomy.

        Raises:
            InputError: the file is missing or no TOML, has an unknown key, or names a category, district
                or department that does not exist.
        """
        path = path or Path(__file__).parent / "data" / "dispatch.toml"
        stored = read_data_file(path, "承办单位目录", "dispatch.toml")
        _check(path, stored)
        departments = _departments(path, stored, taxonomy or Taxonomy.load())
        units = {
            (name, district): _unit(path, stored, name, district)
            for name in stored["departments"]
            for district in ("", *stored["districts"])
        }
        hotlines = {
            name: tuple(table["hotlines"])
            for name, table in stored["departments"].items()
            if table.get("hotlines")
        }
        return cls(tuple(stored["districts"]), hotlines, departments, units)

    @classmethod
    def of_taxonomy(cls, taxonomy: Taxonomy) -> Directory:
        """The departments of a taxonomy by their own names, the same in every district of the city."""
        departments = {
            label.code: taxonomy.departments[label.first]
            for label in taxonomy.facets["category"].labels
            if taxonomy.departments.get(label.first)
        }
        units = {(name, ""): name for name in departments.values()}
        return cls(Directory.load().districts, {}, departments, units)

    def department(self, category_code: str, district: str) -> str:
        """Return the unit that handles a second-level category in a district.

        The city's own unit for "" or a district that is not in the directory; "" for an unknown
        category.
        """
        name = self._departments.get(category_code, "")
        return self._units.get((name, district)) or self._units.get((name, ""), "")


@dataclass(frozen=True)
class Dispatcher:
    """Suggests units for work orders.

    Raises:
        InputError: a district of the places is not in the directory.
    """

    places: Places
    directory: Directory

    def __post_init__(self) -> None:
        unknown = [name for name in self.places.districts if name not in self.directory.districts]
        if unknown:
            raise InputError(
                f"地名文件中的{'、'.join(unknown)}在承办单位目录的 [districts] 中没有，"
                f"目录中有{'、'.join(self.directory.districts)}：请同时更换 places.toml 和 dispatch.toml"
            )

    @classmethod
    def load(
        cls, places: Path | None = None, directory: Path | None = None, taxonomy: Taxonomy | None = None
    ) -> Dispatcher:
        """Read both files, by default those that the program brings.

        The program's own directory is for its own taxonomy; with another one, and no directory for it,
        the departments that the taxonomy names are suggested as they stand.

        Raises:
            InputError: one of them is not as it should be, or they are of two cities.
        """
        own = Taxonomy.load()
        if (
            directory is None
            and taxonomy
            and taxonomy.facets["category"].codes != own.facets["category"].codes
        ):
            return cls(Places.load(places), Directory.of_taxonomy(taxonomy))
        return cls(Places.load(places), Directory.load(directory, taxonomy))

    def suggest(
        self, requests: Sequence[str] | Codes, categories: Sequence[str], districts: Sequence[str]
    ) -> list[Dispatch]:
        """Return a suggestion for each work order, in order.

        A work order's own district field goes before the places that its request names.

        Args:
            requests: as they were written, title first; or as `clean_many` gives them.
            categories: second-level codes; an unknown one has no department.
            districts: the work orders' own fields as they were written, "" where there is none.
        """
        named = self.districts(requests, districts)
        return [
            Dispatch(self.directory.department(category, district), district)
            for category, district in zip(categories, named, strict=True)
        ]

    def districts(self, requests: Sequence[str] | Codes, written: Sequence[str]) -> list[str]:
        """The district of each work order, by its own field or else by the places that its request names.

        "" where it cannot be told; the arguments are those of `suggest`.
        """
        known = {field: self.places.district_of(field) for field in set(written)}
        named = [known[own] for own in written]
        silent = [place for place, district in enumerate(named) if not district]
        if isinstance(requests, Codes):
            cleaned = requests[np.array(silent, dtype=np.int64)]
        else:
            cleaned = clean_many([requests[place] for place in silent])
        for place in np.flatnonzero(self.places.may_be_in(cleaned)).tolist():
            named[silent[place]] = self.places.find(cleaned.text(place))
        return named


def _departments(path: Path, stored: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, str]:
    """Return the department of each second-level category; those without one are absent."""
    category = taxonomy.facets["category"]
    named: Mapping[str, str] = stored.get("categories", {})
    for code, department in named.items():
        known = [*category.codes, *category.firsts]
        if code not in known:
            raise InputError(f"{path}：[categories] 中的“{code}”不是分类体系中的编码{_close(code, known)}")
        _check_declared(path, stored, department, f'[categories] 的 "{code}"')
    departments: dict[str, str] = {}
    for label in category.labels:
        default = named.get(label.first) or taxonomy.departments.get(label.first, "")
        department = named.get(label.code) or default
        if department:
            _check_declared(path, stored, department, f"分类体系的 {label.code}")
            departments[label.code] = department
    return departments


def _unit(path: Path, stored: Mapping[str, Any], department: str, district: str) -> str:
    """Return what a department is called in a district, or in the city for ""."""
    table = stored["departments"][department]
    own = table.get("units", {}).get(district)
    if own:
        return str(own)
    key = "district_unit" if district else "city_unit"
    place = stored["districts"].get(district, {})
    if place.get("county") and "county_unit" in table:
        key = "county_unit"
    values = {"{department}": department}
    if district:
        values |= {"{district}": district, "{short}": place["short"]}
    unit = str(table.get(key) or stored[key])
    for placeholder, value in values.items():
        unit = unit.replace(placeholder, value)
    left = re.search(r"\{[^}]*\}?|\}", unit)
    if left:
        raise InputError(
            f"{path}：“{department}”的 {key} 中不能用 {left[0]}，可用的是 {'、'.join(values)}，请改正"
        )
    return unit


# --- the file ---


def _check(path: Path, stored: Mapping[str, Any]) -> None:
    check_keys(path, "", stored, _KEYS)
    for key in ("city_unit", "district_unit"):
        _check_name(path, key, stored.get(key))
    for key in ("districts", "departments"):
        if not stored.get(key):
            raise InputError(f"{path}：缺少 [{key}]，请对照自带的 dispatch.toml 补上")
    for key in ("districts", "categories", "departments"):
        _check_table(path, key, stored.get(key, {}))
    for code, department in stored.get("categories", {}).items():
        _check_name(path, f"categories.{code}", department)
    for name, table in stored["districts"].items():
        where = f"districts.{name}"
        _check_table(path, where, table)
        check_keys(path, f"{where}.", table, _DISTRICT_KEYS)
        _check_name(path, f"{where}.short", table.get("short"))
        if not isinstance(table.get("county", False), bool):
            raise InputError(f"{path}：{where}.county 须是 true 或 false，请改正")
    for name, table in stored["departments"].items():
        _check_department(path, f"departments.{name}", table, stored["districts"])


def _check_department(path: Path, where: str, table: object, districts: Mapping[str, Any]) -> None:
    table = _check_table(path, where, table)
    check_keys(path, f"{where}.", table, _DEPARTMENT_KEYS)
    for key in ("city_unit", "district_unit", "county_unit"):
        if key in table:
            _check_name(path, f"{where}.{key}", table[key])
    for district, unit in _check_table(path, f"{where}.units", table.get("units", {})).items():
        if district not in districts:
            close = _close(district, districts)
            raise InputError(f"{path}：{where}.units 中的“{district}”不在 [districts] 中{close}")
        _check_name(path, f"{where}.units.{district}", unit)
    lines = table.get("hotlines", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) and line.isdecimal() for line in lines):
        raise InputError(f'{path}：{where}.hotlines 须是号码的列表，例如 ["12345"]，请改正')


def _check_table(path: Path, key: str, table: object) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise InputError(f"{path}：{key} 须是一个表，请对照自带的 dispatch.toml 改正")
    return table


def _check_name(path: Path, key: str, name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"{path}：{key} 须是一个名称，不能缺少或为空，请补上")


def _check_declared(path: Path, stored: Mapping[str, Any], department: str, where: str) -> None:
    known = stored["departments"]
    if department not in known:
        close = _close(department, known)
        raise InputError(f'{path}：{where} 归“{department}”，但没有 [departments."{department}"]{close}')


def _close(written: str, known: Iterable[str]) -> str:
    """Return what to do about a name that is not there, with the one that was likely meant."""
    close = get_close_matches(written, list(known), n=1)
    return f"，是不是“{close[0]}”？请改正" if close else "，请改正或补上"
