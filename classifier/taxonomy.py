"""The labels that a model can give: codes, names, parents and departments.

`taxonomy.toml` holds the two-level categories, `facets.toml` the labels of the other facets. A
stored model carries its own copy, so that it answers in the terms that it was trained in.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .data_file import read_data_file
from .errors import InputError

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Label:
    """A second-level label: its code, what people read, and the first-level code above it."""

    code: str
    name: str
    first: str


@dataclass(frozen=True)
class Facet:
    """One dimension of tagging, with its labels in a fixed order."""

    name: str
    title: str
    labels: tuple[Label, ...]
    first_names: Mapping[str, str]  # first-level code -> what people read
    aliases: Mapping[str, str] = field(default_factory=dict)  # other ways to write a label -> its code
    alarm: str = ""  # a rare label that is given from a lower confidence on

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes of the second level, in the order of the model's columns."""
        return tuple(label.code for label in self.labels)

    @cached_property
    def firsts(self) -> tuple[str, ...]:
        """The codes of the first level, in the order in which they are first met."""
        return tuple(dict.fromkeys(label.first for label in self.labels))

    @cached_property
    def first_index(self) -> npt.NDArray[np.int64]:
        """For each second-level label the place of its first level in `firsts`."""
        place = {first: index for index, first in enumerate(self.firsts)}
        return np.array([place[label.first] for label in self.labels], dtype=np.int64)

    @cached_property
    def by_first(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The places of the labels, those of one first level together, and where each first level starts."""
        order = np.argsort(self.first_index, kind="stable")
        return order, np.searchsorted(self.first_index[order], np.arange(len(self.firsts)))

    def path(self, code: str) -> str:
        """The names from the first level down, a name that both levels share given once."""
        return self.paths[code]

    @cached_property
    def paths(self) -> Mapping[str, str]:
        """The path of each label by its code."""
        names = {label.code: (self.first_names[label.first], label.name) for label in self.labels}
        return {code: "/".join(dict.fromkeys(both)) for code, both in names.items()}

    @cached_property
    def is_flat(self) -> bool:
        """True where every label is its own first level."""
        return all(label.first == label.code for label in self.labels)

    @cached_property
    def by_code(self) -> Mapping[str, Label]:
        """Each label by its code."""
        return {label.code: label for label in self.labels}

    def code_of(self, written: str) -> str | None:
        """The label that somebody wrote: a code, a name, a path of names or an alias; None if unknown."""
        written = written.strip()
        return written if written in self.by_code else self._written.get(written.lower())

    @cached_property
    def _written(self) -> Mapping[str, str]:
        names = Counter(label.name for label in self.labels)
        forms: dict[str, str] = {}
        for label in self.labels:
            forms[f"{self.first_names[label.first]}/{label.name}"] = label.code
            if names[label.name] == 1:
                forms[label.name] = label.code
        exact = {code: code for code in self.codes}
        return {form.lower(): code for form, code in (forms | dict(self.aliases) | exact).items()}

    def as_json(self) -> dict[str, Any]:
        """Plain values from which `from_json` makes the facet again."""
        return {
            "title": self.title,
            "labels": [[label.code, label.name, label.first] for label in self.labels],
            "first_names": dict(self.first_names),
            "aliases": dict(self.aliases),
            "alarm": self.alarm,
        }

    @classmethod
    def from_json(cls, name: str, stored: Mapping[str, Any]) -> Facet:
        """The facet that `as_json` described."""
        labels = tuple(Label(code, label, first) for code, label, first in stored["labels"])
        return cls(
            name,
            stored["title"],
            labels,
            dict(stored["first_names"]),
            dict(stored["aliases"]),
            stored["alarm"],
        )

    @classmethod
    def flat(cls, name: str, title: str, codes: Iterable[str]) -> Facet:
        """A one-level facet whose labels are called by their codes."""
        labels = tuple(Label(code, code, code) for code in codes)
        return cls(name, title, labels, {label.code: label.name for label in labels})


@dataclass(frozen=True)
class Taxonomy:
    """All facets, with the usual first handler of each first-level category."""

    version: str
    facets: Mapping[str, Facet]
    departments: Mapping[str, str] = field(default_factory=dict)  # first-level category -> department

    @classmethod
    def load(cls, categories: Path | None = None) -> Taxonomy:
        """Read a taxonomy file, by default the one that the program brings.

        Raises:
            InputError: the file is missing, or not a taxonomy.
        """
        path = categories or DATA / "taxonomy.toml"
        stored = read_data_file(path, "分类体系文件", "taxonomy.toml")
        with (DATA / "facets.toml").open("rb") as file:
            others = tomllib.load(file)
        version = str(stored.pop("version", ""))
        if not version:
            raise InputError(f'{path}：缺少 version，分类体系须注明版本，例如 version = "2026.1"')
        category, departments = _categories(path, stored)
        facets = {"category": category} | {name: _facet(name, table) for name, table in others.items()}
        return cls(version, facets, departments)

    @classmethod
    def of_labels(cls, codes: Iterable[str]) -> Taxonomy:
        """A foreign label set: one flat `category` facet, each label called by its code."""
        ordered = sorted(set(codes))
        return cls("样本标签", {"category": Facet.flat("category", "事项分类", ordered)})

    def as_json(self) -> dict[str, Any]:
        """Plain values from which `from_json` makes the taxonomy again."""
        return {
            "version": self.version,
            "facets": {name: facet.as_json() for name, facet in self.facets.items()},
            "departments": dict(self.departments),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Taxonomy:
        """The taxonomy that `as_json` described."""
        facets = {name: Facet.from_json(name, facet) for name, facet in stored["facets"].items()}
        return cls(stored["version"], facets, dict(stored["departments"]))


def _categories(path: Path, stored: Mapping[str, Any]) -> tuple[Facet, dict[str, str]]:
    labels: list[Label] = []
    first_names: dict[str, str] = {}
    departments: dict[str, str] = {}
    for first, table in stored.items():
        if not isinstance(table, dict) or "name" not in table:
            raise InputError(f"{path}：[{first}] 须有 name（一级分类名称）")
        odd = [code for code, name in table.items() if not isinstance(name, str)]
        if odd:
            raise InputError(f'{path}：[{first}] 的 {"、".join(odd)} 须是带引号的文字，例如 air = "大气污染"')
        first_names[first] = table["name"]
        departments[first] = table.get("department", "")
        seconds = {code: name for code, name in table.items() if code not in ("name", "department")}
        labels += [Label(f"{first}.{code}", name, first) for code, name in seconds.items()]
    if len(labels) < 2:
        raise InputError(f"{path}：至少要有两个二级分类，找到 {len(labels)} 个")
    return Facet("category", "事项分类", tuple(labels), first_names), departments


def _facet(name: str, table: Mapping[str, Any]) -> Facet:
    labels = tuple(
        Label(code, label["name"], label.get("first", code)) for code, label in table["labels"].items()
    )
    first_names = table.get("first") or {label.code: label.name for label in labels}
    aliases = {alias: code for code, label in table["labels"].items() for alias in label.get("aliases", ())}
    return Facet(name, table["name"], labels, first_names, aliases, table.get("alarm", ""))
