"""Whether the current model is sound, and answers as it did where it was trained."""

from __future__ import annotations

from collections.abc import Iterator

from classifier import bundle, golden
from classifier.errors import HotlineError
from classifier.store import ModelStore

from .finding import Finding, broken, fine, warning


def examine_model(store: ModelStore) -> Iterator[Finding]:
    """Sums of all files, then the golden answers, then whether going back is possible."""
    try:
        version = store.current_version()
        folder = store.path(version)
        card = bundle.read_card(folder)
        model = bundle.load(folder)
    except HotlineError as error:
        yield broken("模型", str(error), "用 hotline models list 查看，hotline models promote 启用完好的版本")
        return
    yield fine("模型", f"{version}（{folder}），校验和一致")
    stored = card.get(golden.KEY)
    if not stored:
        yield warning("标准答案", f"版本 {version} 没有带标准答案", "用本程序重新训练的版本会带上")
        return
    wrong = golden.differing(model, stored)
    if wrong:
        places = "、".join(str(one + 1) for one in wrong)
        yield broken(
            "标准答案",
            f"{len(stored)} 条中有 {len(wrong)} 条与训练时不同（第 {places} 条）",
            "请按 requirements.lock 重新安装程序；仍不同时换一个版本",
        )
    else:
        yield fine("标准答案", f"{len(stored)} 条都与训练时相同")
