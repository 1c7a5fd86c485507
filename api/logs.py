"""The service's log: a line of JSON for each event on stderr, or a line for people.

Nothing in it may be a citizen's. An error is told by its kind and by the places in the code that it came
through; its message and the values of variables stay out, for a message may repeat what was sent.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, Literal, TextIO

import structlog

from classifier.errors import HotlineError

from .periods import SHANGHAI

_TELLING = ("hotline", "uvicorn.error")  # whose ordinary events are of interest; of others only trouble
_MOST_CAUSES = 5

Event = MutableMapping[str, Any]


def set_up(form: Literal["json", "text"] | None, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to stderr, or a stream, in one form."""
    stream = stream or sys.stderr
    logging.raiseExceptions = False  # a line that cannot be written is no reason to print what it held
    shown: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if form == "text" or (form is None and stream.isatty()):
        shown = structlog.dev.ConsoleRenderer(colors=stream.isatty(), sort_keys=False)
    ours: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _moment,
        _first_line,
        _error_by_place,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=ours,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown],
            use_get_message=True,
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in _TELLING:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*ours, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _moment(_logger: Any, _method: str, event: Event) -> Event:
    return {"time": datetime.now(SHANGHAI).isoformat(timespec="milliseconds"), **event}


def _first_line(_logger: Any, _method: str, event: Event) -> Event:
    """Other libraries append what they were given on further lines: a task's repr, a field's value."""
    lines = str(event.get("event", "")).strip().splitlines()
    return {**event, "event": lines[0] if lines else ""}


def _error_by_place(_logger: Any, _method: str, event: Event) -> Event:
    """An exception as its kinds and places; the message only of our own, which hold no text."""
    found = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if not isinstance(error, BaseException):
        return event
    if isinstance(error, HotlineError):
        event["reason"] = str(error)
    return {**event, "traceback": list(places(error))}


def places(error: BaseException) -> list[str]:
    """The kinds of an error and of its causes, each followed by where it was raised, the innermost last."""
    told: list[str] = []
    one: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if one is None:
            break
        told.append(f"{type(one).__module__}.{type(one).__qualname__}")
        frames = traceback.extract_tb(one.__traceback__)
        told += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        one = one.__cause__ or one.__context__
    return told
