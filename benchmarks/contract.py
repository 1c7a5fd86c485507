"""Whether the service keeps to its own description, asked by schemathesis: at least 5,000 cases.

    python benchmarks/contract.py [--cases 5000]

A real service on this machine, once open and once with keys; every operation of its OpenAPI with values
that fit and values that do not. Nothing may be answered with a status that is not described, nor with
5xx, nor with a body that is not as described.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.served import Served

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
FACADES = {"HOTLINE_KSERVE": "true", "HOTLINE_OPEN311": "true"}
PROGRAM = """
import sys
from schemathesis.cli import schemathesis
sys.exit(schemathesis())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--cases", type=int, default=5_000)
    cases = parser.parse_args().cases
    with (
        tempfile.TemporaryDirectory() as folder,
        Served("--database", f"{folder}/hotline.db", **FACADES) as served,
    ):
        status, body = served.get("/openapi.json")
        assert status == 200
        operations = sum(len(item) for item in json.loads(body)["paths"].values())
        each = -(-cases // operations)
        url = f"http://127.0.0.1:{served.port}/openapi.json"
        command = [
            sys.executable,
            "-c",
            PROGRAM,
            "run",
            url,
            "--checks",
            CHECKS,
            "--phases",
            "examples,coverage,fuzzing",
        ]
        command += ["--max-examples", str(each), "--seed", "12345", "--continue-on-failure"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        alive = served.get("/readyz")[0] == 200
    print(done.stdout)
    generated = re.search(r"([\d,]+) generated", done.stdout)
    print(
        f"operations: {operations}, cases: {generated[1] if generated else 'unknown'}, service alive: {alive}"
    )
    sys.exit(done.returncode or not alive)


if __name__ == "__main__":
    main()
