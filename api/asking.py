"""Questions about volumes as people write them, on the command line or in a URL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from classifier.errors import InputError

from .label_names import LabelNames, check_facet
from .periods import By, Compare, parse_day
from .volumes import Asked


class _KnowsCodes(Protocol):
    def codes(self, facet: str) -> list[str]: ...


def asked_by(
    ledger: _KnowsCodes,
    names: LabelNames,
    *,
    facet: str | None = None,
    cross: str | None = None,
    by: By | None = None,
    since: str | None = None,
    until: str | None = None,
    where: Sequence[str] = (),
    compare: Compare | None = None,
    top: int | None = None,
    private: bool = False,
) -> Asked:
    """The question that these words ask, facets and labels by their codes.

    Raises:
        InputError: a facet, label or day is not known, or they contradict each other.
    """
    facets = [check_facet(name) for name in (facet, cross) if name]
    if cross and not facet:
        raise InputError("--cross 要与 --facet 一起用：先按 --facet，再按 --cross 交叉")
    if len(set(facets)) < len(facets):
        raise InputError("--facet 和 --cross 是同一个维度，请换一个")
    first, last = read_day(since, "since"), read_day(until, "until", last=True)
    if first and last and first > last:
        raise InputError(f"起始日期 {first.isoformat()} 在截止日期 {last.isoformat()} 之后，请改正")
    return Asked(
        facets[0] if facets else None,
        facets[1] if len(facets) > 1 else None,
        by,
        first,
        last,
        read_where(ledger, names, where),
        compare,
        top,
        private,
    )


def read_where(ledger: _KnowsCodes, names: LabelNames, where: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Conditions by facet, from `facet=label`; several of one facet are alternatives.

    Raises:
        InputError: one is none, or its label is not known.
    """
    found: dict[str, tuple[str, ...]] = {}
    for condition in where:
        name, equals, label = condition.partition("=")
        if not equals or not label.strip():
            raise InputError("条件应写成 维度=标签，例如 first=环境保护 或 district=蓬江区")
        facet = check_facet(name.strip())
        code = names.code(facet, label.strip(), ledger.codes(facet))
        found[facet] = tuple(dict.fromkeys((*found.get(facet, ()), code)))
    return found


def read_day(written: str | None, name: str, *, last: bool = False) -> date | None:
    """The first, or last, day of what is written.

    Raises:
        InputError: it is no date.
    """
    if written is None:
        return None
    day = parse_day(written, last=last)
    if day is None:
        raise InputError(f"{name} 应为 2026、2026-07 或 2026-07-08 这样的日期，请改正")
    return day
