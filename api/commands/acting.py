"""Who runs a command, and putting down in the audit log what they did."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from classifier.errors import HotlineError

from ..console import say_notes

if TYPE_CHECKING:
    from ..ledger.ledger import Ledger


def actor() -> str:
    """Who runs this command, as the audit log names them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):  # a container's user without a name
        return "cli"


def ledger_of(database: str | None) -> Ledger:
    """The ledger that a command works on; a SQLite file is made where there is none.

    Raises:
        LedgerError: it cannot be reached, or its tables are not this program's.
    """
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    return Ledger(read_settings(database)).open(create=True)


def note_done(action: str, subject: str, database: str | None = None) -> None:
    """Put down what was done, where there is a ledger; that it could not be put down is said."""
    from ..ledger.ledger import Ledger
    from ..settings import read_settings

    try:
        ledger = Ledger(read_settings(database))
        if ledger.exists():
            ledger.open(create=True).access.note(actor(), action, subject, {})
    except HotlineError as error:
        say_notes([f"没有记入审计：{error}"])
