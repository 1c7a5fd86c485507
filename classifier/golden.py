"""A model's answers to a few invented texts, kept with it: whether it still answers the same elsewhere.

The sums of a bundle say that its bytes are as they were written; these say that this machine, with its
processor, its libraries and its compiled kernel, makes of them what the machine that trained made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import Model

KEY = "golden"  # in the card
_CLOSE = 0.002  # of a confidence: the last bits of a float may differ between processors


def golden_texts() -> list[str]:
    """The invented texts that travel with the program."""
    return (files("classifier") / "data" / "golden.txt").read_text(encoding="utf-8").splitlines()


def answers(model: Model, texts: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Each text with its label and confidence in every facet, and the decision, as plain values."""
    texts = golden_texts() if texts is None else texts
    return [
        {
            "text": text,
            "decision": tags.decision,
            "labels": {name: tag.label for name, tag in tags.facets.items()},
            "confidences": {name: round(tag.confidence, 4) for name, tag in tags.facets.items()},
        }
        for text, tags in zip(texts, model.tag(texts), strict=True)
    ]


def differing(model: Model, stored: Sequence[Mapping[str, Any]]) -> list[int]:
    """The places of the stored answers that the model does not give any more."""
    now = answers(model, [one["text"] for one in stored])
    return [place for place, (new, old) in enumerate(zip(now, stored, strict=True)) if not _same(new, old)]


def _same(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    if (new["labels"], new["decision"]) != (old["labels"], old["decision"]):
        return False
    return all(abs(new["confidences"][name] - value) <= _CLOSE for name, value in old["confidences"].items())
