"""People at the console: a role, and a password of which argon2's hash is stored."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from classifier.errors import InputError

from ..ledger.access import StoredUser
from ..periods import SHANGHAI

ROLES = {
    "operator": frozenset({"tag", "read"}),
    "reviewer": frozenset({"tag", "read", "review"}),
    "analyst": frozenset({"read"}),
    "manager": frozenset({"tag", "read", "review", "admin"}),
}
"""The scopes of each role."""

ROLE_NAMES = {"operator": "话务员", "reviewer": "审核员", "analyst": "分析员", "manager": "管理员"}
SHORTEST = 10  # characters of a password

_hasher = PasswordHasher()


def new_user(name: str, role: str, password: str) -> StoredUser:
    """A person as stored.

    Raises:
        InputError: the role is unknown, or the password too short.
    """
    code = next((code for code, said in ROLE_NAMES.items() if role in (code, said)), None)
    if code is None:
        known = "、".join(f"{code}（{said}）" for code, said in ROLE_NAMES.items())
        raise InputError(f"不认识角色“{role}”，可用的是 {known}")
    if not name.strip() or len(name) > 100:
        raise InputError("用户名须为 1 至 100 个字符")
    return StoredUser(name, code, hash_of(password), 0, True, datetime.now(SHANGHAI))


def hash_of(password: str) -> str:
    """Argon2's hash of a password.

    Raises:
        InputError: it is too short.
    """
    if len(password) < SHORTEST:
        raise InputError(f"密码太短，至少 {SHORTEST} 个字符")
    return _hasher.hash(password)


def is_right(user: StoredUser | None, password: str) -> bool:
    """Whether somebody may come in; it takes as long where there is nobody of the name."""
    try:
        _hasher.verify(user.password if user else _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and user.active


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")
