"""The tables of who may do what: keys, people, secrets, and what was done with them."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, String, Table, Text

from .schema import KEY, Moment, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", KEY, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("prefix", String(8), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),  # of the secret, which nobody keeps
    Column("scopes", String(100), nullable=False),
    Column("rate", Integer),  # requests a minute; none: the setting's
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    CheckConstraint("length(name) > 0", name="key_has_a_name"),
)

users = Table(
    "users",
    metadata,
    Column("user_id", KEY, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("password", String(200), nullable=False),  # argon2's hash
    Column("epoch", Integer, nullable=False),  # sessions of an earlier one are void
    Column("active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("length(name) > 0", name="user_has_a_name"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", KEY, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("detail", Text, nullable=False),  # JSON, without a citizen's text
)
