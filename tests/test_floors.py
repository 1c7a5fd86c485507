"""The three floors, held up: who may import whom, and what the online path never loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOADED = """
import sys
sys.argv = ["hotline", *sys.argv[1:]]
from api.cli import main
try:
    main()
finally:
    print("LOADED", *sorted({*sys.modules, *(name.partition(".")[0] for name in sys.modules)}))
"""


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, cwd=ROOT)


def loaded_by(*arguments: object) -> set[str]:
    """The modules and packages that a command has loaded when it is done."""
    done = run(sys.executable, "-c", LOADED, *arguments)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_no_floor_imports_one_above_it():
    done = run(Path(sys.executable).with_name("lint-imports"), "--no-cache")
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
    assert "0 kept" not in done.stdout


def test_the_contracts_can_break(tmp_path):
    (tmp_path / "low").mkdir()
    (tmp_path / "high").mkdir()
    (tmp_path / "high" / "__init__.py").touch()
    (tmp_path / "low" / "__init__.py").write_text("def f():\n    import high\n")
    contract = "\n[tool.importlinter]\nroot_packages = ['low', 'high']\n"
    contract += "[[tool.importlinter.contracts]]\nname = 'x'\ntype = 'layers'\nlayers = ['high', 'low']\n"
    (tmp_path / "pyproject.toml").write_text(contract)
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1  # also an import that is hidden in a function is found
    assert "1 broken" in done.stdout


@pytest.mark.parametrize("options", [[], ["--explain"]])
def test_tagging_loads_nothing_heavy(models_dir, options):
    loaded = loaded_by("tag", "路灯不亮", *options, "--models-dir", models_dir)
    assert "classifier.kernel" in loaded
    heavy = {
        "training",
        "sklearn",
        "scipy",
        "pandas",
        "pyarrow",
        "joblib",
        "fastapi",
        "uvicorn",
        "jieba",
        "sqlalchemy",
    }
    assert not loaded & heavy


def test_help_loads_no_numbers_and_no_model():
    loaded = loaded_by("--help")
    assert "typer" in loaded
    heavy = {"numpy", "scipy", "sklearn", "pandas", "pyarrow", "fastapi", "pydantic", "jieba", "opencc"}
    assert not loaded & {*heavy, "classifier.model", "training", "rich.progress", "rich.table"}


def test_tagging_to_json_loads_no_framework_and_no_training(models_dir):
    loaded = loaded_by("tag", "路灯不亮", "--json", "--models-dir", models_dir)
    assert not loaded & {"training", "sklearn", "pandas", "pyarrow", "fastapi", "uvicorn", "sqlalchemy"}


def test_a_file_is_tagged_without_training_or_http(models_dir, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("诉求内容\n路灯不亮\n", encoding="utf-8")
    loaded = loaded_by("batch", source, tmp_path / "out.csv", "--models-dir", models_dir)
    assert "joblib" in loaded
    assert not loaded & {"training", "sklearn", "pandas", "pyarrow", "fastapi", "uvicorn", "sqlalchemy"}


def test_the_service_never_loads_training(models_dir):
    program = (
        "import sys; from pathlib import Path; from api.app import create_app;"
        "from classifier.store import ModelStore; from api.settings import Settings;"
        "store = ModelStore(Path(sys.argv[1])); store.current(); create_app(store, Settings());"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = run(sys.executable, "-c", program, models_dir)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "fastapi" in loaded
    assert not loaded & {"training", "sklearn", "pandas"}


@pytest.mark.parametrize("package", ["classifier", "training", "api"])
def test_importing_a_package_does_nothing_and_loads_nothing(package):
    program = f"import sys; before = set(sys.modules); import {package}; print(*set(sys.modules) - before)"
    assert run(sys.executable, "-c", program).stdout.split() == [package]


@pytest.mark.parametrize("folder", ["tests", "models"])
def test_generic_folders_are_no_packages(folder):
    assert (ROOT / folder).is_dir()
    assert list((ROOT / folder).rglob("__init__.py")) == []


def test_models_hold_no_python_and_no_pickle():
    suffixes = {path.suffix for path in (ROOT / "models").rglob("*") if path.is_file()}
    assert not suffixes & {".py", ".pkl", ".pickle", ".joblib"}


def test_tests_mirror_the_floors():
    floors = {"classifier", "training", "api"}
    assert {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"__pycache__"} <= floors
