"""Compiles classifier/native/ when the program is installed or its wheel is built.

The compiler is `python -m ziglang cc`, which pip installs for the build alone, so that a machine needs
nothing but Python and pip, and every machine compiles with the same compiler. The library has a plain
C interface: one wheel for each platform serves every version of Python.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path("classifier/native")
LIBRARIES = {"win32": "kernel.dll", "darwin": "libkernel.dylib"}
FLAGS = (
    "-std=gnu11",
    "-O3",
    "-ffp-contract=off",  # the same answers on every processor
    "-fno-math-errno",
    "-fno-sanitize=undefined",  # on by default in zig
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Wno-psabi",
    "-shared",
    "-fPIC",
    "-s",
)
BASELINES = {"x86_64": "x86_64_v2"}  # processors from 2009 on; what newer ones have is asked for when run


class KernelHook(BuildHookInterface):
    """Puts the compiled kernel beside its sources, from where the wheel or the checkout takes it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the platform in the wheel's tag."""
        library = Path(self.root) / NATIVE / LIBRARIES.get(sys.platform, "libkernel.so")
        compile_kernel(Path(self.root) / NATIVE, library)
        build_data["artifacts"].append(str(NATIVE / library.name))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def compile_kernel(sources: Path, library: Path) -> None:
    """Compile the C files of a folder to a shared library, for processors like this one and older."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    target = f"{machine}-{_system()}"
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target]
    command += [f"-mcpu={BASELINES[machine]}"] if machine in BASELINES else []
    command += [*FLAGS, f"-DSOURCES={digest(sources)}", *sorted(map(str, sources.glob("*.c")))]
    fresh = library.with_name(f".{library.name}.part")  # a running program keeps the old one until it ends
    subprocess.run([*command, "-o", str(fresh)], check=True)
    fresh.replace(library)


def digest(sources: Path) -> str:
    """The SHA-256 of all sources, as classifier/library.py computes it too."""
    found = hashlib.sha256()
    for path in sorted([*sources.glob("*.c"), *sources.glob("*.h")]):
        found.update(path.read_bytes())
    return found.hexdigest()


def _system() -> str:
    """The system as zig names it; on Linux an old C library, so that a wheel runs on older systems too."""
    if sys.platform == "win32":
        return "windows-gnu"
    if sys.platform == "darwin":
        return "macos"
    return "linux-gnu.2.17" if platform.libc_ver()[0] == "glibc" else "linux-musl"
