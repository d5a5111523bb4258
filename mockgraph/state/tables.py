"""TinyDB with entities for documents: tables keyed by entity id, whose writes cost little.

TinyDB as it comes rebuilds and rewrites every table on each write and hands out the stored
dicts themselves. Here a table tells its storage what changed and nothing else, and what is
stored is never edited again: a write puts a new entity in the place of the old one.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, cast

from tinydb import TinyDB
from tinydb.table import Table

from mockgraph.state.copies import Copies
from mockgraph.state.entities import Entity
from mockgraph.state.storage import EntityStorage


class Changes(MutableMapping[str, Any]):
    """A table as TinyDB's updaters see it, which notes what they do to it."""

    def __init__(self, rows: Mapping[str, Entity]):
        self._rows = rows
        self._lent: dict[str, dict[str, Any]] = {}
        self.put: dict[str, Mapping[str, Any]] = {}
        self.removed: dict[str, None] = {}

    @property
    def write(self) -> dict[str, Mapping[str, Any] | None]:
        """What was put, in that order, and None for what is gone."""
        gone = (key for key in self.removed if key not in self.put)
        return {**dict.fromkeys(gone), **self.put}

    def settle(self) -> None:
        """Take note of documents that an updater edited in place."""
        for key, value in self._lent.items():
            if key not in self.removed and key not in self.put and value != self._rows[key]:
                self.put[key] = value

    def __getitem__(self, key: str) -> Any:
        if key in self.put:
            return self.put[key]
        if key in self.removed:
            raise KeyError(key)
        if key not in self._lent:
            # A copy: the stored entity is shared with readers and snapshots.
            self._lent[key] = copy.deepcopy(dict(self._rows[key]))
        return self._lent[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.put[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self.put.pop(key, None)
        if key in self._rows:
            self.removed[key] = None

    def __contains__(self, key: object) -> bool:
        return key in self.put or (key in self._rows and key not in self.removed)

    def __iter__(self) -> Iterator[str]:
        for key in self._rows:
            if key not in self.removed:
                yield key
        for key in self.put:
            if key not in self._rows or key in self.removed:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self.put.clear()
        self.removed = dict.fromkeys(self._rows)


class EntityTable(Table):
    """TinyDB's table, keyed by text, whose writes cost what they change.

    ``_read_table``, ``_update_table`` and ``_get_next_id`` are private names of TinyDB 4;
    a property test holds this class against the stock one.
    """

    document_id_class: Any = str  # TinyDB's own is int
    default_query_cache_capacity = 0

    @property
    def _entities(self) -> EntityStorage:
        return cast("EntityStorage", self._storage)

    def _read_table(self) -> dict[str, Mapping[str, Any]]:
        return cast("dict[str, Mapping[str, Any]]", Copies(self._entities.now.rows(self.name)))

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        with self._entities.writing():
            changes = Changes(self._entities.now.rows(self.name))
            updater(changes)
            changes.settle()
            if changes.put or changes.removed:
                write = copy.deepcopy(changes.write)
                self._entities.commit({self.name: write}, anew=changes.removed)
        self.clear_cache()

    def _get_next_id(self) -> Any:
        return str(uuid.uuid4())


class EntityDB(TinyDB):
    """TinyDB over entity tables."""

    table_class = EntityTable

    @property
    def entities(self) -> EntityStorage:
        return cast("EntityStorage", self.storage)
