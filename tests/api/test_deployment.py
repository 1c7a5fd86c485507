"""What is shipped for operations names what is there."""

import configparser
import json
import re
from pathlib import Path

from api.metrics import Metrics
from api.settings import Settings, variable_of

ROOT = Path(__file__).parents[2]


def test_every_metric_of_the_dashboard_exists():
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    known = {metric.name for metric in Metrics().registry.collect()}
    asked = {
        re.sub("_(total|bucket|sum|count)$", "", name)
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"hotline_\w+", target["expr"])
    }
    assert len(asked) >= 6
    assert asked <= known


def test_settings_that_are_written_down_exist():
    known = {variable_of(name) for name in Settings.model_fields} | {"HOTLINE_CONFIG"}
    for name in ("Dockerfile", "docs/hotline.service", "docs/operations.md", "docs/access.md"):
        written = set(re.findall(r"HOTLINE_[A-Z0-9_]+", (ROOT / name).read_text(encoding="utf-8")))
        assert written <= known, name


def test_every_setting_is_in_the_operations_manual():
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in manual] == []


def test_the_unit_gives_away_no_rights():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(ROOT / "docs" / "hotline.service", encoding="utf-8")
    service = unit["Service"]
    assert service["NoNewPrivileges"] == service["DynamicUser"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["ExecStart"].endswith("hotline serve")


def test_the_image_runs_as_nobody_in_particular_and_copies_what_the_build_needs():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER hotline" in lines
    copied = {
        word
        for line in lines
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert {"classifier", "training", "api", "models/default", "hatch_build.py", "pyproject.toml"} <= copied
    assert all((ROOT / name).exists() for name in copied)
