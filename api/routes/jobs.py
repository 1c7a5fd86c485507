"""Files to be tagged: sent, watched, fetched."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal, Self, cast

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from classifier.errors import InputError, NoJob

from ..access.caller import Caller, caller_of
from ..jobs.files import JobFiles, TooLarge, kind_of, shown, suffix_of
from ..ledger.jobs import FINISHED, StoredJob
from ..periods import SHANGHAI
from ..problems import problem
from ..settings import Settings
from .dependencies import TheLedger, TheModels

router = APIRouter(tags=["jobs"])

_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
_MOMENT = "%Y%m%dT%H%M%S.%f"
JobId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Column = Annotated[str | None, Form(max_length=200)]


class JobOut(BaseModel):
    """A job as it stands."""

    job_id: str
    name: str = Field(description="文件名")
    state: Literal["queued", "running", "done", "partly", "failed", "cancelled"] = Field(
        description="排队、处理中、完成、部分完成（有的行未能打标）、失败、已取消"
    )
    rows: int | None = Field(default=None, description="总行数；开始处理后才知道")
    done: int = Field(description="已处理的行数")
    failed: int = Field(description="未能打标或记录的行数")
    error: str | None = Field(default=None, description="失败的原因")
    model_version: str
    format: str = Field(description="结果的格式")
    created_at: datetime
    finished_at: datetime | None = None
    links: dict[str, str] = Field(description="self 进度、result 结果、errors 未能打标的行")

    @classmethod
    def of(cls, job: StoredJob) -> Self:
        """From the ledger's terms."""
        here = f"/v1/jobs/{job.job_id}"
        links = {"self": here}
        if job.state in ("done", "partly"):
            links["result"] = f"{here}/result"
            links |= {"errors": f"{here}/errors"} if job.failed else {}
        return cls.model_validate(
            {
                **{
                    name: getattr(job, name) for name in ("job_id", "name", "state", "rows", "done", "failed")
                },
                "error": job.error,
                "model_version": job.options["model_version"],
                "format": job.options["kind"],
                "created_at": job.created_at,
                "finished_at": job.finished_at,
                "links": links,
            }
        )


class JobsOut(BaseModel):
    """Some jobs, the newest first."""

    jobs: list[JobOut]
    next_cursor: str | None = Field(default=None, description="还有更早的任务时，用作 cursor 再问")


def _written(job: StoredJob) -> str:
    """A job as the cursor behind it."""
    return f"{job.created_at.astimezone(SHANGHAI):{_MOMENT}}-{job.job_id}"


def _read(cursor: str) -> tuple[datetime, str]:
    moment, _, job_id = cursor.partition("-")
    try:
        return datetime.strptime(moment, _MOMENT).replace(tzinfo=SHANGHAI), job_id
    except ValueError as error:
        raise InputError("cursor 应为上一页给出的 next_cursor，请原样送回") from error


def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


def _mine(job: StoredJob, caller: Caller) -> StoredJob:
    """A job of the caller's own; an administrator sees all."""
    if job.caller != caller.actor and not caller.may("admin"):
        raise NoJob("没有这个任务，或已过保存期，请核对任务编号")
    return job


