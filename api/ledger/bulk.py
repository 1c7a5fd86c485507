"""Thousands of rows in one statement, in each dialect's quickest way.

PostgreSQL takes all rows as one JSON text (`json_to_recordset`): one statement to plan and one value to
send, where a value for each cell, or an array for each column, kept the client busier than the server.
SQLite, in the same process, has nothing to send.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

_KEYS = 10_000  # in a question; SQLite takes 32,766 values

Rows = Sequence[Mapping[str, Any]]


def among(
    connection: Connection, column: Column[Any], values: Sequence[Any]
) -> Iterator[ColumnElement[bool]]:
    """Conditions that a column has one of many values; of which each row meets at most one condition."""
    if connection.dialect.name == "postgresql":
        sent = cast(bindparam(None, json.dumps(values), type_=Text), JSON)
        yield column.in_(select(cast(func.json_array_elements_text(sent).column_valued(), column.type)))
        return
    for start in range(0, len(values), _KEYS):
        yield column.in_(values[start : start + _KEYS])


def insert_absent(
    connection: Connection, table: Table, rows: Rows, key: str, returning: Sequence[str]
) -> list[Row[Any]]:
    """Insert the rows whose `key` is not taken; give the `returning` columns of those.

    On SQLite none of the keys may be taken, and `connection` must be the writer.
    """
    if not rows:
        return []
    names = list(rows[0])
    wanted = [table.c[name] for name in returning]
    if connection.dialect.name == "postgresql":
        given = _sent(table, names)
        copied = postgresql_insert(table).from_select(names, select(*given.c))
        statement = copied.on_conflict_do_nothing(index_elements=[key]).returning(*wanted)
        return list(connection.execute(statement, _as_json(rows)))
    # RETURNING would send SQLite a row at a time; its writer is alone, so looking again finds the same.
    _for_each(connection, table, sqlite_insert(table).on_conflict_do_nothing(index_elements=[key]), rows)
    inserted = among(connection, table.c[key], [row[key] for row in rows])
    return [row for condition in inserted for row in connection.execute(select(*wanted).where(condition))]


def upsert(connection: Connection, table: Table, rows: Rows, keys: Sequence[str]) -> None:
    """Insert rows; those whose `keys` are there already get the other columns' new values."""
    if not rows:
        return
    names = list(rows[0])
    if connection.dialect.name == "postgresql":
        given = _sent(table, names)
        copied = postgresql_insert(table).from_select(names, select(*given.c))
        replaced = {name: copied.excluded[name] for name in names if name not in keys}
        statement = copied.on_conflict_do_update(index_elements=keys, set_=replaced)
        connection.execute(statement, _as_json(rows))
        return
    inserted = sqlite_insert(table)
    changed = {name: inserted.excluded[name] for name in names if name not in keys}
    _for_each(connection, table, inserted.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def add(connection: Connection, table: Table, counted: Select[Any], amount: str) -> None:
    """Insert what a question gives; where a key is there already, its `amount` is added to what is held."""
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    given = insert(table).from_select([column.name for column in counted.selected_columns], counted)
    total = {amount: table.c[amount] + given.excluded[amount]}
    connection.execute(given.on_conflict_do_update(index_elements=list(table.primary_key), set_=total))


def update(connection: Connection, table: Table, rows: Rows, key: str) -> None:
    """Give the rows that have a `key` the other columns' new values."""
    if not rows:
        return
    names = [name for name in rows[0] if name != key]
    if connection.dialect.name == "postgresql":
        given = _sent(table, [key, *names])
        found = table.update().where(table.c[key] == given.c[key])
        connection.execute(found.values({name: given.c[name] for name in names}), _as_json(rows))
        return
    found = table.update().where(table.c[key] == bindparam(f"its_{key}"))
    values = found.values({name: bindparam(name) for name in names})
    connection.execute(
        values, [{f"its_{key}": row[key], **{name: row[name] for name in names}} for row in rows]
    )


def _for_each(connection: Connection, table: Table, statement: Insert, rows: Rows) -> None:
    """Do a statement with each row's values, past SQLAlchemy's work on each, which takes most of the time."""
    dialect = connection.dialect
    compiled = statement.compile(dialect=dialect, column_keys=list(rows[0]))
    columns = []
    for name in compiled.positiontup or ():
        process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        values = [row[name] for row in rows]
        columns.append(list(_processed(values, process)) if process else values)
    connection.exec_driver_sql(str(compiled), list(zip(*columns, strict=True)))


def _processed(values: Sequence[Any], process: Callable[[Any], Any]) -> Iterator[Any]:
    before, done = object(), None
    for value in values:
        if value is not before:  # the moment of recording is one for all
            before, done = value, process(value)
        yield done


def _sent(table: Table, names: Sequence[str]) -> TableValuedAlias:
    """The rows that `_as_json` sends, as a table."""
    columns = [column(name, table.c[name].type) for name in names]
    given = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(
        *columns, name="given"
    )
    return given.render_derived(with_types=True)


def _as_json(rows: Rows) -> dict[str, str]:
    return {"rows": json.dumps(rows, ensure_ascii=False, default=_isoformat)}


def _isoformat(value: date) -> str:
    """A day or a moment, which is a day, too, as text."""
    return value.isoformat()
