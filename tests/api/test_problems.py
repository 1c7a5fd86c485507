import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field
from structlog.testing import capture_logs

from api.problems import MEDIA_TYPE, add_problems, without_folders
from classifier.errors import DamagedBundle, HotlineError, InputError, LabelError, NoModel, OutputError

HOME = "我家住在迎宾大道三十号"
ERRORS = {
    "input": InputError("第 3 行有误"),
    "label": LabelError("未知标签"),
    "no_model": NoModel("没有当前模型"),
    "damaged": DamagedBundle("已损坏"),
    "elsewhere": DamagedBundle("/srv/hotline/models/default 已损坏"),
    "output": OutputError("磁盘空间不足"),
    "ours": HotlineError("别的"),
    "foreign": RuntimeError(HOME),
}


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=5, pattern=r"\S")
    flag: bool = False


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    orders: list[Inner] = Field(min_length=1, max_length=3)


@pytest.fixture
def client():
    app = FastAPI()
    add_problems(app)

    @app.get("/raise/{name}")
    def raise_it(name: str) -> None:
        raise ERRORS[name]

    @app.post("/orders")
    def take(arrived: Outer) -> dict[str, str]:
        return {}

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def problem_of(answer, status):
    assert answer.status_code == status
    assert answer.headers["content-type"] == MEDIA_TYPE
    found = answer.json()
    assert found["status"] == status
    assert found["title"]
    return found


@pytest.mark.parametrize(
    ("name", "status"),
    [("input", 422), ("label", 422), ("no_model", 503), ("damaged", 503), ("output", 507), ("ours", 500)],
)
def test_each_error_of_ours_has_its_status_and_says_what_it_is(client, name, status):
    found = problem_of(client.get(f"/raise/{name}"), status)
    assert found["detail"] == str(ERRORS[name])
    assert found["type"] == "about:blank"


def test_a_mistake_of_ours_is_a_problem_that_tells_nothing(client):
    answer = client.get("/raise/foreign")
    assert "服务日志" in problem_of(answer, 500)["detail"]
    assert HOME not in answer.text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("/srv/hotline/hotline.db 不是 SQLite 数据库", "hotline.db 不是 SQLite 数据库"),
        ("台账（/srv/数据/hotline.db）的表不全", "台账（hotline.db）的表不全"),
        ("台账（postgresql+psycopg://me:***@db.lan:5432/hotline）的表不全", "台账（hotline）的表不全"),
        (r"没有台账 C:\\hotline\\hotline.db。请先", "没有台账 hotline.db。请先"),
        ("诉求类型/紧急 有误，见 public/private", "诉求类型/紧急 有误，见 public/private"),
    ],
)
def test_where_a_file_or_database_is_stays_on_this_machine(said, told):
    assert without_folders(said) == told


def test_what_the_answer_leaves_out_stands_in_the_log(client):
    with capture_logs() as lines:
        found = problem_of(client.get("/raise/elsewhere"), 503)
    assert found["detail"] == "default 已损坏"
    assert [line["reason"] for line in lines] == ["/srv/hotline/models/default 已损坏"]


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({"orders": [{"text": ""}]}, "#/orders/0/text", "不能为空"),
        ({"orders": [{"text": "a"}, {"text": HOME}]}, "#/orders/1/text", "最多 5 个字符"),
        ({"orders": [{"text": 7}]}, "#/orders/0/text", "字符串"),
        ({"orders": [{}]}, "#/orders/0/text", "缺少"),
        ({"orders": [{"text": "a", "flag": "也许"}]}, "#/orders/0/flag", "true 或 false"),
        ({"orders": [{"text": "a", "flag": [1]}]}, "#/orders/0/flag", "true 或 false"),
        ({"orders": []}, "#/orders", "至少 1 条"),
        ({"orders": [{"text": "a"}] * 4}, "#/orders", "最多 3 条"),
        ({"orders": {}}, "#/orders", "数组"),
        ({"orders": [{"text": "a"}], "x/y~z": 1}, "#", "有多余的字段"),
        ([], "#", "JSON 对象"),
        ("text", "#", "JSON 对象"),
        ({}, "#/orders", "缺少"),
    ],
)
def test_what_is_wrong_is_pointed_at_in_chinese(client, body, pointer, said):
    answer = client.post("/orders", json=body)
    found = problem_of(answer, 422)
    assert [one["pointer"] for one in found["errors"]] == [pointer]
    assert said in found["errors"][0]["detail"]
    assert pointer in found["detail"]
    assert HOME not in answer.text


def test_every_mistake_is_listed(client):
    found = problem_of(client.post("/orders", json={"orders": [{"text": ""}, {"text": ""}], "more": 1}), 422)
    assert sorted(one["pointer"] for one in found["errors"]) == [
        "#",
        "#/orders/0/text",
        "#/orders/1/text",
    ]
    assert "3 处有误" in found["detail"]


@pytest.mark.parametrize("body", [b"{", b"", b'{"orders": [{"text": "\xff\xfe"}]}', b"[" * 100_000])
def test_what_is_no_json_is_a_bad_request(client, body):
    answer = client.post("/orders", content=body, headers={"content-type": "application/json"})
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.status_code == (422 if body == b"" else 400)
    assert all(one["pointer"] == "#" for one in answer.json().get("errors", []))


def test_what_is_not_declared_as_json_is_told_so(client):
    answer = client.post("/orders", content=json.dumps({"orders": [{"text": "a"}]}))
    assert "application/json" in problem_of(answer, 422)["errors"][0]["detail"]


@pytest.mark.parametrize("body", [b'{"orders": [{"text": "\\ud800"}]}', b'{"orders": [], "\\ud800": 1}'])
def test_half_a_character_is_refused_rather_than_fatal(client, body):
    answer = client.post("/orders", content=body, headers={"content-type": "application/json"})
    problem_of(answer, 422)


def test_an_unknown_address_is_a_problem(client):
    assert problem_of(client.get("/nothing"), 404)["title"] == "没有这个地址"


def test_a_wrong_method_is_a_problem_and_the_right_one_is_named(client):
    answer = client.get("/orders")
    assert problem_of(answer, 405)["title"] == "这个地址不支持该方法"
    assert answer.headers["allow"] == "POST"
