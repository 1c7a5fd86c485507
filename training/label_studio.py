"""Label Studio's JSON: work orders out as tasks with predictions, annotated tasks in as samples.

A task is `{"data": {"text": …}, "annotations": […], "predictions": […]}`; an annotation or prediction has a
`result`, a list of `{"from_name", "to_name", "type", "value"}`, whose value is `{"taxonomy": [[first,
second]]}` or `{"choices": [name]}` (labelstud.io: "Label Studio Task Format", "Taxonomy", "Choices"). The
flat export, JSON-MIN, is read, too. `from_name` is the facet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from classifier.errors import InputError
from classifier.records import Chunk, Records
from classifier.table import frame_of
from classifier.taxonomy import Facet, Taxonomy

SUFFIX = ".json"
_TO = "text"
_COLUMNS = {"scope": "scope_detail"}  # what samples call a facet's column, where not as the facet


class LabelStudioRecords(Records):
    """Annotated tasks as rows: a column for each field of `data` and for each control that was used.

    Of several annotations the ground truth goes before, then the last one that was not cancelled. Tasks
    without one are left out: a model's prediction is not a sample.
    """

    def __init__(self, path: Path) -> None:
        tasks = _tasks(path)
        self._rows: list[tuple[int, dict[str, str]]] = []
        several = 0
        for place, task in enumerate(tasks, 1):
            row, more = _row(task, f"{path.name} 第 {place} 个任务")
            several += more
            if row:
                self._rows.append((place, row))
        if not self._rows:
            raise InputError(
                f"{path.name}：{len(tasks)} 个任务都没有人工标注（annotations）。"
                "请在 Label Studio 标注并提交后，以 JSON 格式导出"
            )
        notes = []
        if len(self._rows) < len(tasks):
            notes.append(f"{len(tasks) - len(self._rows)} 个任务没有人工标注，未使用")
        if several:
            notes.append(f"{several} 处标注选了几个标签，只用第一个")
        super().__init__(path, list(dict.fromkeys(name for _, row in self._rows for name in row)), notes)
        self.total = len(self._rows)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """Some tasks at a time."""
        for start in range(0, self.total, size):
            some = self._rows[start : start + size]
            cells = [[row.get(name, "") for name in self.columns] for _, row in some]
            yield Chunk(start, frame_of(cells, self.columns), [place for place, _ in some])


def _tasks(path: Path) -> list[dict[str, Any]]:
    try:
        tasks = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} 读不出来（{error.strerror}），请检查路径和权限") from error
    except (ValueError, RecursionError):  # its message may show a citizen's text
        raise InputError(f"{path.name} 不是正确的 JSON，请从 Label Studio 重新导出") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise InputError(f"{path.name} 不是 Label Studio 的任务列表，请以 JSON 或 JSON-MIN 格式导出")
    return tasks


def _row(task: Mapping[str, Any], where: str) -> tuple[dict[str, str], int]:
    """A task's data and what a person chose, by column; and how often that was more than one label.

    No row where nobody chose anything.
    """
    data = task.get("data")
    if not isinstance(data, dict):  # JSON-MIN, in which data and labels stand side by side
        return _cells({name: cell[0] if _is_list(cell) else cell for name, cell in task.items()})
    chosen = {
        str(part.get("from_name", "")): part["value"]
        for part in _annotation(task, where)
        if isinstance(part, dict) and isinstance(part.get("value"), dict)
    }
    labels, several = _cells(chosen)
    return (_cells(data)[0] | labels if labels else {}), several


def _is_list(cell: object) -> bool:
    return isinstance(cell, list) and bool(cell)


def _cells(fields: Mapping[str, Any]) -> tuple[dict[str, str], int]:
    cells, several = {}, 0
    for name, value in fields.items():
        if isinstance(value, dict):
            label, more = _written(value)
            several += more
        else:
            label = str(value) if isinstance(value, str | int | float) else ""
        if label:
            cells[_COLUMNS.get(str(name), str(name))] = label
    return cells, several


def _annotation(task: Mapping[str, Any], where: str) -> list[Any]:
    annotations = task.get("annotations") or []
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        raise InputError(f"{where}：annotations 不是标注的列表，请从 Label Studio 重新导出")
    valid = [one for one in annotations if not one.get("was_cancelled") and one.get("result")]
    if not valid:
        return []
    chosen = max(enumerate(valid), key=lambda pair: (bool(pair[1].get("ground_truth")), pair[0]))[1]
    return chosen["result"] if isinstance(chosen["result"], list) else []


def _written(value: Mapping[str, Any]) -> tuple[str, bool]:
    """A chosen label as samples write it, and whether it was one of several."""
    chosen = value.get("taxonomy") or value.get("choices") or []
    if not isinstance(chosen, list) or not chosen:
        return "", False
    first = chosen[0]
    label = "/".join(map(str, first)) if isinstance(first, list) else str(first)
    return label, len(chosen) > 1


def task_of(
    data: Mapping[str, str], labels: Mapping[str, tuple[str, ...]], score: float | None, model_version: str
) -> dict[str, Any]:
    """A task whose prediction are `labels`, the names of each facet's label from the first level down."""
    result = [
        {
            "id": facet,
            "from_name": facet,
            "to_name": _TO,
            "type": "taxonomy" if len(names) > 1 else "choices",
            "value": {"taxonomy": [list(names)]} if len(names) > 1 else {"choices": list(names)},
        }
        for facet, names in labels.items()
    ]
    prediction: dict[str, Any] = {"model_version": model_version, "result": result}
    if score is not None:
        prediction["score"] = score
    return {"data": dict(data), "predictions": [prediction]}


def names_of(facet: Facet, code: str) -> tuple[str, ...]:
    """The names of a label as this labelling interface has them: of a category those of both levels."""
    label = facet.by_code[code]
    return (facet.first_names[label.first], label.name) if _is_taxonomy(facet) else (label.name,)


def _is_taxonomy(facet: Facet) -> bool:
    return facet.name == "category" and not facet.is_flat


def labelling_config(taxonomy: Taxonomy) -> str:
    """The labelling interface for such tasks, to be pasted into the project's settings."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$title")
    ElementTree.SubElement(view, "Text", name=_TO, value="$text")
    for name, facet in taxonomy.facets.items():
        ElementTree.SubElement(view, "Header", value=facet.title)
        if _is_taxonomy(facet):
            control = ElementTree.SubElement(view, "Taxonomy", name=name, toName=_TO, leafsOnly="true")
            _nest(control, facet)
        else:
            control = ElementTree.SubElement(view, "Choices", name=name, toName=_TO, choice="single")
            _list(control, [label.name for label in facet.labels])
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _nest(control: ElementTree.Element, facet: Facet) -> None:
    for first in facet.firsts:
        above = ElementTree.SubElement(control, "Choice", value=facet.first_names[first])
        _list(above, [label.name for label in facet.labels if label.first == first])


def _list(above: ElementTree.Element, names: Sequence[str]) -> None:
    for name in names:
        ElementTree.SubElement(above, "Choice", value=name)
