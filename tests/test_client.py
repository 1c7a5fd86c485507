"""The example client against a real service, which is stopped and started under it."""

import importlib.util
import threading
import time
from pathlib import Path

import pytest

from tests.served import Served

PATH = Path(__file__).parent.parent / "examples" / "client.py"
TEXT = "迎宾大道的路灯不亮，夜里看不清路"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("example_client", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def served(models_dir, tmp_path):
    with Served("--models-dir", models_dir, "--database", tmp_path / "hotline.db") as served:
        yield served


def test_it_tags_corrects_and_counts(example, served):
    orders = [{"work_order_id": f"GD{number}", "text": f"{TEXT}{number}"} for number in range(1500)]
    with example.Hotline(f"http://127.0.0.1:{served.port}") as client:
        results = list(client.tag(orders))
        assert [one["work_order_id"] for one in results] == [order["work_order_id"] for order in orders]
        client.correct("GD7", {"urgent": "1"}, "张三", "漏电")
        rows = client.volumes(facet="urgent")["rows"]
        assert {row["label"]["code"]: row["volume"] for row in rows}["1"] >= 1
        assert sum(row["volume"] for row in rows) == 1500
        with pytest.raises(example.Problem, match="编号"):
            client.correct("gone", {"urgent": "1"}, "张三")
        with pytest.raises(example.Problem) as caught:
            list(client.tag([{"text": ""}]))
        assert caught.value.status == 422
        assert "不能为空" in caught.value.detail


def test_it_tries_again_until_the_service_is_back(example, models_dir, tmp_path):
    arguments = ("--models-dir", models_dir, "--database", tmp_path / "hotline.db")
    with Served(*arguments) as first:
        port = first.port
    found = []

    def ask():
        with example.Hotline(f"http://127.0.0.1:{port}") as client:
            found.extend(client.tag([{"work_order_id": "A1", "text": TEXT}]))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    again = Served(*arguments, "--port", port)
    again.port = port
    with again:
        assert again.get("/livez")[0] == 200
        asking.join(30)
    assert [one["work_order_id"] for one in found] == ["A1"]
