"""The card of a model: what it was made from and how good it is, for machines and for people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from .evaluate import Scores, as_json
from .samples import OUTSIDE, UNKNOWN, Samples

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "jieba", "opencc")
_TITLES = {
    "category": "事项分类（二级）",
    "category_first": "事项分类（一级）",
    "scope": "公共/私人利益",
    "scope_detail": "利益属性（三类）",
    "request_type": "诉求类型",
    "urgent": "紧急",
}


def card_json(version: str, sources: Sequence[Path], samples: Samples, scores: Scores) -> dict[str, Any]:
    """Data, sizes, cross-validated scores with calibration, and library versions, as plain values."""
    return {
        "version": version,
        "trained_on": date.today().isoformat(),  # noqa: DTZ011 - the day on the maintainer's calendar
        "sources": {source.name: _sum(source) for source in sources},
        "samples": int((samples.folds != OUTSIDE).sum()),
        "only_learned_from": int((samples.folds == OUTSIDE).sum()),
        "counting_as": float(samples.counting[samples.folds == OUTSIDE].sum()),
        "folds": len(samples.fold_numbers),
        "taxonomy_version": samples.taxonomy.version,
        "labels": {
            name: {code: int((samples.labels[name] == index).sum()) for index, code in enumerate(facet.codes)}
            for name, facet in samples.taxonomy.facets.items()
        },
        "unlabelled": {name: int((labels == UNKNOWN).sum()) for name, labels in samples.labels.items()},
        "scores": as_json(scores),
        "libraries": {name: installed(name) for name in _LIBRARIES},
        "hotline_version": installed("hotline-classifier"),
    }


def card_markdown(card: Mapping[str, Any]) -> str:
    """The card as a page for people."""
    facets = card["scores"]["facets"]
    parts = [
        f"# 模型 {card['version']}\n",
        f"训练日期 {card['trained_on']}，样本 {card['samples']:,} 条，{_beside(card)}"
        f"分类体系 {card['taxonomy_version']}。\n",
        *(f"- {name}，SHA-256 `{digest[:16]}…`" for name, digest in card["sources"].items()),
        "",
        f"下列得分为 {card['folds']} 折交叉验证：每条样本由没有见过它的模型打标，"
        "置信度和自动处理的门槛也只用其他折确定。\n",
        "| 维度 | 样本数 | 准确率 | 宏平均 F1 | 校准误差（ECE） | 自动比例 | 自动错误率 |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_facet_line(name, facet) for name, facet in facets.items()),
        "\n自动处理的门槛：自动部分的错误率以 95 % 的把握不超过 5 %（Clopper-Pearson 界）；"
        "在共同门槛上错得更多的类别另有较高的门槛，也按 5 % 选定。\n",
        "置信度是否可信（等量分 15 组，落在斜线上为名副其实）：\n",
        "![置信度与正确率](reliability.svg)\n",
    ]
    for name, facet in facets.items():
        parts += [
            f"## {title_of(name)}\n",
            "| 类别 | 精确率 | 召回率 | F1 | 样本数 |",
            "|---|---:|---:|---:|---:|",
            *(_class_line(code, one) for code, one in facet["classes"].items()),
            "\n置信度是否可信（等量分 15 组）：\n",
            "| 平均置信度 | 实际正确率 | 样本数 |",
            "|---:|---:|---:|",
            *(f"| {stated:.1%} | {found:.1%} | {count} |" for stated, found, count in facet["reliability"]),
            "",
        ]
    libraries = "、".join(f"{name} {number}" for name, number in card["libraries"].items())
    parts.append(
        f"程序 {card['hotline_version']}；{libraries}。"
        "模型只含单个词、词对和三字以内的片段，不含任何样本原文。"
    )
    return "\n".join(parts) + "\n"


def _beside(card: Mapping[str, Any]) -> str:
    count, share = card["only_learned_from"], card["counting_as"]
    return f"另有 {count:,} 条（抵 {share:,.0f} 条）只用于学习、不计入得分，" if count else ""


def _sum(source: Path) -> str:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def title_of(facet: str) -> str:
    """What people call a facet at one of its levels, as scores name them."""
    return _TITLES.get(facet, facet)


def _facet_line(name: str, facet: Mapping[str, Any]) -> str:
    error = "—" if facet["automatic_error"] is None else f"{facet['automatic_error']:.1%}"
    return (
        f"| {title_of(name)} | {facet['samples']:,} | {facet['accuracy']:.1%} | {facet['macro_f1']:.1%} "
        f"| {facet['expected_calibration_error']:.1%} | {facet['coverage']:.1%} | {error} |"
    )


def _class_line(code: str, one: Mapping[str, Any]) -> str:
    return f"| {code} | {one['precision']:.1%} | {one['recall']:.1%} | {one['f1']:.1%} | {one['support']} |"
