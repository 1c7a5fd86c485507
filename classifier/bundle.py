"""A model on disk: arrays and JSON in plainly named files, never a pickle; written once, verified on load.

    arrays.npz       keys, gram weights, weights of heads and experts (8 bits a weight, a scale a label),
                     biases, the layer over the scores, words, and how often samples had each category with
                     each scope
    model.json       format, version, taxonomy, thresholds, links, tokenizer, blocks
    words.txt        the domain words that the tokenizer needs
    card.md/.json    what the model was made from, and how good it is
    reliability.svg  whether its confidences are true, as the card shows it
    manifest.sha256  the sums of all of these, as `sha256sum -c` reads them

Nothing of a sample is in it beyond single words, word pairs and runs of three characters that stood
in several texts.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .errors import DamagedBundle, OutputError

# What loads numpy is imported where it is needed: `hotline --help` must answer at once.
if TYPE_CHECKING:
    from .model import Model
    from .taxonomy import Taxonomy

FORMAT = 4
FILES = ("arrays.npz", "card.json", "card.md", "model.json", "reliability.svg", "words.txt")
MANIFEST = "manifest.sha256"

_READ = (2, 3, FORMAT)  # format 2 had no layer over the scores, format 3 no experts

_NOT_AS_WRITTEN = (
    AttributeError, LookupError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error
)  # fmt: skip


def save(model: Model, folder: Path, card: Mapping[str, Any], card_text: str, diagram: str = "") -> None:
    """Write a bundle to `folder`, which must not exist; it appears there complete or not at all.

    Raises:
        OutputError: the folder exists already, or cannot be written.
    """
    if folder.exists():
        raise OutputError(f"{folder} 已经存在；模型版本只写一次，请另取名称")
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        _write_arrays(model, part / "arrays.npz")
        _write(part / "model.json", _dump(_description(model)))
        words = (f"{word} {frequency}" for word, frequency in model.features.tokenizer.words.items())
        _write(part / "words.txt", "".join(f"{word}\n" for word in words))
        _write(part / "card.json", _dump(card))
        _write(part / "card.md", card_text)
        _write(part / "reliability.svg", diagram)
        _write(part / MANIFEST, _manifest(part))
        part.rename(folder)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if not isinstance(error, OSError):
            raise
        raise OutputError(f"{folder} 写不进去（{error.strerror}），请检查磁盘空间和权限") from error


def load(folder: Path, shared: Path | None = None) -> Model:
    """Read a bundle and check that every byte is as it was written.

    `shared` is what `share` has written of the same model: its weights are then mapped from there.

    Raises:
        DamagedBundle: a file is missing or changed, or the format is not one that this program reads.
    """
    check(folder)
    try:
        return _model(_stored(folder), folder, shared)
    except _NOT_AS_WRITTEN as error:
        raise DamagedBundle(
            f"{folder} 的内容不完整（{type(error).__name__}），请重新训练或换一个版本"
        ) from error


def share(model: Model, path: Path) -> None:
    """Write a model's weights, by far the most of it, as processes that work side by side can map them.

    Raises:
        OutputError: they cannot be written.
    """
    import numpy as np

    try:
        np.save(path, model.weights.steps)
    except OSError as error:
        raise OutputError(f"{path} 写不进去（{error.strerror}），请检查临时文件夹的空间和权限") from error


def check(folder: Path) -> None:
    """Compare the sums of all files with the manifest.

    Raises:
        DamagedBundle: they differ; the message names the files.
    """
    try:
        stored = (folder / MANIFEST).read_bytes()
        found = _manifest(folder).encode()
    except OSError as error:
        name = Path(str(error.filename or "")).name
        if name in FILES and name != "model.json":
            with suppress(OSError, ValueError, LookupError, TypeError):
                _stored(folder)  # another format has other files, and nothing is missing from it
        raise DamagedBundle(f"{folder} 缺少文件 {name}，请从备份恢复，或换一个版本") from error
    if stored != found:
        as_written = set(stored.split(b"\n"))
        changed = [line.split()[1].decode() for line in found.splitlines() if line not in as_written]
        named = "、".join(changed) or MANIFEST
        raise DamagedBundle(f"{folder} 已损坏：{named} 与校验和不符，请从备份恢复，或换一个版本")


def _stored(folder: Path) -> dict[str, Any]:
    """What model.json says.

    Raises:
        DamagedBundle: it is of a format that this program does not read.
    """
    stored = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if stored["format"] not in _READ:
        found, oldest = stored["format"], _READ[0]
        raise DamagedBundle(
            f"{folder} 的格式是 {found}，本程序只读格式 {oldest} 到 {FORMAT}，请升级程序或重新训练"
        )
    return cast(dict[str, Any], stored)


def fingerprint(folder: Path) -> str:
    """The SHA-256 of a bundle's manifest, which stands for all of its bytes."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def read_card(folder: Path) -> dict[str, Any]:
    """What the model was made from and how good it is, as plain values."""
    check(folder)
    return cast(dict[str, Any], json.loads((folder / "card.json").read_text(encoding="utf-8")))


