"""Facets and labels as people write and read them, and as the ledger knows them."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from classifier.errors import InputError
from classifier.taxonomy import Facet, Taxonomy

from .ledger.schema import DERIVED, FACETS

FACET_TITLES = {
    "category": "事项分类",
    "first": "一级分类",
    "scope": "公共/私人",
    "scope_detail": "利益属性",
    "request_type": "诉求类型",
    "urgent": "紧急",
    "district": "区县",
    "channel": "来源渠道",
    "department": "承办单位",
}
NOT_GIVEN = "未注明"

_SHOWN = 12


def check_facet(name: str) -> str:
    """The facet of this name, given in code or in Chinese.

    Raises:
        InputError: there is none.
    """
    by_title = {title: facet for facet, title in FACET_TITLES.items()}
    facet = by_title.get(name, name)
    if facet not in FACETS:
        # What was written is not repeated: it may be a citizen's text in the wrong field.
        raise InputError(f"没有这个维度，可用的是 {'、'.join(FACETS)}")
    return facet


class LabelNames:
    """What labels are called; those that the taxonomy does not know are called by their codes."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy

    @property
    def category(self) -> Facet:
        """The categories."""
        return self._taxonomy.facets["category"]

    def name(self, facet: str, code: str) -> str:
        """What people read; of a second-level category the names of both levels."""
        if not code:
            return NOT_GIVEN
        if facet in DERIVED:
            known = self._facet(DERIVED[facet])
            return known.first_names.get(code, code) if known else code
        known = self._facet(facet)
        if known is None or code not in known.by_code:
            return code
        return known.path(code) if facet == "category" else known.by_code[code].name

    def first(self, facet: str, code: str) -> str | None:
        """The first level above a label of a two-level facet."""
        known = self._facet(facet)
        if facet not in DERIVED.values() or known is None or code not in known.by_code:
            return None
        return known.by_code[code].first

    def code(self, facet: str, written: str, known: Collection[str]) -> str:
        """The label that somebody wrote: a code or a name; `known` are those that the ledger holds.

        Raises:
            InputError: neither the taxonomy nor the ledger knows it.
        """
        found = self._code(facet, written)
        if found is not None:
            return found
        if written in known:
            return written
        names = sorted(self.name(facet, code) for code in known)
        close = difflib.get_close_matches(written, names, n=1, cutoff=0.4)
        hint = f"是不是“{close[0]}”？" if close else ""
        more = " 等" if len(names) > _SHOWN else ""
        there = f"台账中有：{'、'.join(names[:_SHOWN])}{more}" if names else "台账中还没有这个维度的数据"
        raise InputError(f"{FACET_TITLES[facet]}（{facet}）中没有这个标签。{hint}{there}")  # nor here

    def _code(self, facet: str, written: str) -> str | None:
        if written == NOT_GIVEN:
            return ""
        if facet in DERIVED:
            known = self._facet(DERIVED[facet])
            names = {name: code for code, name in known.first_names.items()} if known else {}
            return written if written in names.values() else names.get(written)
        known = self._facet(facet)
        return known.code_of(written) if known else None

    def _facet(self, name: str) -> Facet | None:
        return self._taxonomy.facets.get("scope" if name == "scope_detail" else name)
