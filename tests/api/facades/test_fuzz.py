"""Whatever is asked of a facade or of the feed, the answer is one that its description knows."""

import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from classifier.store import ModelStore
from tests.api.conftest import entry

PHONE = "13800138000"
DOCUMENTED = {200, 400, 404, 422}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
tensors = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["text", "title", "x"]) | values,
        "shape": st.just([1]) | st.lists(st.integers(), max_size=3) | values,
        "datatype": st.sampled_from(["BYTES", "FP32"]) | values,
        "data": st.lists(st.text(st.characters(codec=None)), max_size=3) | values,
    }
)
bodies = st.binary(max_size=200) | (
    st.fixed_dictionaries(
        {"inputs": st.lists(tensors, max_size=3) | values},
        optional={"id": values, "outputs": values, "parameters": values},
    )
    | values
).map(lambda body: json.dumps(body).encode())
words = st.text(max_size=60) | st.sampled_from(
    [
        "1-1",
        "99-99",
        "open",
        "environment.air",
        "2026-01-01T00:00:00Z",
        "A1",
        "\x00",
        "masked",
        "0",
        "%",
        "json",
    ]
)


@pytest.fixture
def client(models_dir, settings, database_url):
    """Made by hand for the whole run of examples: they change nothing."""
    on = settings.model_copy(update={"kserve": True, "open311": True, "database_url": database_url})
    with TestClient(create_app(ModelStore(models_dir), on), raise_server_exceptions=False) as client:
        client.app.state.ledger.record([entry("A1", text=f"请致电{PHONE}")])
        yield client


quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(bodies)
def test_any_inference_body(client, body):
    answer = client.post(
        "/v2/models/hotline/infer", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in DOCUMENTED, answer.text
    assert set(answer.json()) >= ({"error"} if answer.status_code != 200 else {"outputs"})


@quick
@given(
    st.sampled_from(["/v1/feed", "/open311/v2/requests.json", "/open311/v2/requests.xml"]),
    st.dictionaries(
        st.sampled_from(
            [
                "after",
                "limit",
                "text",
                "service_request_id",
                "service_code",
                "start_date",
                "end_date",
                "status",
            ]
        ),
        words,
    ),
)
def test_any_question(client, path, query):
    answer = client.get(path, params=query)
    assert answer.status_code in DOCUMENTED, answer.text
    assert PHONE not in answer.text


@quick
@given(st.sampled_from(["services", "requests"]), words.filter(lambda word: word not in (".", "..")))
def test_any_path(client, kind, word):
    from urllib.parse import quote

    answer = client.get(f"/open311/v2/{kind}/{quote(word, safe='')}.json")
    assert answer.status_code in DOCUMENTED, answer.text
