from datetime import date, datetime

from sqlalchemy import select

from api.ledger import bulk
from api.ledger.engine import reading, writing
from api.ledger.schema import imports, labels
from api.periods import SHANGHAI

MOMENT = datetime(2026, 1, 1, 0, 30, 15, 123456, tzinfo=SHANGHAI)


def row(**more):
    counts = {"rows": 3, "recorded": 2, "refused": 1}
    return (
        {"file": "年.xlsx", "sha256": "0" * 64, "model_version": "m1", "imported_at": MOMENT} | counts | more
    )


def held(ledger, *names):
    with reading(ledger.engine) as connection:
        columns = [imports.c[name] for name in names]
        return connection.execute(select(*columns).order_by(imports.c.import_id)).all()


def test_every_type_of_value_comes_back_as_it_went(ledger):
    odd = "引号'\"，反斜杠\\，换行\n，表情🙂"
    with writing(ledger.engine) as connection:
        bulk.upsert(
            connection, imports, [row(file=odd), row(model_version="m2")], ("sha256", "model_version")
        )
    assert held(ledger, "file", "rows", "imported_at") == [(odd, 3, MOMENT), ("年.xlsx", 3, MOMENT)]


def test_rows_with_a_key_that_is_there_are_replaced(ledger):
    for rows in ([row()], [row(rows=9), row(model_version="m2")]):
        with writing(ledger.engine) as connection:
            bulk.upsert(connection, imports, rows, ("sha256", "model_version"))
    assert sorted(held(ledger, "model_version", "rows")) == [("m1", 9), ("m2", 3)]


def test_absent_rows_are_inserted_and_given_back_with_their_numbers(ledger):
    rows = [{"sha256": f"{n}", **{k: v for k, v in row().items() if k != "sha256"}} for n in range(3)]
    with writing(ledger.engine) as connection:
        bulk.upsert(connection, imports, rows, ("sha256", "model_version"))
    assert [one.sha256 for one in held(ledger, "sha256")] == ["0", "1", "2"]
    with writing(ledger.engine) as connection:
        new = [
            {"facet": "district", "code": name, "label_id": number}
            for number, name in ((901, "甲"), (902, "乙"))
        ]
        found = bulk.insert_absent(connection, labels, new, "label_id", ("code", "label_id"))
    assert sorted((one.label_id, one.code) for one in found) == [(901, "甲"), (902, "乙")]


def test_rows_are_updated_by_their_key(ledger):
    with writing(ledger.engine) as connection:
        bulk.upsert(connection, imports, [row(), row(model_version="m2")], ("sha256", "model_version"))
        bulk.update(
            connection,
            imports,
            [{"import_id": 2, "rows": 7, "imported_at": MOMENT.replace(year=2027)}],
            "import_id",
        )
    assert held(ledger, "rows", "imported_at") == [(3, MOMENT), (7, MOMENT.replace(year=2027))]


def test_no_rows_are_no_work(ledger):
    with writing(ledger.engine) as connection:
        bulk.upsert(connection, imports, [], ("sha256", "model_version"))
        bulk.update(connection, imports, [], "import_id")
        assert bulk.insert_absent(connection, imports, [], "sha256", ("import_id",)) == []
    assert bulk._isoformat(date(2026, 1, 1)) == "2026-01-01"
    assert bulk._isoformat(MOMENT) == "2026-01-01T00:30:15.123456+08:00"
