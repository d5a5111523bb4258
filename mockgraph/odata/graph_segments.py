"""The rest of Graph: what stands at its roots and is not emulated."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import orjson

from mockgraph.errors import NotEmulated
from mockgraph.files import fixtures

# beta has what v1.0 has, and more.
_ROOTS: Final[Mapping[str, tuple[str, ...]]] = {"v1.0": ("v1.0",), "beta": ("v1.0", "beta")}


def check_segment(root: str, segment: str) -> None:
    """Raise NotEmulated where Graph has something under a root that MockGraph has not."""
    name = _segments(root).get(segment.lower())
    if name is not None:
        raise NotEmulated(
            f"'/{root}/{name}': it is another part of Graph than Security. Give its metadata with "
            "--csdl FILE to have it served, or answer it with a stub"
        )


@cache
def _segments(root: str) -> Mapping[str, str]:
    """Return the names below a root, by their small letters; none below a documented one."""
    if root not in _ROOTS:
        return {}
    known = orjson.loads((fixtures() / "graph_segments.json").read_bytes())
    return {name.lower(): name for layer in _ROOTS[root] for name in known[layer]}
