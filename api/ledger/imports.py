"""Files that were recorded, so that one can see where the ledger's numbers come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from ..periods import SHANGHAI
from . import bulk
from .engine import reading, writing
from .schema import imports


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was recorded with one model's tags; recorded again, it stands there once."""

    file: str
    sha256: str
    model_version: str
    rows: int
    recorded: int
    refused: int


def note_import(engine: Engine, done: Import) -> None:
    """Put down that a file was recorded."""
    row = {**asdict(done), "imported_at": datetime.now(SHANGHAI)}
    with writing(engine) as connection:
        bulk.upsert(connection, imports, [row], ("sha256", "model_version"))


def list_imports(engine: Engine) -> list[tuple[Import, datetime]]:
    """The files that were recorded and when, the newest first."""
    c = imports.c
    fields = (c.file, c.sha256, c.model_version, c.rows, c.recorded, c.refused)
    with reading(engine) as connection:
        query = select(*fields, c.imported_at).order_by(c.imported_at.desc())
        return [(Import(*row[:-1]), row[-1]) for row in connection.execute(query)]
