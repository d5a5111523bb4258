"""A ``--store`` file as the storage of a TinyDB of a script's own."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tinydb.storages import Storage

from mockgraph.errors import BadRequest
from mockgraph.guids import new_guid
from mockgraph.service import SERVICE
from mockgraph.state.documents import SECURITY, open_store, read_document, tables_in
from mockgraph.state.entities import Entity
from mockgraph.state.snapshots import Rows, Snapshot
from mockgraph.state.storage import Documents, EntityStorage, differ
from mockgraph.state.table_rules import TableRules


class StoreStorage(Storage):
    """Opens a store that no server has open, for TinyDB to read and to write.

    ``durability`` is ``process`` or ``disk``: what a write survives, a kill or a power cut. The
    tables are named as those of ``graph.db``. TinyDB's own tables number their documents, so
    a document's ``doc_id`` is its place in the table, and its ``id`` what URLs name. What is
    written is checked against the schemas: BadRequest, with the path of the fault, refuses
    what does not fit, and then nothing is changed. Raises MockGraphError where the file is in
    use, damaged or no store::

        with TinyDB("graph.store", storage=mockgraph.StoreStorage) as db:
            db.table("security/alerts").update({"status": "resolved"})
    """

    def __init__(self, path: str | os.PathLike[str], durability: str = "process"):
        store = open_store(os.fspath(path), durability)
        try:
            self._rules = TableRules(SERVICE)
            self._state = EntityStorage(store=store, rules=self._rules)
            if store.is_new:
                empty = read_document({SECURITY: {}}, SERVICE)
                self._state.put({name: rows for name, rows in empty.items() if rows})
            else:
                tables_in(store, SERVICE, self._rules, Snapshot({}, 0))
        except BaseException:
            store.close()
            raise

    def read(self) -> dict[str, dict[str, Any]]:
        """Return the tables by name, each document by its number; they are copies."""
        now = self._state.now
        filled = (name for name, rows in now.tables.items() if rows)
        names = dict.fromkeys([*self._rules.tables, *filled])
        tables = {name: NumberedCopies(now.rows(name)) for name in names}
        return cast("dict[str, dict[str, Any]]", tables)

    def write(self, data: Mapping[str, Documents]) -> None:
        """Make these the tables, all of them or none. Raise BadRequest and StoreFailed."""
        with self._state.writing() as staging:
            staging.take(self._deltas(data))

    def close(self) -> None:
        """Let go of the file."""
        self._state.close()

    def _deltas(self, data: Mapping[str, Documents]) -> dict[str, dict[str, Entity | None]]:
        now, rules = self._state.now, self._state.rules
        write: dict[str, dict[str, Mapping[str, Any] | None]] = {}
        numbers: dict[tuple[str, str], int] = {}
        for name in dict.fromkeys([*now.tables, *data]):
            rows, documents = now.rows(name), data.get(name, {})
            if isinstance(documents, NumberedCopies) and documents.rows is rows:
                continue
            keys = {str(entity.number): entity.key for entity in rows.in_order.stored()}
            delta = write[name] = {
                key: None for number, key in keys.items() if number not in documents
            }
            for number, document in documents.items():
                key = keys.get(number) or _new_key(name, document, rows, delta)
                if number not in keys or differ(rows.find(key), document):
                    delta[key] = document
                    numbers[name, key] = int(number)
        entity = self._state.entity
        return {
            name: {
                key: None if value is None else entity(key, value, numbers[name, key])
                for key, value in delta.items()
            }
            for name, delta in rules.check(write, now).items()
        }


class NumberedCopies(Mapping[str, Any]):
    """A table as TinyDB's own reads it: copies of the documents, by their numbers as text."""

    def __init__(self, rows: Rows):
        self.rows = rows

    def __getitem__(self, number: str) -> Any:
        wanted = int(number)
        entity = next(self.rows.in_order.after(wanted - 1), None)
        if entity is None or entity.number != wanted:
            raise KeyError(number)
        return copy.deepcopy(dict(entity))

    def __iter__(self) -> Iterator[str]:
        return (str(entity.number) for entity in self.rows.in_order.stored())

    def __len__(self) -> int:
        return len(self.rows)


def _new_key(
    name: str, document: Mapping[str, Any], rows: Rows, delta: Mapping[str, object]
) -> str:
    """Return the key of a new document: its id, or one that is made. Raise BadRequest."""
    key = document.get("id")
    if key is None:
        return new_guid()
    if not isinstance(key, str):
        raise BadRequest(f"{name}: An id is a text.")
    if key in rows or key in delta:
        raise BadRequest(f"{name}/{key}/id: There is such an entity already.")
    return key
