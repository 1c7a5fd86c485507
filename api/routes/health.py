"""Whether the process is alive, and whether it can answer."""

from __future__ import annotations

from fastapi import APIRouter

from .dependencies import TheModels

router = APIRouter(tags=["health"])


@router.get("/livez")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(models: TheModels) -> dict[str, str]:
    """A sound model is loaded; 503 with the reason otherwise."""
    return {"status": "ok", "model_version": models.current().version}
