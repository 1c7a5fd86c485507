"""The description as OpenAPI 3.0.3: domestic gateways import nothing newer."""

from __future__ import annotations

from typing import Any


def as_30(schema: dict[str, Any]) -> dict[str, Any]:
    """A 3.1 description in the terms of 3.0.3; the one given is left as it is."""
    found = _converted(schema)
    found["openapi"] = "3.0.3"
    found["info"].pop("summary", None)
    found.pop("webhooks", None)
    found.pop("jsonSchemaDialect", None)
    return dict(found)


def _converted(value: Any) -> Any:
    if isinstance(value, list):
        return [_converted(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: one if name == "example" else _converted(one) for name, one in value.items()}
    for kind in ("anyOf", "oneOf"):
        if isinstance(found.get(kind), list):
            _without_null(found, kind)
    if isinstance(found.get("type"), list):
        kinds = [kind for kind in found["type"] if kind != "null"]
        found["type"], found["nullable"] = kinds[0], len(kinds) < len(found["type"])
    if "const" in found and not isinstance(found["const"], dict):
        found["enum"] = [found.pop("const")]
    if isinstance(found.get("examples"), list):  # of a schema; those of a body are a mapping
        found["example"] = found.pop("examples")[0]
    for bound, of in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(bound), int | float) and not isinstance(found.get(bound), bool):
            found[of], found[bound] = found[bound], True
    for unknown in ("propertyNames", "contentMediaType", "contentEncoding", "$schema"):
        if not isinstance(found.get(unknown), dict) or unknown == "propertyNames":
            found.pop(unknown, None)
    return found


def _without_null(found: dict[str, Any], kind: str) -> None:
    kept = [one for one in found[kind] if one != {"type": "null"}]
    if len(kept) == len(found[kind]):
        return
    found["nullable"] = True
    if len(kept) > 1:
        found[kind] = kept
        return
    del found[kind]
    if "$ref" in kept[0]:  # beside a reference 3.0 reads nothing
        found["allOf"] = kept
    else:
        found.update({name: one for name, one in kept[0].items() if name not in found})
