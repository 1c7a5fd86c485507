"""KServe's V2 inference protocol (Open Inference Protocol) over HTTP: the model as `hotline`.

https://github.com/kserve/open-inference-protocol, `specification/protocol/inference_rest.md`. Texts are
tagged and nothing is recorded: the protocol knows neither ids of work orders nor when they were received.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version as installed
from math import prod
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from classifier.errors import InputError
from classifier.model import Model
from classifier.work_order import Tags, request_of

from ..routes.dependencies import TheModels
from ..schemas import LONGEST, MOST
from .route import facade_route

NAME = "hotline"
PLATFORM = "hotline-linear"
TEXT, TITLE = "text", "title"

_DEEPEST = 2  # of a shape such as [n, 1]

Cell = str | float | bool
Version = Annotated[str, Path(max_length=200, description="模型版本；只有现行版本")]


class Tensor(BaseModel):
    """A tensor of a request: `data` is flat or nested by `shape`."""

    name: str = Field(max_length=100)
    shape: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, max_length=_DEEPEST)
    datatype: str = Field(max_length=20)
    parameters: dict[str, Any] | None = None
    data: list[Any] = Field(max_length=MOST)


class RequestedOutput(BaseModel):
    """An output that the client wants."""

    name: str = Field(max_length=100)
    parameters: dict[str, Any] | None = None


class InferenceRequest(BaseModel):
    """Texts to be tagged, and which of the outputs are wanted; all, if nothing is said."""

    id: str | None = Field(default=None, max_length=200)
    parameters: dict[str, Any] | None = None
    inputs: list[Tensor] = Field(min_length=1, max_length=2)
    outputs: list[RequestedOutput] | None = Field(default=None, max_length=100)


def _error(_request: Request, status: int, said: str) -> JSONResponse:
    return JSONResponse({"error": said}, status)


class InferenceError(BaseModel):
    """What is wrong."""

    error: str


router = APIRouter(
    prefix="/v2",
    tags=["kserve"],
    route_class=facade_route(_error),
    responses={status: {"model": InferenceError} for status in (400, 404, 503)},
)


@router.get("")
def server() -> dict[str, Any]:
    """Name and version of the server."""
    return {"name": NAME, "version": installed("hotline-classifier"), "extensions": []}


@router.get("/health/live")
def live() -> dict[str, bool]:
    """The process answers."""
    return {"live": True}


@router.get("/health/ready")
def ready(models: TheModels) -> dict[str, bool]:
    """A sound model is loaded, else 503."""
    models.current()
    return {"ready": True}


@router.get(f"/models/{NAME}")
def model(models: TheModels) -> dict[str, Any]:
    """The model's inputs and outputs."""
    return _metadata(models.current())


@router.get(f"/models/{NAME}/versions/{{version}}")
def model_of_version(version: Version, models: TheModels) -> dict[str, Any]:
    """The same of a version, which must be the current one."""
    return _metadata(_current(models, version))


@router.get(f"/models/{NAME}/ready")
def model_ready(models: TheModels) -> dict[str, Any]:
    """The current model is loaded, else 503."""
    models.current()
    return {"name": NAME, "ready": True}


@router.get(f"/models/{NAME}/versions/{{version}}/ready")
def version_ready(version: Version, models: TheModels) -> dict[str, Any]:
    """A version is the current one, else 404."""
    _current(models, version)
    return {"name": NAME, "ready": True}


@router.post(f"/models/{NAME}/infer")
def infer(arrived: InferenceRequest, models: TheModels) -> dict[str, Any]:
    """Tag texts; each output has a value for each text, in order."""
    return _inference(arrived, models.current())


@router.post(f"/models/{NAME}/versions/{{version}}/infer")
def infer_by_version(version: Version, arrived: InferenceRequest, models: TheModels) -> dict[str, Any]:
    """The same with a version, which must be the current one."""
    return _inference(arrived, _current(models, version))


def _current(models: TheModels, version: str) -> Model:
    current = models.current()
    if current.version != version:
        raise HTTPException(404, "没有这个版本，或它不是现行版本；现行版本见 GET /v2/models/hotline")
    return current