@router.post("/jobs", status_code=HTTPStatus.ACCEPTED, response_model_exclude_none=True)
async def send_job(
    request: Request,
    response: Response,
    models: TheModels,
    ledger: TheLedger,
    file: UploadFile,
    format: Annotated[
        Literal["xlsx", "csv", "parquet"] | None, Form(description="结果的格式；不写时同原文件")
    ] = None,
    record: Annotated[bool, Form(description="是否记入台账")] = False,
    text_column: Column = None,
    title_column: Column = None,
    id_column: Column = None,
    received_at_column: Column = None,
) -> JobOut:
    """Take a file to be tagged."""
    settings, caller = _settings(request), caller_of(request)
    name = file.filename or ""
    suffix = suffix_of(name)
    columns = {
        "text": text_column,
        "title": title_column,
        "work_order_id": id_column,
        "received_at": received_at_column,
    }
    options = {
        "suffix": suffix,
        "kind": kind_of(format, suffix),
        "record": record,
        "columns": {role: column for role, column in columns.items() if column},
        "model_version": models.current_version(),
    }
    job_id = secrets.token_hex(16)
    files = JobFiles(settings.jobs_dir, job_id)
    try:
        await files.take(_pieces(file), suffix, settings.job_bytes)
    except TooLarge:
        detail = f"文件最大 {settings.job_bytes:,} 字节，请拆成几份"
        return cast(JobOut, problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail))
    try:
        await asyncio.to_thread(ledger.jobs.add, job_id, shown(name), caller.actor, options)
    except BaseException:
        files.remove()  # nobody would know of them
        raise
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return JobOut.of(await asyncio.to_thread(ledger.jobs.find, job_id))


async def _pieces(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(1 << 20):
        yield piece


@router.get("/jobs", response_model_exclude_none=True)
def list_jobs(
    request: Request,
    ledger: TheLedger,
    cursor: Annotated[str | None, Query(description="上一页给出的 next_cursor")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="每页最多几个")] = 100,
) -> JobsOut:
    """The caller's jobs, the newest first; those of all for an administrator."""
    caller = caller_of(request)
    actor = None if caller.may("admin") else caller.actor
    found = ledger.jobs.newest(actor, limit + 1, _read(cursor) if cursor else None)
    shown, following = found[:limit], found[limit:]
    return JobsOut(
        jobs=[JobOut.of(job) for job in shown],
        next_cursor=_written(shown[-1]) if following else None,
    )


@router.get("/jobs/{job_id}", response_model_exclude_none=True)
def get_job(job_id: JobId, request: Request, ledger: TheLedger) -> JobOut:
    """How far a job is."""
    return JobOut.of(_mine(ledger.jobs.find(job_id), caller_of(request)))


@router.get("/jobs/{job_id}/result", response_class=FileResponse)
def get_result(job_id: JobId, request: Request, ledger: TheLedger) -> Response:
    """The tagged file."""
    job = _mine(ledger.jobs.find(job_id), caller_of(request))
    kind = job.options["kind"]
    return _file(job, JobFiles(_settings(request).jobs_dir, job_id).target(kind), kind, "已打标")


@router.get("/jobs/{job_id}/errors", response_class=FileResponse)
def get_errors(job_id: JobId, request: Request, ledger: TheLedger) -> Response:
    """The rows that could not be tagged, and why."""
    job = _mine(ledger.jobs.find(job_id), caller_of(request))
    path = JobFiles(_settings(request).jobs_dir, job_id).errors(job.options["kind"])
    return _file(job, path, "csv", "未打标的行")


def _file(job: StoredJob, path: Path, kind: str, what: str) -> Response:
    if job.state not in ("done", "partly"):
        detail = f"任务的状态是 {job.state}，没有结果" + ("" if job.state in FINISHED else "；请稍后再取")
        return problem(HTTPStatus.CONFLICT, detail, {"Retry-After": "2"}, title="任务还没有结果")
    if not path.is_file():
        return problem(HTTPStatus.NOT_FOUND, "没有这个文件：没有未能打标的行，或已过保存期")
    name = f"{Path(job.name).stem}-{what}.{kind}"
    return FileResponse(path, media_type=_TYPES[kind], filename=name)


@router.delete("/jobs/{job_id}", status_code=HTTPStatus.NO_CONTENT)
def delete_job(job_id: JobId, request: Request, ledger: TheLedger) -> Response:
    """Cancel a job, and take its files away."""
    _mine(ledger.jobs.find(job_id), caller_of(request))
    ledger.jobs.cancel(job_id)
    JobFiles(_settings(request).jobs_dir, job_id).remove()
    return Response(status_code=HTTPStatus.NO_CONTENT)
