"""Who asks: a program with a key, a person who logged in, or anybody where no key was ever made."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from .keys import SCOPES


@dataclass(frozen=True, slots=True)
class Caller:
    """`kind` is key, user, anybody or nobody."""

    kind: str
    name: str
    scopes: frozenset[str]
    rate: int | None = None  # requests a minute
    csrf: str = ""  # what a person's page must send along with a change

    @property
    def actor(self) -> str:
        """As the audit log names it."""
        return f"{self.kind}:{self.name}" if self.name else self.kind

    def may(self, scope: str) -> bool:
        """Whether a scope is theirs."""
        return scope in self.scopes or "admin" in self.scopes


ANYBODY = Caller("anybody", "", frozenset(SCOPES))
"""Whoever asks where no key was ever made."""

NOBODY = Caller("nobody", "", frozenset())
"""Who asks for what is open to all, and did not say who they are."""


def caller_of(request: HTTPConnection) -> Caller:
    """Who asks, as the gate found."""
    found = request.scope.get("state", {}).get("caller")
    return found if isinstance(found, Caller) else NOBODY
