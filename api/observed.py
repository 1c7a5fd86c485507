"""What a request did, gathered for its one line in the log and for the metrics: numbers and kinds, no text.

A route says what it did with `observed()`; api/access_log.py, which wraps the requests, begins and reads it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifier.model import Model
    from classifier.work_order import Tags


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


def tag_observed(model: Model, requests: Sequence[str]) -> list[Tags]:
    """What `model.tag` gives, timed and counted."""
    start = time.perf_counter()
    tags = model.tag(requests)
    seen = observed()
    seen.tagging_seconds.append(time.perf_counter() - start)
    seen.work_orders += len(tags)
    seen.model_version = model.version
    seen.tagged.update((given["category"].first, given.decision) for given in tags)
    return tags
