"""Many corrections in one request, as a reviewing system sends them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from classifier.errors import InputError, NoWorkOrder

from ..access.caller import Caller, caller_of
from ..label_names import LabelNames
from ..ledger.ledger import Ledger
from ..work_order_schemas import CorrectionIn
from .dependencies import TheLedger, TheNames

router = APIRouter(tags=["corrections"])

MOST = 1_000


class CorrectionOf(CorrectionIn):
    """The correction of one work order."""

    work_order_id: str = Field(min_length=1, max_length=200, description="工单编号")


class CorrectionsIn(BaseModel):
    """One to a thousand corrections."""

    model_config = ConfigDict(extra="forbid")

    corrections: list[CorrectionOf] = Field(min_length=1, max_length=MOST)


class CorrectedOut(BaseModel):
    """What became of one."""

    work_order_id: str
    corrected: bool
    error: str | None = Field(default=None, description="没有更正的原因")


class CorrectionsOut(BaseModel):
    """As many results as corrections, in order."""

    results: list[CorrectedOut]


@router.post("/corrections", response_model_exclude_none=True)
def correct_many(
    arrived: CorrectionsIn, ledger: TheLedger, names: TheNames, request: Request
) -> CorrectionsOut:
    """Correct labels of many work orders; each stands or fails by itself."""
    caller = caller_of(request)
    return CorrectionsOut(results=[_one(one, ledger, names, caller) for one in arrived.corrections])


def _one(one: CorrectionOf, ledger: Ledger, names: LabelNames, caller: Caller) -> CorrectedOut:
    try:
        correct_one(one.work_order_id, one, ledger, names, caller)
    except (InputError, NoWorkOrder) as error:
        return CorrectedOut(work_order_id=one.work_order_id, corrected=False, error=str(error))
    return CorrectedOut(work_order_id=one.work_order_id, corrected=True)


def correct_one(
    work_order_id: str, arrived: CorrectionIn, ledger: Ledger, names: LabelNames, caller: Caller
) -> None:
    """Correct one work order, and put down in the audit log who did.

    Raises:
        InputError: no label is given, or an unknown one.
        NoWorkOrder: the ledger has none of this id.
    """
    if "\x00" in work_order_id:  # no id has one, and PostgreSQL could not even be asked
        raise NoWorkOrder("台账中没有这个编号的工单，请核对工单编号")
    given = arrived.corrections(names)
    if not given:
        raise InputError("labels 不能为空：请给出要更正的维度和标签，null 表示撤销更正")
    by = caller.name if caller.kind == "user" else arrived.corrected_by  # nobody corrects in another's name
    ledger.correct(work_order_id, given, by, arrived.reason)
    labels = {facet: correction.label for facet, correction in given.items()}
    ledger.access.note(caller.actor, "correction", work_order_id, {"by": by, "labels": labels})
