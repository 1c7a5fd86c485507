"""Periods in SQL, where there are too many days to bring them into Python."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, case, cast, func

from ..periods import By


def first_day(connection: Connection, day: ColumnElement[Any], by: By) -> ColumnElement[Any]:
    """The first day of the period that a day lies in."""
    if by == "day":
        return day
    if connection.dialect.name == "postgresql":
        return cast(func.date_trunc(by, day), Date)  # its weeks are ISO's
    if by == "week":
        return func.date(day, "-6 days", "weekday 1")
    if by == "month":
        return func.substr(day, 1, 7).concat("-01")
    if by == "year":
        return func.substr(day, 1, 4).concat("-01-01")
    month = func.substr(day, 6, 2)
    quarter = case(
        (month <= "03", "-01-01"), (month <= "06", "-04-01"), (month <= "09", "-07-01"), else_="-10-01"
    )
    return func.substr(day, 1, 4).concat(quarter)
