"""Keys, people and the audit log in the ledger's database."""

from __future__ import annotations

import json
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Table, select

from classifier.errors import InputError

from ..periods import SHANGHAI
from .access_tables import api_keys, audit, secrets, users
from .engine import advisory_lock, reading, writing


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored: whoever reads the database cannot use it."""

    name: str
    prefix: str
    digest: str
    scopes: frozenset[str]
    rate: int | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= now else "active"


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A person who logs in with a password."""

    name: str
    role: str
    password: str
    epoch: int
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Audited:
    """What somebody did."""

    audit_id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


class AccessStore:
    """What the ledger's database knows of keys and people. Each change of them is audited with it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def everybody(self) -> tuple[list[StoredKey], list[StoredUser]]:
        """All keys and people, by name, also those that may do nothing any more."""
        with reading(self._engine) as connection:
            keys = [_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.name))]
            people = [_user(row) for row in connection.execute(select(users).order_by(users.c.name))]
        return keys, people

    def add_key(self, key: StoredKey, actor: str) -> None:
        """Store a key.

        Raises:
            InputError: its name is taken, also by one that was revoked: the audit log names keys.
        """
        row = {
            "name": key.name,
            "prefix": key.prefix,
            "digest": key.digest,
            "scopes": ",".join(sorted(key.scopes)),
            "rate": key.rate,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        }
        detail = {"scopes": sorted(key.scopes), "expires_at": _written(key.expires_at), "rate": key.rate}
        self._add(api_keys, row, ("key.add", actor, detail), "密钥")

    def revoke_key(self, name: str, actor: str) -> None:
        """Void a key.

        Raises:
            InputError: there is none of this name.
        """
        c = api_keys.c
        now = datetime.now(SHANGHAI)
        with writing(self._engine) as connection:
            changed = connection.execute(
                api_keys.update().where(c.name == name, c.revoked_at.is_(None)).values(revoked_at=now)
            )
            if not changed.rowcount:
                raise InputError(f"没有名为“{name}”的有效密钥，可用 hotline keys list 查看")
            connection.execute(audit.insert(), _audit_row(actor, "key.revoke", name, {}))

    def add_user(self, user: StoredUser, actor: str) -> None:
        """Store a person.

        Raises:
            InputError: the name is taken.
        """
        row = {
            "name": user.name,
            "role": user.role,
            "password": user.password,
            "epoch": user.epoch,
            "active": user.active,
            "created_at": user.created_at,
        }
        self._add(users, row, ("user.add", actor, {"role": user.role}), "用户")

    def change_user(self, name: str, actor: str, action: str, **values: Any) -> None:
        """Change a person; the sessions of before are void.

        Raises:
            InputError: there is none of this name.
        """
        with writing(self._engine) as connection:
            found = users.update().where(users.c.name == name)
            if not connection.execute(found.values(epoch=users.c.epoch + 1, **values)).rowcount:
                raise InputError(f"没有名为“{name}”的用户，可用 hotline users list 查看")
            connection.execute(audit.insert(), _audit_row(actor, action, name, {}))

    def secret(self, name: str) -> str:
        """A random text that all processes on this database share; made when it is first asked for."""
        with writing(self._engine) as connection:
            advisory_lock(connection, f"hotline secret {name}")
            wanted = select(secrets.c.value).where(secrets.c.name == name)
            found: str | None = connection.execute(wanted).scalar_one_or_none()
            if found is None:
                found = random.token_urlsafe(48)
                connection.execute(secrets.insert(), {"name": name, "value": found})
            return found

    def note(self, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Put down what somebody did."""
        with writing(self._engine) as connection:
            connection.execute(audit.insert(), _audit_row(actor, action, subject, detail))

    def audited(
        self, since: datetime | None = None, before: int | None = None, most: int = 100
    ) -> list[Audited]:
        """What was done since a moment, the newest first; `before` goes on behind an earlier answer."""
        c = audit.c
        query = select(audit).order_by(c.audit_id.desc()).limit(most)
        query = query.where(c.at >= since) if since else query
        query = query.where(c.audit_id < before) if before is not None else query
        with reading(self._engine) as connection:
            return [
                Audited(row.audit_id, row.at, row.actor, row.action, row.subject, json.loads(row.detail))
                for row in connection.execute(query)
            ]

    def _add(
        self, table: Table, row: Mapping[str, Any], done: tuple[str, str, Mapping[str, Any]], what: str
    ) -> None:
        action, actor, detail = done
        with writing(self._engine) as connection:
            advisory_lock(connection, "hotline access")
            taken = select(table.c.name).where(table.c.name == row["name"])
            if connection.execute(taken).first():
                raise InputError(f"{what}名称“{row['name']}”已经用过，请换一个")
            connection.execute(table.insert(), dict(row))
            connection.execute(audit.insert(), _audit_row(actor, action, str(row["name"]), detail))


def _audit_row(actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    told = json.dumps(detail, ensure_ascii=False)
    at = datetime.now(SHANGHAI)
    return {"at": at, "actor": actor, "action": action, "subject": subject, "detail": told}


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _key(row: Row[Any]) -> StoredKey:
    return StoredKey(
        row.name,
        row.prefix,
        row.digest,
        frozenset(row.scopes.split(",")),
        row.rate,
        row.created_at,
        row.expires_at,
        row.revoked_at,
    )


def _user(row: Row[Any]) -> StoredUser:
    return StoredUser(row.name, row.role, row.password, row.epoch, bool(row.active), row.created_at)
