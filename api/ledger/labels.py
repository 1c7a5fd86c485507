"""Labels as numbers: each value of a facet has one, for ever."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, Engine, Select, and_, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from .engine import retried, writing
from .schema import DERIVED, labels

Key = tuple[str, str]  # facet, code


class LabelNumbers:
    """The numbers of labels, remembered; a new label gets one in a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[Key, int] = {}
        self._parents: dict[Key, str] = {}

    def of(self, keys: Iterable[Key], parents: Mapping[Key, str]) -> dict[Key, int]:
        """The number of each label; those that the ledger does not know yet are added.

        `parents` says of labels of two-level facets which first level they belong to, by its code.
        """
        wanted = set(keys)
        if any(key not in self._known for key in wanted) or any(
            self._parents.get(key) != parent for key, parent in parents.items() if key in wanted
        ):
            retried(lambda: self._add(wanted, parents))
        return {key: self._known[key] for key in wanted}

    def _add(self, wanted: Collection[Key], parents: Mapping[Key, str]) -> None:
        up = {child: first for first, child in DERIVED.items()}
        firsts = {(up[facet], parents[facet, code]) for facet, code in wanted if (facet, code) in parents}
        with writing(self._engine) as connection:
            insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
            rows = [{"facet": facet, "code": code} for facet, code in sorted({*wanted, *firsts})]
            connection.execute(insert(labels).on_conflict_do_nothing(), rows)
            found = {(row.facet, row.code): row for row in connection.execute(select(labels))}
            for key in sorted(wanted):
                if key in parents:
                    parent = found[up[key[0]], parents[key]].label_id
                    if found[key].parent != parent:
                        connection.execute(
                            labels.update()
                            .where(labels.c.label_id == found[key].label_id)
                            .values(parent=parent)
                        )
        self._known = {key: row.label_id for key, row in found.items()}
        self._parents |= {key: parents[key] for key in wanted if key in parents}


def numbers_of(facet: str, codes: Collection[str]) -> Select[tuple[int]]:
    """The numbers of labels by their codes; of a first level, those of the labels under it."""
    known = select(labels.c.label_id).where(labels.c.facet == facet, labels.c.code.in_(sorted(codes)))
    if facet not in DERIVED:
        return known
    return select(labels.c.label_id).where(and_(labels.c.facet == DERIVED[facet], labels.c.parent.in_(known)))


def known_codes(connection: Connection, facet: str) -> list[str]:
    """The codes of a facet's labels."""
    query = select(labels.c.code).where(labels.c.facet == facet, labels.c.code != "")
    return list(connection.execute(query.order_by(labels.c.code)).scalars())
