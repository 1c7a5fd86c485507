"""What an examination found: a thing, how it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: `told` says what was found, `todo` what to do where it is not fine."""

    name: str
    state: State
    told: str
    todo: str = ""


def fine(name: str, told: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", told)


def warning(name: str, told: str, todo: str) -> Finding:
    """It works, but somebody should look at it."""
    return Finding(name, "warning", told, todo)


def broken(name: str, told: str, todo: str) -> Finding:
    """It does not work."""
    return Finding(name, "broken", told, todo)