def read_taxonomy(folder: Path) -> Taxonomy:
    """The taxonomy of a stored model, without the model.

    Raises:
        DamagedBundle: it cannot be read.
    """
    from .taxonomy import Taxonomy

    try:
        return Taxonomy.from_json(json.loads((folder / "model.json").read_bytes())["taxonomy"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedBundle(f"{folder} 已损坏：model.json 读不出来，请从备份恢复或重新训练") from error


def _write_arrays(model: Model, path: Path) -> None:
    import numpy as np

    columns = model.weights.columns
    words = np.frombuffer("\n".join(model.features.words).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            keys=np.diff(model.features.keys, prepend=np.uint64(0)),  # ascending: steps compress well
            gram_weights=model.features.weights,
            steps=np.ascontiguousarray(
                model.weights.steps[:, columns].T
            ),  # labels x grams: a label's zeros stand together
            scale=model.weights.scale,
            bias=model.bias,
            shift=np.concatenate([model.links[name].shift for name in model.facets]),
            words=words,
            together=np.empty((0, 0), np.int64) if model.together is None else model.together,
            **(asdict(model.stack) if model.stack else {}),
        )
        _flush(file)


def _description(model: Model) -> dict[str, Any]:
    from importlib.metadata import version as installed

    from .text import MAX_CHARACTERS

    return {
        "format": FORMAT,
        "version": model.version,
        "taxonomy": model.taxonomy.as_json(),
        "thresholds": {name: asdict(threshold) for name, threshold in model.thresholds.items()},
        "links": {name: {"ratio": link.ratio, "offset": link.offset} for name, link in model.links.items()},
        "tokenizer": {"engine": "jieba", "hmm": False, "version": installed("jieba")},
        "blocks": model.features.describe(),
        "units": len(model.stack.offset) if model.stack else 0,
        "max_characters": MAX_CHARACTERS,
    }


def _model(stored: Mapping[str, Any], folder: Path, shared: Path | None) -> Model:
    import numpy as np

    from .decision import Threshold
    from .features import Features
    from .grams import Block
    from .link import Link
    from .model import Model
    from .stack import Stack
    from .taxonomy import Taxonomy
    from .tokens import Tokenizer, domain_words
    from .weights import Weights

    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if not (shared and name == "steps")}
    features = Features(
        Tokenizer(domain_words(folder / "words.txt")),
        [Block(**block) for block in stored["blocks"]],
        [word for word in arrays["words"].tobytes().decode().split("\n") if word],
        np.cumsum(arrays["keys"], dtype=np.uint64),
        arrays["gram_weights"],
    )
    scale = arrays["scale"]
    weights = Weights.mapped(shared, scale) if shared else Weights(arrays["steps"].T, scale)
    thresholds = {name: Threshold(**levels) for name, levels in stored["thresholds"].items()}
    taxonomy = Taxonomy.from_json(stored["taxonomy"])
    ends = np.cumsum([len(facet.codes) for facet in taxonomy.facets.values()])
    labels = int(ends[-1])
    parts = {part.name: arrays[part.name] for part in fields(Stack) if part.name in arrays}
    stack = Stack(**parts) if stored.get("units") else None
    columns = len(stack.inward) if stack else labels
    shifts = np.split(arrays["shift"], ends[:-1])
    links = {
        name: Link(**stored["links"][name], shift=shift)
        for name, shift in zip(taxonomy.facets, shifts, strict=True)
    }
    if weights.shape != (len(features.weights), columns) or len(features.keys) != len(features.weights):
        raise ValueError("the arrays do not fit each other")
    together = arrays["together"] if arrays["together"].size else None
    if arrays["bias"].shape != (columns,) or arrays["shift"].shape != (labels,):
        raise ValueError("the biases do not fit the labels")
    categories = len(next(iter(taxonomy.facets.values())).codes)
    if stack and (stack.labels, len(stack.offset)) != (labels, stored["units"]):
        raise ValueError("the layer does not fit the labels")
    if stack and len(stack.gates) not in {0, categories}:
        raise ValueError("the gates do not fit the categories")
    return Model(
        stored["version"], taxonomy, features, weights, arrays["bias"], links, thresholds, together, stack
    )


def _manifest(folder: Path) -> str:
    sums = ((name, hashlib.sha256((folder / name).read_bytes()).hexdigest()) for name in FILES)
    return "".join(f"{digest}  {name}\n" for name, digest in sums)


def _dump(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        _flush(file)


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
