"""Labelled samples from a file: requests, their labels for each facet, and the folds that they belong to."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from classifier.columns import Columns
from classifier.errors import InputError, LabelError
from classifier.masking import mask
from classifier.records import Chunk, Records, as_text
from classifier.taxonomy import Facet, Taxonomy
from classifier.text import clean
from classifier.work_order import WorkOrder

from .sample_files import open_samples

UNKNOWN = -1  # the index of a label that a sample does not give
OUTSIDE = -1  # the fold of a sample that is always learned from and never judged by
FOLDS = 5
SHARE = 0.25  # of a sample that is only learned from; chosen with the invented ones (docs/model.md)
FACET_COLUMNS = {
    "category": "category",
    "scope": "scope_detail",
    "request_type": "request_type",
    "urgent": "urgent",
}

_CHUNK = 5000
_LONGEST_LABEL = 30  # characters; labels are written into the model, where no citizen's text may be
_FEW = 40  # samples below which labels may well differ all
_SHOWN = 20  # rows that an error names before it only counts


@dataclass(frozen=True, slots=True)
class Samples:
    """Requests with labels: `labels[facet][i]` is the place of sample i's label in the facet's codes.

    A facet that a sample does not label has -1 there. `folds` keeps together what must not be split.
    `shares` tells how much each counts in learning; without it they count alike.
    """

    ids: Sequence[str]
    requests: Sequence[str]
    labels: Mapping[str, npt.NDArray[np.int64]]
    folds: npt.NDArray[np.int64]
    taxonomy: Taxonomy
    notes: Sequence[str] = field(default=())
    shares: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.requests)

    @property
    def fold_numbers(self) -> list[int]:
        """The folds that a model can be judged by."""
        return [fold for fold in np.unique(self.folds).tolist() if fold != OUTSIDE]

    def judged(self, facet: str) -> npt.NDArray[np.bool_]:
        """Which samples tell whether a model is right about a facet."""
        return cast(npt.NDArray[np.bool_], (self.labels[facet] != UNKNOWN) & (self.folds != OUTSIDE))

    @property
    def counting(self) -> npt.NDArray[np.float64]:
        """How much each sample counts in learning."""
        return np.ones(len(self)) if self.shares is None else self.shares

    def beside(self, extra: Samples, share: float = SHARE) -> Samples:
        """These samples, and others that are only learned from: no fold, no score counts them.

        For samples that are not as the work orders to come, invented ones, those of another city: one of
        them counts as `share` of one of these.
        """
        nothing = np.full(len(extra), UNKNOWN, dtype=np.int64)
        return Samples(
            [*self.ids, *extra.ids],
            [*self.requests, *extra.requests],
            {
                name: np.concatenate([labels, extra.labels.get(name, nothing)])
                for name, labels in self.labels.items()
            },
            np.concatenate([self.folds, np.full(len(extra), OUTSIDE, dtype=np.int64)]),
            self.taxonomy,
            [*self.notes, *extra.notes],
            np.concatenate([self.counting, share * extra.counting]),
        )


def read_beside(
    samples: Samples, paths: Sequence[Path], shares: Sequence[float] = (), encoding: str | None = None
) -> Samples:
    """Samples with those of further files beside them; `shares` is one for all files, or one for each.

    Raises:
        InputError: there is another number of shares, or one is not above 0 and up to 1.
        LabelError: see `read_samples`; labels must be those of `samples`.
    """
    if len(shares) not in {0, min(1, len(paths)), len(paths)} or not all(0 < one <= 1 for one in shares):
        raise InputError(
            f"{len(paths)} 个 --extra 文件配了 {len(shares)} 个 --extra-weight："
            "请给一个（用于全部），或每个文件各一个，大于 0，不大于 1"
        )
    each = [*shares] * len(paths) if len(shares) == 1 else [*shares] or [SHARE] * len(paths)
    for path, share in zip(paths, each, strict=True):
        extra = read_samples(path, samples.taxonomy, encoding=encoding, closed=True)
        samples = samples.beside(extra, share)
    return samples


def read_samples(
    path: Path,
    taxonomy: Taxonomy,
    *,
    columns: Mapping[str, str] | None = None,
    label_column: str | None = None,
    encoding: str | None = None,
    closed: bool = False,
) -> Samples:
    """Read a file of samples: all facets by their usual columns, or one label set from `label_column`.

    Without `label_column` every label must be one of `taxonomy`. With it, its values are the labels of
    `category` and nothing else is read: when all of them are categories of `taxonomy` they keep their
    names and parents, otherwise they are a foreign, flat label set; `closed` refuses such a set.

    Raises:
        LabelError: a label is unknown, or the samples of one id contradict each other; rows are named.
        InputError: the file cannot be read, has no text or label column, or no usable row.
    """
    records = open_samples(path, encoding)
    facets = ("category",) if label_column else tuple(FACET_COLUMNS)
    rows, notes = _read_rows(records, _roles(records, path, columns, label_column), facets)
    if not rows:
        raise InputError(f"{path.name}：没有一行同时有诉求内容和标签，请检查列是否选对")
    if label_column and not closed:
        taxonomy = _taxonomy_of_column(taxonomy, rows)
    _check_duplicates(path, rows)
    labels = {
        name: _indices(path, facet, rows)
        for name, facet in taxonomy.facets.items()
        if any(row.labels.get(name) for row in rows)
    }
    taxonomy = Taxonomy(
        taxonomy.version, {name: taxonomy.facets[name] for name in labels}, taxonomy.departments
    )
    requests = [row.request for row in rows]
    return Samples([row.id for row in rows], requests, labels, _folds(path, rows), taxonomy, notes)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int  # as people see it in the file
    id: str
    request: str
    labels: Mapping[str, str]
    fold: str


def _roles(
    records: Records, path: Path, given: Mapping[str, str] | None, label_column: str | None
) -> Columns:
    wanted = dict(given or {})
    if label_column:
        wanted["category"] = label_column
    return Columns.find(records.columns, wanted, required=("text", "category"), file=path.name)


def _read_rows(records: Records, columns: Columns, facets: Sequence[str]) -> tuple[list[_Row], list[str]]:
    rows: list[_Row] = []
    skipped: list[int] = []
    for chunk in records.chunks(_CHUNK):
        for index, row in enumerate(_chunk_rows(chunk, columns, facets)):
            if index in chunk.problems or not row.request.strip() or not any(row.labels.values()):
                skipped.append(row.number)
            else:
                rows.append(row)
    notes = list(records.notes)
    if skipped:
        notes.append(f"{len(skipped)} 行没有诉求内容或标签，未使用：第 {_listed(skipped)} 行")
    return rows, notes


def _chunk_rows(chunk: Chunk, columns: Columns, facets: Sequence[str]) -> list[_Row]:
    def cells(role: str) -> list[str]:
        name = columns.get(role)
        return [""] * len(chunk.frame) if name is None else [as_text(cell) for cell in chunk.frame[name]]

    ids, titles, texts, folds = cells("work_order_id"), cells("title"), cells("text"), cells("fold")
    labels = {facet: cells(FACET_COLUMNS[facet]) for facet in facets}
    return [
        _Row(
            chunk.row_number(i),
            ids[i],
            WorkOrder(ids[i], texts[i], titles[i]).request,
            {facet: values[i].strip() for facet, values in labels.items()},
            folds[i].strip(),
        )
        for i in range(len(chunk.frame))
    ]


def _taxonomy_of_column(taxonomy: Taxonomy, rows: Sequence[_Row]) -> Taxonomy:
    written = {row.labels["category"] for row in rows}
    category = taxonomy.facets["category"]
    wrong = [row.number for row in rows if not _is_label(row.labels["category"])]
    if wrong or len(written) * 2 > max(len(rows), _FEW):
        named = (
            f"第 {_listed(wrong)} 行太长或含个人号码" if wrong else f"{len(rows)} 行有 {len(written)} 种取值"
        )
        raise LabelError(
            f"标签列不像标签：{named}。标签会写入模型，最长 {_LONGEST_LABEL} 字，请检查 --label-column"
        )
    if len(written) < 2:
        raise InputError("标签列只有一种取值，至少要有两种才能训练，请检查 --label-column")
    if all(category.code_of(label) for label in written):
        return Taxonomy(taxonomy.version, {"category": category}, taxonomy.departments)
    return Taxonomy.of_labels(written)


def _indices(path: Path, facet: Facet, rows: Sequence[_Row]) -> npt.NDArray[np.int64]:
    place = {code: index for index, code in enumerate(facet.codes)}
    indices = np.full(len(rows), UNKNOWN, dtype=np.int64)
    unknown: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        written = row.labels.get(facet.name, "")
        code = facet.code_of(written)
        if code is not None:
            indices[index] = place[code]
        elif written:
            unknown[written].append(row.number)
    if unknown:
        listed = "；".join(
            f"{_shown(label)}（第 {_listed(numbers)} 行）"
            for label, numbers in list(unknown.items())[:_SHOWN]
        )
        raise LabelError(
            f"{path.name}：{facet.title}有 {len(unknown)} 种未知标签：{listed}。"
            f"请改成分类体系中的代码或名称（如 {facet.codes[0]}），或用 --label-column 训练自己的标签集"
        )
    return indices


def _check_duplicates(path: Path, rows: Sequence[_Row]) -> None:
    first: dict[str, _Row] = {}
    clashes = []
    for row in rows:
        earlier = first.setdefault(row.id, row) if row.id else row
        if earlier.labels != row.labels or earlier.request != row.request:
            clashes.append(f"第 {earlier.number} 行与第 {row.number} 行")
    if clashes:
        raise LabelError(
            f"{path.name}：{len(clashes)} 处编号重复而内容或标签不同：{'、'.join(clashes[:_SHOWN])}。"
            "请保留正确的一行，或改正编号"
        )


def _folds(path: Path, rows: Sequence[_Row]) -> npt.NDArray[np.int64]:
    """The given folds; without them, folds by the hash of the text, so that equal texts stay together."""
    if not any(row.fold for row in rows):
        return np.array([_hashed_fold(row.request) for row in rows], dtype=np.int64)
    wrong = [row.number for row in rows if not row.fold]
    if wrong:
        raise InputError(f"{path.name}：第 {_listed(wrong)} 行缺少折号，请补全折号列，或不指定它")
    names = sorted({row.fold for row in rows})
    if len(names) < 2:
        raise InputError(f"{path.name}：折号列只有一种取值，至少要有两折才能交叉验证")
    if len(names) > 20:
        raise InputError(f"{path.name}：折号列有 {len(names)} 种取值，最多 20 折，请检查 --fold-column")
    place = {name: index for index, name in enumerate(names)}
    return np.array([place[row.fold] for row in rows], dtype=np.int64)


def _hashed_fold(request: str) -> int:
    digest = hashlib.blake2b(clean(request).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % FOLDS


def _shown(label: str) -> str:
    """A label as a message may show it: by its length where it could be a citizen's text."""
    return f"“{label}”" if _is_label(label) else f"{len(label)} 字的标签"


def _is_label(written: str) -> bool:
    return len(written) <= _LONGEST_LABEL and mask(written) == written


def _listed(numbers: Sequence[int]) -> str:
    shown = "、".join(map(str, numbers[:_SHOWN]))
    return shown if len(numbers) <= _SHOWN else f"{shown} 等 {len(numbers)}"
