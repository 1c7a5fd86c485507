"""How many tags change when the same request is written otherwise.

    python benchmarks/robustness.py SAMPLES [--extra FILE] [--extra-weight W] [--fold 0] [--rate 0.02]

Fits a model on the other folds, tags the texts of one fold as they are and as noise has changed them,
and prints for each kind of noise the share of changed tags, at both levels of the category and in the
scope, and the accuracy on the first level before and after. The noise is drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import opencc
from pypinyin import Style, lazy_pinyin

from classifier.taxonomy import Taxonomy
from classifier.work_order import Tags
from training.fit import train
from training.samples import Samples, read_beside, read_samples

HAN = re.compile(r"[\u4e00-\u9fa5]")
CANTONESE = {
    "没有": "冇", "不是": "唔系", "他们": "佢哋", "我们": "我哋", "什么": "乜嘢", "这样": "咁样",
    "现在": "而家", "的": "嘅", "不": "唔", "在": "喺", "了": "咗", "他": "佢", "这": "呢", "那": "嗰",
    "是": "系",
}  # fmt: skip
POLITE = "尊敬的领导您好，我是本市的一名普通市民，感谢您在百忙之中阅读我的来信，给您添麻烦了。"
THANKS = "恳请有关部门重视并尽快给予答复，谢谢，祝工作顺利，身体健康。"

Noise = Callable[[str, random.Random, float], str]


@cache
def homophones() -> dict[str, list[str]]:
    """Common characters that sound alike, tone aside, as speech recognition and input methods mix them."""
    common = [chr(code) for code in range(0x4E00, 0x9FA6)]
    common = [c for c in common if len(c.encode("gb2312", "ignore")) == 2 and c.encode("gb2312")[0] < 0xD8]
    by_sound: dict[str, list[str]] = defaultdict(list)
    for character, sound in zip(common, lazy_pinyin("".join(common), style=Style.NORMAL), strict=True):
        by_sound[sound].append(character)
    return {c: [other for other in group if other != c] for group in by_sound.values() for c in group}


def sound_alike(text: str, chance: random.Random, rate: float) -> str:
    """Some characters replaced by others of the same sound."""
    return "".join(
        chance.choice(homophones()[c]) if homophones().get(c) and chance.random() < rate else c for c in text
    )


def dropped(text: str, chance: random.Random, rate: float) -> str:
    """Some characters left out."""
    return "".join(c for c in text if not HAN.match(c) or chance.random() >= rate)


def swapped(text: str, chance: random.Random, rate: float) -> str:
    """Some neighbours exchanged."""
    characters = list(text)
    for i in range(len(characters) - 1):
        if HAN.match(characters[i]) and HAN.match(characters[i + 1]) and chance.random() < rate:
            characters[i : i + 2] = characters[i + 1], characters[i]
    return "".join(characters)


def half_and_half(text: str, chance: random.Random, rate: float) -> str:
    """Half of the noise by sound, half by dropping."""
    return dropped(sound_alike(text, chance, rate / 2), chance, rate / 2)


def cantonese(text: str, _: random.Random, __: float) -> str:
    """The commonest function words in Cantonese writing."""
    for usual, written in CANTONESE.items():
        text = text.replace(usual, written)
    return text


def as_is(change: Callable[[str], str]) -> Noise:
    """A change that draws nothing."""
    return lambda text, _, __: change(text)


NOISES: dict[str, Noise] = {
    "同音字": sound_alike,
    "漏字": dropped,
    "同音字和漏字各半": half_and_half,
    "相邻字对调": swapped,
    "没有标点": as_is(lambda text: re.sub(r"[^\w\s]", "", text)),
    "繁体": as_is(opencc.OpenCC("s2t").convert),
    "全角": as_is(lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)),
    "拉丁字母大写": as_is(str.upper),
    "粤语虚词": cantonese,
    "前面加“您好！”": as_is(lambda text: f"您好！{text}"),
    "前后加客套话": as_is(lambda text: f"{POLITE}{text}{THANKS}"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", type=Path)
    parser.add_argument("--extra", type=Path, action="append", default=[], help="only learned from")
    parser.add_argument("--extra-weight", type=float, action="append", default=[], help="of each --extra")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--rate", type=float, default=0.02, help="share of the characters that noise touches")
    arguments = parser.parse_args()
    samples = read_samples(arguments.samples, Taxonomy.load())
    out = np.flatnonzero(samples.folds == arguments.fold)
    rest = part(samples, np.flatnonzero(samples.folds != arguments.fold))
    rest = read_beside(rest, arguments.extra, arguments.extra_weight)
    model, _ = train(rest, "robustness", progress=lambda stage: print(stage, flush=True))
    facet = model.facets["category"]
    truth = [facet.labels[label].first for label in samples.labels["category"][out].tolist()]
    requests = [samples.requests[i] for i in out.tolist()]
    before = model.tag(requests)
    print(f"{len(requests)} 条，一级准确率 {right(before, truth):.1%}\n")
    print("| 改写 | 一级改变 | 二级改变 | 公共/私人改变 | 一级准确率 |\n|---|---:|---:|---:|---:|")
    for name, noise in NOISES.items():
        chance = random.Random(0)  # noqa: S311 - noise, no secret
        after = model.tag([noise(request, chance, arguments.rate) for request in requests])
        shares = [
            changed(before, after, "category", "first"),
            changed(before, after, "category", "label"),
            changed(before, after, "scope", "first"),
            right(after, truth),
        ]
        print(f"| {name} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)


def part(samples: Samples, which: np.ndarray) -> Samples:
    """Some of the samples."""
    places = which.tolist()
    return Samples(
        [samples.ids[i] for i in places],
        [samples.requests[i] for i in places],
        {name: labels[which] for name, labels in samples.labels.items()},
        samples.folds[which],
        samples.taxonomy,
    )


def changed(before: Sequence[Tags], after: Sequence[Tags], facet: str, what: str) -> float:
    """The share of texts whose tag is another one."""
    pairs = zip(before, after, strict=True)
    return sum(getattr(a[facet], what) != getattr(b[facet], what) for a, b in pairs) / len(before)


def right(tags: Sequence[Tags], truth: Sequence[str]) -> float:
    """The share of texts whose first level is right."""
    pairs = zip(tags, truth, strict=True)
    return sum(one["category"].first == first for one, first in pairs) / len(tags)


if __name__ == "__main__":
    main()
