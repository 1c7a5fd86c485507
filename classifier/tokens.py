"""jieba's words, fast.

The reference is `jieba` with its own dictionary and its hidden Markov model switched off; the work
is done by the compiled kernel from the same dictionary (a test holds the two against each other).
New words that a text invents, which the Markov model would find, are better served by character
n-grams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from .codes import Codes
from .errors import HotlineError, InputError
from .kernel import Lexicon
from .taxonomy import DATA

_MOST = 10**12  # of a frequency: jieba's own come to 60 million together


def domain_words(path: Path = DATA / "words.txt") -> dict[str, int]:
    """The hotline's own words with their frequencies, from a file in jieba's user-dictionary format.

    The frequency is given, not suggested by the engine, so that every engine takes the same.

    Raises:
        InputError: a line is not `word frequency`.
    """
    words: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match line.split("#")[0].split():
            case []:
                continue
            case [word, frequency] if frequency.isdecimal() and int(frequency) < _MOST:
                words[word] = int(frequency)
            case _:
                raise InputError(f"{path} 第 {number} 行：每行须为“词 词频”，例如“泥头车 20”")
    return words


class Tokenizer:
    """Cuts cleaned texts into words, the same way wherever its model goes.

    `words` are added to jieba's dictionary with their frequencies.
    """

    def __init__(self, words: Mapping[str, int] | None = None) -> None:
        self.words = dict(words or {})
        self.lexicon = _lexicon(tuple(self.words.items()))

    def cut_many(self, texts: Sequence[str]) -> list[list[str]]:
        """The words of each text in order, spaces and punctuation among them; joined they are the text."""
        found, counts = self.lexicon.cut(Codes.of(texts))
        ends = iter(found.tolist())
        cuts = []
        for text, count in zip(texts, counts.tolist(), strict=True):
            start, cut = 0, []
            for until in islice(ends, count):
                cut.append(text[start:until])
                start = until
            cuts.append(cut)
        return cuts


@lru_cache(maxsize=2)  # two models in one process have the same words, as a rule
def _lexicon(words: tuple[tuple[str, int], ...]) -> Lexicon:
    spec = find_spec("jieba")  # not imported: that takes a second and greets on stderr
    found = spec and spec.submodule_search_locations
    try:
        return Lexicon(Path(*(found or ["jieba"]), "dict.txt").read_bytes(), dict(words))
    except (OSError, ValueError) as error:
        raise HotlineError(
            "jieba 的词典读不出来，请重新安装：python -m pip install --force-reinstall jieba"
        ) from error
