"""All keys and people as one process knows them: read anew every other second.

So a request asks no database who its caller is, and a key that is revoked opens nothing more a moment
later. Where the database cannot be reached, what was known goes on for a minute; after that nobody is
let in, for a key may have been revoked meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from classifier.errors import LedgerUnavailable

from ..ledger.access import StoredKey, StoredUser
from ..ledger.ledger import Ledger
from ..periods import SHANGHAI
from .keys import find_key

FRESH_SECONDS = 2.0
TRUSTED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Known:
    at: float  # of the monotonic clock: when it was read
    looked: float  # when somebody last tried to
    keys: Mapping[str, StoredKey] = field(default_factory=dict)  # by prefix
    users: Mapping[str, StoredUser] = field(default_factory=dict)  # by name


class Keyring:
    """The keys and people of a ledger; every method may wait for the database, for its thread's sake."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: _Known | None = None
        self._lock = threading.Lock()

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has to be read now."""
        return self._known is not None and time.monotonic() - self._known.looked < FRESH_SECONDS

    def is_empty(self) -> bool:
        """Whether no key and nobody was ever added, so that the service is open."""
        known = self._look()
        return not known.keys and not known.users

    def key(self, token: str) -> StoredKey | None:
        """The active key that a token is."""
        found = find_key(token, self._look().keys)
        return found if found and found.state(datetime.now(SHANGHAI)) == "active" else None

    def user(self, name: str) -> StoredUser | None:
        """A person who may come in."""
        found = self._look().users.get(name)
        return found if found and found.active else None

    def forget(self) -> None:
        """Read everything anew at the next question."""
        self._known = None

    def _look(self) -> _Known:
        known = self._known
        if known and time.monotonic() - known.looked < FRESH_SECONDS:
            return known
        with self._lock:
            known = self._known
            if known is None or time.monotonic() - known.looked >= FRESH_SECONDS:
                known = self._known = self._read(known)
            return known

    def _read(self, before: _Known | None) -> _Known:
        now = time.monotonic()
        if not self._ledger.exists():
            return _Known(now, now)
        try:
            keys, users = self._ledger.open(create=True).access.everybody()
        except LedgerUnavailable:
            if before and now - before.at < TRUSTED_SECONDS:
                return replace(before, looked=now)
            raise LedgerUnavailable("台账数据库连不上，无法核对密钥，请稍后重试") from None
        return _Known(now, now, {key.prefix: key for key in keys}, {user.name: user for user in users})
