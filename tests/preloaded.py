"""The installed command in processes that start in milliseconds, for tests that start many.

A process loads the program once and forks a child for each command, which then runs the command's own
`main`; only the time that Python takes to import is saved.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_PROGRAM = """
import json, os, sys
import alembic.command, joblib, pandas, psycopg, pyarrow, rjieba, scipy.sparse, sqlalchemy, uvicorn
import api.app, api.cli, api.recording, classifier.batch, uvicorn.protocols.http.auto, uvicorn.loops.auto
for line in sys.stdin:
    arguments, log = json.loads(line)
    pid = os.fork()
    if not pid:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        os.dup2(2, 1)
        sys.argv = ["hotline", *arguments]
        code = 1
        try:
            api.cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            sys.stderr.flush()
            os._exit(code)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Preloaded:
    """Starts commands one after the other; `start` gives the process's id, `wait` its exit code."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.log = Path(tempfile.mkstemp(prefix="hotline-log-")[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self.log.unlink()

    def start(self, *arguments: object) -> int:
        """Run a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([[*map(str, arguments)], str(self.log)]) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """The exit code of the command, which is waited for."""
        return int(self._line())

    def kill(self, pid: int) -> int:
        """`kill -9` the command and whatever it has started; -9 is its exit code unless it was quicker."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        return self.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()
