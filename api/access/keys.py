"""API keys: `hl_PREFIX_SECRET`, shown once. Of the secret a digest alone is stored.

The secret has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess from it, as there
is from a password. A wrong prefix costs the same as a right one: one look into a dictionary, one digest,
one comparison in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from collections.abc import Iterable, Mapping
from datetime import datetime

from classifier.errors import InputError

from ..ledger.access import StoredKey
from ..periods import SHANGHAI

SCOPES = ("tag", "read", "review", "admin")
"""tag: tagging, jobs; read: volumes, work orders; review: corrections; admin: all, and the audit log."""

_MARK = "hl"
_PREFIX_LENGTH = 8
_LETTERS = string.ascii_lowercase + string.digits
_NOBODY = hashlib.sha256(secrets.token_bytes(32)).hexdigest()


def new_key(
    name: str, scopes: Iterable[str], rate: int | None = None, expires_at: datetime | None = None
) -> tuple[str, StoredKey]:
    """A key as its holder gets it, and as it is stored.

    Raises:
        InputError: a scope is unknown, or it would have expired already.
    """
    wanted = frozenset(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown or not wanted:
        raise InputError(f"不认识权限“{'、'.join(unknown)}”，可用的是 {'、'.join(SCOPES)}")
    now = datetime.now(SHANGHAI)
    if expires_at and expires_at <= now:
        raise InputError(f"到期时间 {expires_at.isoformat()} 已经过去，请改正")
    if not name.strip() or len(name) > 100:
        raise InputError("密钥名称须为 1 至 100 个字符")
    prefix = "".join(secrets.choice(_LETTERS) for _ in range(_PREFIX_LENGTH))
    secret = secrets.token_urlsafe(32)
    stored = StoredKey(name, prefix, _digest(secret), wanted, rate, now, expires_at)
    return f"{_MARK}_{prefix}_{secret}", stored


def find_key(token: str, known: Mapping[str, StoredKey]) -> StoredKey | None:
    """The key that a token is, of those known by prefix, also one that is expired or revoked."""
    mark, _, rest = token.partition("_")
    prefix, _, secret = rest.partition("_")
    stored = known.get(prefix)
    same = hmac.compare_digest(_digest(secret), stored.digest if stored else _NOBODY)
    return stored if same and mark == _MARK else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
