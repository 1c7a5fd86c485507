"""`hotline serve` as a real process on a free port, for tests and measurements."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SECONDS = 60  # of patience


class Served:
    """A service as a context manager; its log is in `log`."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.port = free_port()
        self.log = Path(tempfile.mkstemp(prefix="hotline-served-")[1])
        command = [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", self.port]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in (*command, *arguments)],
                stdout=log,
                stderr=log,
                env=os.environ | environment,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            try:
                if self.get("/livez")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.05)
            if self.process.poll() is not None:
                break
        raise AssertionError(f"the service did not come up: {self.log.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(SECONDS)
        self.log.unlink()

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def tag(self, orders: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        """Status and answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            body = json.dumps({"work_orders": orders})
            connection.request("POST", "/v1/tags", body, {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    def stop(self) -> int:
        """Tell it to stop, wait, and give the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def lines(self) -> list[dict[str, Any]]:
        """Its log, each line of which must be JSON."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def metrics(self) -> dict[str, float]:
        """Each sample by its name and labels as they are written."""
        text = self.get("/metrics")[1]
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def workers(self) -> list[int]:
        """The ids of the processes that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(one) for one in children if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()] or [
            self.process.pid
        ]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
