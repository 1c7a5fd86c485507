import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openapi_spec_validator import validate

from api.access.rules import RULES
from api.app import create_app
from api.contract.description import each, operations
from api.contract.openapi30 import as_30
from api.contract.reference import markdown
from api.settings import Settings
from classifier.store import ModelStore


@pytest.fixture(scope="module")
def app(models_dir, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('description') / 'hotline.db'}"
    return create_app(ModelStore(models_dir), Settings(database_url=url))


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def described(client):
    return client.get("/openapi.json").json()


def test_both_descriptions_are_valid(client, described):
    assert described["openapi"].startswith("3.1")
    validate(described)
    older = client.get("/openapi-3.0.json").json()
    assert older["openapi"] == "3.0.3"
    validate(older)


def test_every_operation_is_told_in_chinese_with_its_errors(described):
    ids = set()
    for method, path, operation in each(described):
        assert re.search("[一-鿿]", operation["summary"]), (method, path)
        assert operation["description"], (method, path)
        assert f"{method.upper()} {path}" in operations(), (method, path)
        assert "500" in operation["responses"]
        assert "HTTPValidationError" not in json.dumps(operation)
        ids.add(operation["operationId"])
    assert len(ids) == sum(1 for _ in each(described))


def test_nothing_is_told_of_what_is_not_there(described):
    there = {f"{method.upper()} {path}" for method, path, _ in each(described)}
    assert set(operations()) - {"groups"} == there


def test_examples_are_what_the_service_takes(client, described):
    sent = 0
    for method, path, operation in each(described):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if method == "post" and "example" in body and path != "/v1/session":
            assert client.post(path, json=body["example"]).status_code == 200, path
            sent += 1
    assert sent >= 2


def test_what_needs_a_scope_says_so(described):
    scopes = {
        (method, path): [next(iter(one.values())) for one in operation["security"]]
        for method, path, operation in each(described)
    }
    assert scopes["post", "/v1/tags"] == [["tag"], ["tag"]]
    assert scopes["get", "/livez"] == []
    assert RULES["POST", "/v1/tags"] == "tag"


def test_what_3_0_does_not_know_is_said_in_its_own_way():
    newer = {
        "openapi": "3.1.0",
        "info": {"summary": "x"},
        "a": {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}], "title": "A"},
        "b": {"anyOf": [{"$ref": "#/b"}, {"type": "null"}]},
        "c": {"const": "x"},
        "d": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        "e": {"type": "string", "examples": ["x", "y"]},
    }
    older = as_30(newer)
    assert older["a"] == {"type": "string", "maxLength": 3, "nullable": True, "title": "A"}
    assert older["b"] == {"allOf": [{"$ref": "#/b"}], "nullable": True}
    assert older["c"] == {"enum": ["x"]}
    assert older["d"] == {"type": "integer", "nullable": True, "minimum": 0, "exclusiveMinimum": True}
    assert older["e"] == {"type": "string", "example": "x"}
    assert newer["openapi"] == "3.1.0"


def test_the_page_loads_everything_from_here(client):
    page = client.get("/docs")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 4
    for path in loaded:
        assert path.startswith("/docs/")
        assert client.get(path).status_code == 200
    assert client.get("/docs/secrets.txt").status_code == 404


def test_the_reference_in_docs_is_of_this_service(app):
    """Where this fails: python -m api.contract.reference > docs/http.md."""
    path = Path(__file__).parents[3] / "docs" / "http.md"
    assert path.read_text(encoding="utf-8") == markdown(app.openapi())
