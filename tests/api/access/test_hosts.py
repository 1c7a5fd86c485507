"""An open service on this machine answers to this machine's names, and to no page that borrowed one."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from api.access.hosts import is_rebound
from api.access.keys import new_key
from api.app import create_app
from api.ledger.ledger import Ledger
from classifier.store import ModelStore


def request(host, server):
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "server": server})


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8345", "localhost", "LOCALHOST:8345", "[::1]:8345", "127.0.0.2", None]
)
def test_this_machine_s_names_are_its_own(host):
    assert not is_rebound(request(host, ("127.0.0.1", 8345)))


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8345", "10.0.0.1", "[::1", "127.0.0.1.evil"]
)
def test_other_names_are_not(host):
    assert is_rebound(request(host, ("127.0.0.1", 8345)))
    assert is_rebound(request(host, ("::1", 8345)))


def test_a_service_that_other_machines_reach_goes_by_any_name():
    assert not is_rebound(request("hotline.example", ("10.0.0.1", 8345)))


def test_it_is_refused_until_there_is_a_key(models_dir, settings):
    app = create_app(ModelStore(models_dir), settings)

    async def at_loopback(scope, receive, send):
        await app(scope | {"server": ("127.0.0.1", 8345)}, receive, send)

    with TestClient(at_loopback, base_url="http://evil.example") as client:
        refused = client.get("/v1/taxonomy")
        assert refused.status_code == 421
        assert "hotline keys add" in refused.json()["detail"]
        assert client.get("/livez").status_code == 200
        assert client.get("/v1/taxonomy", headers={"host": "localhost:8345"}).status_code == 200


def test_with_a_key_any_name_will_do(models_dir, settings):
    token, stored = new_key("城管", ["read"])
    ledger = Ledger(settings).open(create=True)
    ledger.access.add_key(stored, "test")
    ledger.close()
    app = create_app(ModelStore(models_dir), settings)

    async def at_loopback(scope, receive, send):
        await app(scope | {"server": ("127.0.0.1", 8345)}, receive, send)

    with TestClient(at_loopback, base_url="http://hotline.example") as client:
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/v1/taxonomy", headers=headers).status_code == 200
        assert client.get("/v1/taxonomy").status_code == 401
