"""A request that asks for several things, in its parts.

Citizens number what they ask for, or begin the next matter with a word such as 另外. A part shows its own
matter, which in the whole text drowns beside the first.
"""

from __future__ import annotations

from .codes import Codes, Places
from .kernel import find_asks

LONGEST = 100  # characters of a part that are read: what it is about stands at its beginning
SHORTEST = 12  # characters below which a part says too little
MOST = 6  # parts that are read


def asks(cleaned: Codes) -> tuple[Codes, Places]:
    """The beginnings of the parts of cleaned texts that have several, and the place of each part's text."""
    return find_asks(cleaned, SHORTEST, LONGEST, MOST)
