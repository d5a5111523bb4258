"""Names that look like one that is not known, for messages about what was misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 3
_LONGEST = 200  # characters of a name that is compared: the time grows with their square


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three known names that look like the one that is not known, the nearest first.

    Letter case does not matter.
    """
    by_fold = {each.casefold(): each for each in known}
    found = get_close_matches(name[:_LONGEST].casefold(), by_fold, _MOST, 0.6)
    return [by_fold[fold] for fold in found]


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a sentence with the names that may be meant, a blank in front; empty without any."""
    found = nearest(name, known)
    return f" Did you mean {' or '.join(found)}?" if found else ""
