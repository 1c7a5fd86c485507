"""What a request did, gathered for its one line in the log and for the metrics: numbers and kinds, no text.

A route says what it did with `observed()`; api/access_log.py, which wraps the requests, begins and reads it.
"""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Observed:
    """One request's numbers."""

    work_orders: int = 0
    tagging_seconds: list[float] = field(default_factory=list)
    tagged: Counter[tuple[str, str]] = field(default_factory=Counter)  # by first-level code and decision
    model_version: str | None = None
    error: str | None = None  # the kind of error, by its class
    is_ledger_error: bool = False


_current: ContextVar[Observed] = ContextVar("observed")


def begin() -> Observed:
    """Observe from here on; threads that work for this request write to the same."""
    seen = Observed()
    _current.set(seen)
    return seen


def observed() -> Observed:
    """What is gathered for the current request; outside of one, something that nobody reads."""
    return _current.get(None) or Observed()
