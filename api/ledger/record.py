"""Recording: each work order once, whoever sends it how often, with the newest tags.

One transaction: new work orders are inserted where their id is not taken; those that are there, also
since a moment ago by somebody else, are locked and brought up to date. Entries are sorted by id, so two
transactions that meet lock in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from classifier.masking import mask

from ..periods import SHANGHAI
from ..settings import StoredText
from . import bulk
from .changes import begin_change
from .engine import retried, writing
from .entry import Entry, Given, Recorded, localised, refusal
from .labels import Key, LabelNumbers
from .pending import KEYS, Cell, cell, note
from .schema import COUNTED, DERIVED, LABELLED, corrections, tags, work_orders

AT_ONCE = 5_000  # entries in a transaction

_FIRSTS = {facet: first for first, facet in DERIVED.items()}
_UNKNOWN = Given("")
_STORED = [column.name for column in work_orders.c if column.name != "number"]
_TAGGED = [column.name for column in tags.c if column.name != "number"]


def record(
    engine: Engine, numbers: LabelNumbers, entries: Sequence[Entry], store_text: StoredText
) -> Recorded:
    """Enter work orders and their tags; those that the ledger knows are brought up to date.

    Of entries with the same id the last one counts. What is impossible is refused, the rest recorded.
    """
    now = datetime.now(SHANGHAI)
    done = Recorded()
    sound: dict[str, Entry] = {}
    for index, entry in enumerate(entries):
        refused = refusal(index, entry.work_order_id, localised(entry.received_at), now)
        if refused:
            done.refused.append(refused)
        else:
            sound[entry.work_order_id] = entry
    ordered = [sound[work_order_id] for work_order_id in sorted(sound)]
    for start in range(0, len(ordered), AT_ONCE):
        chunk = ordered[start : start + AT_ONCE]
        label_numbers = numbers.of(*_keys(chunk))
        rows = [_row(entry, label_numbers, store_text, now) for entry in chunk]
        new = retried(lambda rows=rows: _record(engine, rows))  # type: ignore[misc]
        done.new += new
        done.again += len(rows) - new
    return done


def _keys(entries: Sequence[Entry]) -> tuple[set[Key], dict[Key, str]]:
    keys: set[Key] = set()
    parents: dict[Key, str] = {}
    for entry in entries:
        for facet in LABELLED:
            given = entry.given.get(facet, _UNKNOWN)
            keys.add((facet, given.label))
            if facet in _FIRSTS:
                parents[facet, given.label] = given.first or given.label
        keys |= {(facet, getattr(entry, facet)) for facet in COUNTED[len(LABELLED) :]}
    return keys, parents


def _row(entry: Entry, numbers: Mapping[Key, int], store_text: StoredText, now: datetime) -> dict[str, Any]:
    """Everything that is stored of an entry; what concerns its tags alone begins with `tag_`."""
    received_at = localised(entry.received_at)
    row: dict[str, Any] = {
        "work_order_id": entry.work_order_id,
        "received_at": received_at,
        "received_on": received_at.date(),
        "recorded_at": now,
        "decision": entry.decision,
        "title": _stored(entry.title, store_text),
        "text": _stored(entry.text, store_text),
        "tag_model_version": entry.model_version,
        "tag_taxonomy_version": entry.taxonomy_version,
        "tag_decision": entry.decision,
        "tag_tagged_at": now,
    }
    for facet in COUNTED[len(LABELLED) :]:
        row[facet] = numbers[facet, getattr(entry, facet)]
    for facet in LABELLED:
        given = entry.given.get(facet, _UNKNOWN)
        row[facet] = row[f"tag_{facet}"] = numbers[facet, given.label]
        row[f"tag_{facet}_confidence"] = given.confidence
    return row


def _stored(text: str, store_text: StoredText) -> str | None:
    if store_text == "none" or not text:
        return None
    sound = text.replace("\x00", "").encode(errors="replace").decode()  # PostgreSQL holds neither
    return mask(sound) if store_text == "masked" else sound


def _record(engine: Engine, rows: Sequence[dict[str, Any]]) -> int:
    with writing(engine) as connection:
        change = begin_change(connection, len(rows), rows[0]["recorded_at"])
        by_id = {row["work_order_id"]: row | {"change_id": change} for row in rows}
        known = _lock_known(connection, list(by_id))
        fresh = [row for work_order_id, row in by_id.items() if work_order_id not in known]
        numbers = _insert(connection, fresh)
        late = [row["work_order_id"] for row in fresh if row["work_order_id"] not in numbers]
        known |= _lock_known(connection, late)  # somebody else was quicker
        differences = Counter(cell(by_id[work_order_id]) for work_order_id in numbers)
        differences.update(_update(connection, known, by_id))
        numbers |= {work_order_id: row.number for work_order_id, row in known.items()}
        _write_tags(connection, rows, numbers)
        note(connection, differences)
    return len(rows) - len(known)


def _lock_known(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Number, day and labels of those ids that the ledger knows; nobody else changes them meanwhile."""
    c = work_orders.c
    found: dict[str, Row[Any]] = {}
    for condition in bulk.among(connection, c.work_order_id, ids):
        query = select(c.work_order_id, c.number, *(c[name] for name in KEYS)).where(condition)
        rows = connection.execute(query.order_by(c.work_order_id).with_for_update())
        found |= {row.work_order_id: row for row in rows}
    return found


def _insert(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Insert work orders whose ids are free; give the numbers of those that were."""
    stored = [{name: row[name] for name in _STORED} for row in rows]
    inserted = bulk.insert_absent(
        connection, work_orders, stored, "work_order_id", ("work_order_id", "number")
    )
    return {row.work_order_id: row.number for row in inserted}


def _update(
    connection: Connection, known: Mapping[str, Row[Any]], by_id: Mapping[str, dict[str, Any]]
) -> Counter[Cell]:
    """Bring known work orders up to date, and give by how much the counts change by that.

    What a person corrected stays as corrected.
    """
    standing = standing_corrections(connection, [row.number for row in known.values()])
    changes: list[dict[str, Any]] = []
    differences: Counter[Cell] = Counter()
    for work_order_id, before in known.items():
        stored = {name: by_id[work_order_id][name] for name in _STORED}
        changes.append({"number": before.number, **stored, **standing.get(before.number, {})})
        differences[cell(before._asdict())] -= 1
        differences[cell(changes[-1])] += 1
    bulk.update(connection, work_orders, changes, "number")
    return differences


def standing_corrections(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[str, int]]:
    """The corrections that stand, by work order and facet: the last of each, unless it withdraws."""
    c = corrections.c
    found: dict[int, dict[str, int]] = {}
    for condition in bulk.among(connection, c.number, numbers):
        last = select(func.max(c.correction_id)).where(condition).group_by(c.number, c.facet)
        query = select(c.number, c.facet, c.label).where(c.correction_id.in_(last), c.label.is_not(None))
        for number, facet, label in connection.execute(query):
            found.setdefault(number, {})[facet] = label
    return found


def _write_tags(connection: Connection, rows: Sequence[dict[str, Any]], numbers: Mapping[str, int]) -> None:
    given = [
        {"number": numbers[row["work_order_id"]], **{name: row[f"tag_{name}"] for name in _TAGGED}}
        for row in rows
    ]
    bulk.upsert(connection, tags, given, ("number", "model_version"))
