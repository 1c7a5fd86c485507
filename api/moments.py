"""Moments as offices write them: 2026-01-01 00:30:00, 2026/1/1 0:30, 2026年1月1日 0时30分, 20260101003000."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from .ledger.entry import localised

_WRITTEN = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?"
    r"(?:[T\s]*(?P<hour>\d{1,2})\s*[:：时点]\s*(?:(?P<minute>\d{1,2})\s*[:：分]?\s*(?:(?P<second>\d{1,2})(?:[.,]\d+)?\s*秒?)?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?(?:\d{2})?)?)?",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\s?(\d{2})(\d{2})(\d{2})?)?", re.ASCII)


def read_moment(written: str) -> tuple[datetime | None, bool]:
    """The moment in Asia/Shanghai, None if it is none; and whether it came without a zone."""
    text = written.strip()
    zone = None
    if match := _WRITTEN.fullmatch(text):
        parts = [match[name] for name in ("year", "month", "day", "hour", "minute", "second")]
        zone = match["zone"]
    elif match := _DIGITS.fullmatch(text):
        parts = list(match.groups())
    else:
        return None, False
    try:
        moment = datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]  # noqa: DTZ001
        return localised(moment.replace(tzinfo=_zone(zone))), zone is None
    except (ValueError, OverflowError):
        return None, False


def _zone(written: str | None) -> timezone | None:
    if not written:
        return None
    if written in "Zz":
        return UTC
    digits = written[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if written[0] == "-" else offset)
