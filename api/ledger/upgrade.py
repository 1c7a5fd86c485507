"""The tables' revision: brought up to date by Alembic, checked before the ledger is used."""

from __future__ import annotations

from importlib.resources import as_file, files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from classifier.errors import LedgerError

from .engine import advisory_lock, reading, writing


def upgrade(engine: Engine) -> bool:
    """Bring the tables up to this program's revision; False if they were there already."""
    with as_file(files("api") / "migrations") as folder, writing(engine) as connection:
        advisory_lock(connection, "hotline upgrade")
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        known = ScriptDirectory.from_config(config)
        before = MigrationContext.configure(connection).get_current_revision()
        _check_known(before, known)
        command.upgrade(config, "head")
    return before != known.get_current_head()


def revision(engine: Engine) -> tuple[str | None, str | None]:
    """The revision of the tables, and the one that this program needs."""
    with as_file(files("api") / "migrations") as folder, reading(engine) as connection:
        known = ScriptDirectory(str(folder))
        current = MigrationContext.configure(connection).get_current_revision()
        _check_known(current, known)
    return current, known.get_current_head()


def _check_known(current: str | None, known: ScriptDirectory) -> None:
    if current and current not in {script.revision for script in known.walk_revisions()}:
        raise LedgerError(f"台账的表结构（{current}）比本程序新，请升级程序，不要用旧版本写入")
