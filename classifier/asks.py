"""A request that asks for several things, in its parts.

Citizens number what they ask for, or begin the next matter with a word such as 另外. A part shows its own
matter, which in the whole text drowns beside the first.
"""

from __future__ import annotations

import itertools
import re

LONGEST = 100  # characters of a part that are read: what it is about stands at its beginning
SHORTEST = 12  # characters below which a part says too little
MOST = 6  # parts that are read

_CUE = re.compile(
    r"""(?:^|(?<=[。!?;,:，；！？：、 ]))
    (?:另外|另有|此外|还有|其次|再者|再有|同时|顺便|并且还|(?:第|其)[二三四五六]
    | [二三四五六2-6][、.．,，)）] | [(（][二三四五六2-6][)）])""",
    re.VERBOSE,
)


def asks(cleaned: str) -> list[str]:
    """The beginnings of the parts of a cleaned text, in order; none where it has one part only."""
    starts = [0, *(cue.start() for cue in _CUE.finditer(cleaned)), len(cleaned)]
    parts = [
        cleaned[start : min(until, start + LONGEST)]
        for start, until in itertools.pairwise(starts)
        if until - start >= SHORTEST
    ]
    return parts[:MOST] if len(parts) > 1 else []
