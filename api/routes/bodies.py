"""Bodies read as JSON by pydantic itself: for the busiest route, as FastAPI's own way takes its time."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


async def body_of(request: Request, model: type[Model]) -> Model:
    """The body of a request.

    Raises:
        RequestValidationError: it is not declared as JSON, is none, or is not as the model has it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise RequestValidationError([{"type": "model_attributes_type", "loc": ("body",), "msg": ""}])
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        # Without the input: it may be a citizen's text, and errors are logged.
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in found]) from None


def add_schemas(app: FastAPI, *models: type[BaseModel]) -> None:
    """Have OpenAPI hold the schemas of bodies that `body_of` reads."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        known = plain().setdefault("components", {}).setdefault("schemas", {})
        for model in models:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            known |= schema.pop("$defs", {}) | {model.__name__: schema}
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """How OpenAPI describes a body that `body_of` reads; the schema itself stands among the others."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
