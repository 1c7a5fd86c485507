"""The labels that tags come from, and the stored versions of the model."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field

from classifier.errors import ModelError
from classifier.store import ModelStore
from classifier.taxonomy import Taxonomy

from .dependencies import TheModels

router = APIRouter(tags=["taxonomy"])


class LabelInfo(BaseModel):
    """A label of a facet."""

    code: str
    name: str
    path: str = Field(description="从一级到本级的名称")
    first: str = Field(description="一级代码")
    department: str | None = Field(default=None, description="分类体系中的承办单位")


class FacetInfo(BaseModel):
    """A facet and its labels."""

    title: str
    labels: list[LabelInfo]
    firsts: dict[str, str] = Field(description="一级代码和名称")


class TaxonomyOut(BaseModel):
    """What the current model's labels are."""

    version: str
    facets: dict[str, FacetInfo]


class ModelInfo(BaseModel):
    """A stored version."""

    version: str
    current: bool
    trained_on: str | None = None
    samples: int | None = None
    taxonomy_version: str | None = None
    accuracy: dict[str, float] = Field(default_factory=dict, description="各维度的交叉验证准确率")


class ModelsOut(BaseModel):
    """All versions, by name."""

    current: str
    models: list[ModelInfo]


@router.get("/taxonomy", response_model=TaxonomyOut, response_model_exclude_none=True)
def get_taxonomy(
    models: TheModels, response: Response, if_none_match: Annotated[str | None, Header()] = None
) -> Any:
    """The labels of the current model; `ETag` tells whether they changed."""
    taxonomy = models.current().taxonomy
    found = TaxonomyOut(
        version=taxonomy.version,
        facets={name: _facet(taxonomy, name) for name in taxonomy.facets},
    )
    etag = f'"{hashlib.sha256(found.model_dump_json().encode()).hexdigest()[:32]}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return found


def _facet(taxonomy: Taxonomy, name: str) -> FacetInfo:
    facet = taxonomy.facets[name]
    departments = taxonomy.departments if name == "category" else {}
    labels = [
        LabelInfo(
            code=label.code,
            name=label.name,
            path=facet.path(label.code),
            first=label.first,
            department=departments.get(label.first),
        )
        for label in facet.labels
    ]
    return FacetInfo(title=facet.title, labels=labels, firsts=dict(facet.first_names))


@router.get("/models", response_model_exclude_none=True)
def list_models(models: TheModels) -> ModelsOut:
    """The stored versions, and which one answers."""
    current = models.current_version()
    return ModelsOut(current=current, models=[_model(models, name, current) for name in models.versions()])


def _model(models: ModelStore, name: str, current: str) -> ModelInfo:
    try:
        card = json.loads((models.path(name) / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, ModelError):  # a damaged one is listed all the same
        card = {}
    facets = card.get("scores", {}).get("facets", {})
    return ModelInfo(
        version=name,
        current=name == current,
        trained_on=card.get("trained_on"),
        samples=card.get("samples"),
        taxonomy_version=card.get("taxonomy_version"),
        accuracy={facet: round(one["accuracy"], 4) for facet, one in facets.items() if "accuracy" in one},
    )
