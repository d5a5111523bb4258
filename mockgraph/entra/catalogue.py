"""The permissions that there are."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Of the families that MockGraph serves, what Graph has and no resource here takes (Microsoft
# Graph permissions reference).
_BEYOND = ("ThreatIndicators.Read.All",)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,80}(\.[A-Za-z][A-Za-z0-9_-]{0,80}){1,4}")


class Catalogue:
    """The permissions that resources declare, and those of the rest of Graph by their form.

    Graph has hundreds that MockGraph knows nothing of (``User.Read``): they are taken for what
    they seem to be. Of a family that is known here (``SecurityEvents``), each is known.
    """

    def __init__(self, declared: Iterable[str]):
        self.declared = frozenset(declared)
        known = [*self.declared, *_BEYOND]
        self._known = {name.lower(): name for name in known}
        self._families = {_family(name) for name in known}

    def canonical(self, name: str) -> str | None:
        """A permission as Graph spells it, whatever its letter case; None where there is none."""
        known = self._known.get(name.lower())
        if known or not _NAME.fullmatch(name) or _family(name) in self._families:
            return known
        return name


def _family(name: str) -> str:
    return name.partition(".")[0].lower()
