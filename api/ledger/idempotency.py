"""Requests that come twice: who works on the first, and what was answered."""

from __future__ import annotations

import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Engine, select

from ..periods import SHANGHAI
from .engine import advisory_lock, writing
from .idempotency_table import answers

KEPT = timedelta(hours=24)
LOST = timedelta(seconds=60)
"""After which a claim without an answer is taken for one of a process that was killed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """Where a request with a key stands: `mine` to be worked on, else why not."""

    state: Literal["mine", "in flight", "other body", "answered"]
    token: str = ""
    answer: Answer | None = None


class Answers:
    """Claims and answers in the ledger's database, for all processes that share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def claim(self, key: str, body: str) -> Claim:
        """Claim a request by its key and its body's digest, or find out who has."""
        now, token = datetime.now(SHANGHAI), secrets.token_hex(16)
        c = answers.c
        with writing(self._engine) as connection:
            advisory_lock(connection, f"hotline answer {key}")
            connection.execute(answers.delete().where(c.claimed_at < now - KEPT))
            found = connection.execute(select(answers).where(c.key == key)).one_or_none()
            if found is None:
                row = {"key": key, "body": body, "claim": token, "claimed_at": now}
                connection.execute(answers.insert(), row)
                return Claim("mine", token)
            if found.body != body:
                return Claim("other body")
            if found.status is not None:
                content = zlib.decompress(found.content)
                return Claim("answered", answer=Answer(found.status, found.content_type, content))
            if now - found.claimed_at < LOST:
                return Claim("in flight")
            connection.execute(answers.update().where(c.key == key).values(claim=token, claimed_at=now))
            return Claim("mine", token)

    def settle(self, key: str, claim: Claim, answer: Answer | None) -> None:
        """Put down the answer; without one the claim is given up, and the request may come again."""
        c = answers.c
        mine = (c.key == key) & (c.claim == claim.token)
        with writing(self._engine) as connection:
            if answer is None:
                connection.execute(answers.delete().where(mine))
                return
            content = zlib.compress(answer.content, 1)
            connection.execute(
                answers.update()
                .where(mine)
                .values(status=answer.status, content_type=answer.content_type, content=content)
            )
