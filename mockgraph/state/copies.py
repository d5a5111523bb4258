"""What TinyDB is given to read."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from mockgraph.state.rows import Rows


class Copies(Mapping[str, Any]):
    """A table as TinyDB's readers see it: each document a copy, for whoever gets it to edit."""

    def __init__(self, rows: Rows):
        self.rows = rows

    def __getitem__(self, key: str) -> Any:
        return copy.deepcopy(dict(self.rows[key]))

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)
