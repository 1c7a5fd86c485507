import io
import json
import logging
import warnings

from pydantic import BaseModel

from api import logs
from classifier.errors import NoModel

PHONE = "13800138000"


class Model(BaseModel):
    number: int


def fail():
    text = f"电话{PHONE}"
    try:
        Model(number=text)  # pydantic's message repeats what came in
    except ValueError as error:
        raise RuntimeError(text) from error


def test_an_exception_is_its_kinds_and_places_and_no_value(log):
    try:
        fail()
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    (line,) = log()
    assert line["traceback"][0] == "builtins.RuntimeError"
    assert any("ValidationError" in one for one in line["traceback"])
    assert any(one.endswith(" fail") and "test_logs.py:" in one for one in line["traceback"])
    assert PHONE not in json.dumps(line)


def test_our_own_errors_say_why(log):
    try:
        raise NoModel("没有当前模型")
    except NoModel:
        logging.getLogger("x").exception("模型载入失败")
    (line,) = log()
    assert (line["event"], line["reason"]) == ("模型载入失败", "没有当前模型")


def test_other_libraries_are_cut_to_their_first_line(log):
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task %s>", PHONE)
    (line,) = log()
    assert line["event"] == "Task exception was never retrieved"


def test_warnings_go_to_the_log(log):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(f"serialized unexpected\n  value {PHONE}", UserWarning, stacklevel=1)
    assert PHONE not in json.dumps(log())


def test_a_log_for_people_is_text(log):
    written = io.StringIO()
    logs.set_up("text", written)
    logging.getLogger("hotline").warning("磁盘快满了")
    assert "磁盘快满了" in written.getvalue()
    assert not written.getvalue().startswith("{")
