"""A person's session: a signed cookie, void as soon as the person is disabled or the password changes."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeTimedSerializer

from ..ledger.access import StoredUser

COOKIE = "hotline_session"
CSRF_HEADER = "x-csrf-token"
HOURS = 12
_SALT = "hotline session"


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session it is, and what a page must send along with each change."""

    name: str
    epoch: int
    csrf: str

    @classmethod
    def of(cls, user: StoredUser) -> Session:
        """A new session."""
        return cls(user.name, user.epoch, secrets.token_urlsafe(24))

    def is_of(self, user: StoredUser | None) -> bool:
        """Whether it still stands."""
        return user is not None and user.active and user.epoch == self.epoch

    def allows(self, token: str) -> bool:
        """Whether a change comes from a page of ours, which knows the token."""
        return hmac.compare_digest(self.csrf.encode(), token.encode(errors="replace"))


def signed(session: Session, secret: str) -> str:
    """The cookie."""
    return URLSafeTimedSerializer(secret, _SALT).dumps([session.name, session.epoch, session.csrf])


def read(cookie: str, secret: str) -> Session | None:
    """The session of a cookie, None where it is not ours or too old."""
    try:
        name, epoch, csrf = URLSafeTimedSerializer(secret, _SALT).loads(cookie, max_age=HOURS * 3600)
    except (BadSignature, ValueError, TypeError):
        return None
    return Session(str(name), int(epoch), str(csrf))
