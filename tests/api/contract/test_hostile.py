"""A little of what the benchmarks do at length: bodies, files and questions that nobody should send."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "command",
    [
        ["fuzz_bodies.py", "--cases", "400"],
        ["fuzz_files.py", "--cases", "60", "--over-http", "6"],
        ["contract.py", "--cases", "150"],
    ],
    ids=["bodies", "files", "questions"],
)
def test_nothing_brings_the_service_down_or_makes_it_break_its_word(command):
    program, *arguments = command
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / program), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
