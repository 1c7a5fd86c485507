"""`hotline train`: labelled samples to a new version."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from classifier.store import ModelStore

from ..console import err, say, say_notes
from . import options


def train(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SAMPLES",
            help="样本文件：xlsx、csv、parquet，Label Studio 的 json，或“内容⇥一级##二级”的 tsv。",
        ),
    ],
    text_column: options.TextColumn = None,
    title_column: options.TitleColumn = None,
    label_column: options.LabelColumn = None,
    fold_column: options.FoldColumn = None,
    name: Annotated[
        str | None, typer.Option(help="新版本的名称；不指定时按日期取名。", show_default=False)
    ] = None,
    extra: Annotated[
        list[Path] | None,
        typer.Option(help="另外的样本，只用于学习，不计入得分（可重复）。", show_default=False),
    ] = None,
    extra_weight: Annotated[
        list[float] | None,
        typer.Option(
            min=0.01,
            max=1,
            help="一条另外的样本抵几条样本，不指定时 0.25；给一个用于全部，或按 --extra 的次序各给一个。",
            show_default=False,
        ),
    ] = None,
    suspects: Annotated[
        Path | None,
        typer.Option(help="把标注可疑的样本写成表格（xlsx、csv、parquet），供人复核。", show_default=False),
    ] = None,
    taxonomy: Annotated[
        Path | None, typer.Option(help="自己的分类体系（TOML）；不指定时用程序附带的。", show_default=False)
    ] = None,
    encoding: options.Encoding = None,
    as_json: options.Json = False,
    models_dir: options.ModelsDir = None,
) -> None:
    """用标注样本训练一个新版本，按折交叉验证，并打印得分。"""
    import json

    from classifier import golden
    from classifier.taxonomy import Taxonomy
    from training.card import card_json, card_markdown, title_of
    from training.diagram import reliability_svg
    from training.evaluate import as_json as plain
    from training.evaluate import evaluate_held_out
    from training.fit import train as fit
    from training.samples import read_beside, read_samples
    from training.suspects import suspects as find_suspects
    from training.suspects import write_suspects

    from .evaluate import print_scores

    store = ModelStore(models_dir)
    version = name or _dated_name(store)
    store.check_name(version)
    columns = options.given(text=text_column, title=title_column, fold=fold_column)
    samples = read_samples(
        source, Taxonomy.load(taxonomy), columns=columns, label_column=label_column, encoding=encoding
    )
    samples = read_beside(samples, extra or [], extra_weight or [], encoding)
    say_notes(samples.notes)
    say(f"{len(samples):,} 条样本，维度：{'、'.join(f.title for f in samples.taxonomy.facets.values())}")
    with err.status("训练") as status:
        model, held_out = fit(samples, version, progress=lambda stage: status.update(f"训练：{stage}"))
        scores = evaluate_held_out(held_out, samples)
        card = card_json(version, [source, *(extra or [])], samples, scores)
        card[golden.KEY] = golden.answers(model)
        diagram = reliability_svg(scores, {facet: title_of(facet) for facet in scores})
        folder = store.save(model, card, card_markdown(card), diagram)
    if suspects:
        found = find_suspects(samples, held_out.confidences)
        write_suspects(suspects, samples, found)
        say(f"{len(found):,} 处标注可疑，已写入 {suspects}")
    if as_json:
        sys.stdout.write(json.dumps({"version": version, **plain(scores)}, ensure_ascii=False) + "\n")
    else:
        print_scores(scores, f"{version}：{card['folds']} 折交叉验证")
    say(f"已保存：{folder}")
    if store.current_version() != version:
        say(
            f"启用它：hotline models promote {version}"
            + (f" --models-dir {models_dir}" if models_dir else "")
        )


def _dated_name(store: ModelStore) -> str:
    today = date.today().isoformat()  # noqa: DTZ011 - the day on this desk's calendar
    taken = set(store.versions())
    names = (today if number == 1 else f"{today}.{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