def _metadata(current: Model) -> dict[str, Any]:
    inputs = [{"name": name, "datatype": "BYTES", "shape": [-1]} for name in (TEXT, TITLE)]
    outputs = [
        {"name": name, "datatype": datatype, "shape": [-1]}
        for name, (datatype, _) in _outputs(current).items()
    ]
    return {
        "name": NAME,
        "versions": [current.version],
        "platform": PLATFORM,
        "inputs": inputs,
        "outputs": outputs,
    }


def _outputs(current: Model) -> dict[str, tuple[str, Callable[[Tags], Cell]]]:
    """What the model can say, by the name of the output: its type, and how it is taken from tags."""
    facets = current.facets
    found: dict[str, tuple[str, Callable[[Tags], Cell]]] = {
        "category": ("BYTES", lambda tags: tags["category"].label),
        "category_name": ("BYTES", lambda tags: facets["category"].path(tags["category"].label)),
        "category_confidence": ("FP32", lambda tags: round(tags["category"].confidence, 4)),
    }
    if "scope" in facets:
        found["scope"] = ("BYTES", lambda tags: tags["scope"].first)
        found["scope_confidence"] = ("FP32", lambda tags: round(tags["scope"].first_confidence, 4))
        found["scope_detail"] = ("BYTES", lambda tags: tags["scope"].label)
        found["scope_detail_confidence"] = ("FP32", lambda tags: round(tags["scope"].confidence, 4))
    if "request_type" in facets:
        found["request_type"] = ("BYTES", lambda tags: tags["request_type"].label)
        found["request_type_confidence"] = ("FP32", lambda tags: round(tags["request_type"].confidence, 4))
    if "urgent" in facets:
        found["urgent"] = ("BOOL", lambda tags: tags["urgent"].label == "1")
        found["urgent_confidence"] = ("FP32", lambda tags: round(tags["urgent"].confidence, 4))
    found["decision"] = ("BYTES", lambda tags: tags.decision)
    return found


def _inference(arrived: InferenceRequest, current: Model) -> dict[str, Any]:
    known = _outputs(current)
    wanted = [one.name for one in arrived.outputs] if arrived.outputs else list(known)
    if not set(wanted) <= set(known):
        raise InputError(f"outputs 中有不认识的输出，可用的是 {'、'.join(known)}")
    tags = current.tag(_requests(arrived.inputs))
    answer: dict[str, Any] = {"model_name": NAME, "model_version": current.version}
    if arrived.id is not None:
        answer["id"] = arrived.id
    answer["outputs"] = [
        {
            "name": name,
            "shape": [len(tags)],
            "datatype": known[name][0],
            "data": [known[name][1](one) for one in tags],
        }
        for name in dict.fromkeys(wanted)
    ]
    return answer


def _requests(inputs: Sequence[Tensor]) -> list[str]:
    """What the model is to read: each text, with its title where titles were sent."""
    by_name = {tensor.name: tensor for tensor in inputs}
    if TEXT not in by_name or len(by_name) < len(inputs) or not set(by_name) <= {TEXT, TITLE}:
        raise InputError("inputs 应有一个名为 text 的张量，另可有一个 title，不能有别的")
    texts = _strings(by_name[TEXT])
    titles = _strings(by_name[TITLE]) if TITLE in by_name else [""] * len(texts)
    if len(titles) != len(texts):
        raise InputError(f"title 有 {len(titles)} 个，text 有 {len(texts)} 个，应一样多")
    return [request_of(title, text) for title, text in zip(titles, texts, strict=True)]


def _strings(tensor: Tensor) -> list[str]:
    if tensor.datatype != "BYTES":
        raise InputError(f"输入 {tensor.name} 的 datatype 应为 BYTES")
    cells: list[Any] = []
    for cell in tensor.data:
        cells += cell if isinstance(cell, list) else [cell]
    if prod(tensor.shape) != len(cells) or not cells:
        raise InputError(f"输入 {tensor.name} 的 shape 与 data 不符：data 有 {len(cells)} 个")
    if len(cells) > MOST:
        raise InputError(f"输入 {tensor.name} 太多，一次最多 {MOST} 个")
    if not all(isinstance(cell, str) and len(cell) <= LONGEST for cell in cells):
        raise InputError(f"输入 {tensor.name} 的 data 应为字符串，每个最多 {LONGEST} 字")
    return cells
