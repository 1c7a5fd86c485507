"""Whether the process is alive, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter

from ..problems import without_folders
from ..served_models import ServedModels
from .dependencies import TheModels, TheRecorder

router = APIRouter(tags=["health"])


@router.get("/livez")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(models: TheModels, ledger: TheRecorder) -> dict[str, str]:
    """A sound model is loaded and, where it is to record, the ledger answers; else 503 with the reason."""
    if ledger:
        ledger.check_reachable()
    recording = "on" if ledger else "off"
    answer = {"status": "ok", "model_version": models.current().version, "recording": recording}
    trouble = models.trouble if isinstance(models, ServedModels) else None
    return answer | ({"warning": without_folders(trouble)} if trouble else {})
