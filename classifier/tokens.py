"""jieba's words, fast.

The reference is `jieba` with its own dictionary and its hidden Markov model switched off; the work
is done by `rjieba`, a compiled jieba with the same dictionary and algorithm (a test holds the two
against each other). With the Markov model on they differ on mixes such as `2018-2020`, and new
words that a text invents are better served by character n-grams anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import rjieba

from .errors import InputError
from .taxonomy import DATA


def domain_words(path: Path = DATA / "words.txt") -> dict[str, int]:
    """The hotline's own words with their frequencies, from a file in jieba's user-dictionary format.

    The frequency is given, not suggested by the engine, since the two engines round theirs differently.

    Raises:
        InputError: a line is not `word frequency`.
    """
    words: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match line.split("#")[0].split():
            case []:
                continue
            case [word, frequency] if frequency.isdecimal():
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
        self._jieba = rjieba.Jieba()
        for word, frequency in self.words.items():
            self._jieba.add_word(word, frequency, None)

    def cut_many(self, texts: Sequence[str]) -> list[list[str]]:
        """The words of each text in order, spaces and punctuation among them; joined they are the text."""
        cut = self._jieba.cut
        return [cut(text, False) for text in texts]
