"""Volumes over HTTP: the parameters are the command's."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from .. import tables
from ..asking import asked_by
from ..periods import By, Compare
from ..volumes import volumes
from .dependencies import TheLedger, TheNames

router = APIRouter(tags=["volumes"])


@router.get("/volumes")
def get_volumes(
    ledger: TheLedger,
    names: TheNames,
    facet: Annotated[str | None, Query(description="维度")] = None,
    cross: Annotated[str | None, Query(description="交叉的维度")] = None,
    by: Annotated[By | None, Query(description="时间段")] = None,
    since: Annotated[str | None, Query(description="起，2026、2026-07 或 2026-07-08")] = None,
    until: Annotated[str | None, Query(description="止，含当天")] = None,
    where: Annotated[list[str], Query(description="维度=标签，可重复")] = [],  # noqa: B006 - FastAPI copies it
    compare: Annotated[Compare | None, Query(description="year 同比，period 环比")] = None,
    top: Annotated[int | None, Query(ge=1, description="只列最多的几项")] = None,
    private_share: Annotated[bool, Query(description="是否给出私人诉求占比")] = False,
) -> dict[str, Any]:
    """How many work orders, of what, where, since when, against last year."""
    asked = asked_by(
        ledger,
        names,
        facet=facet,
        cross=cross,
        by=by,
        since=since,
        until=until,
        where=where,
        compare=compare,
        top=top,
        private=private_share,
    )
    return tables.as_json(volumes(ledger, asked), names)
