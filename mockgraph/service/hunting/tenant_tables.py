"""The tables of one tenant's state: what was put there, what is generated, and the views."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from threading import Lock
from typing import Any, Protocol

from mockgraph.service.hunting import demo_telemetry
from mockgraph.service.hunting.entity_views import SETS, VIEWS, Entity
from mockgraph.service.hunting.refusal import HuntingError
from mockgraph.service.hunting.telemetry import Block, Tables, block, view

# The member of the document, beside the tables, that names telemetry to be made when it is needed.
GENERATED = "generated"
_GENERATORS = {"demo": demo_telemetry.rows}

_MOST_KEPT = 1024  # blocks that are kept for the next query


class Stored(Protocol):
    """A table of a snapshot: the same object for as long as nothing in it changes."""

    @property
    def in_order(self) -> Iterable[Entity]: ...


def check_hunting(document: Any) -> None:
    """Raise HuntingError, with the place of the fault, where the member ``Hunting`` does not fit.

    It is an object with an array of rows for each table.
    """
    if not isinstance(document, Mapping):
        raise HuntingError("Hunting: an object is expected.")
    for table, items in document.items():
        if not isinstance(items, list):
            raise HuntingError(f"Hunting/{table}: an array is expected.")
        if table != GENERATED:
            block(table, items, f"Hunting/{table}")
        elif unknown := [each for each in items if each not in _GENERATORS]:
            raise HuntingError(f"Hunting/{GENERATED}: there is no telemetry '{unknown[0]}'.")


def tables_of(hunting: Stored, sets: Mapping[str, Stored], now: datetime) -> Tables:
    """Return the tables that queries read in a snapshot.

    ``hunting`` has an entity with ``table`` and ``rows`` for each block; ``sets`` are those that
    the views are made of; what is generated ends at ``now``.
    """
    blocks: dict[str, list[Block]] = {}
    stored = tuple(sets[name] for name in SETS)

    def entities(name: str) -> Iterable[Entity]:
        return sets[name].in_order

    for table, make in VIEWS.items():
        made = _KEPT.get((table, *stored), lambda t=table, m=make: view(t, lambda: m(entities)))
        blocks[table] = [made]
    for entity in hunting.in_order:
        table, items = entity["table"], entity["rows"]
        if table == GENERATED:
            for name in items:
                _generate(name, blocks, stored, entities, now)
        else:
            found = _KEPT.get((table, items), lambda t=table, i=items: block(t, i))
            blocks.setdefault(table, []).append(found)
    return Tables(blocks)


def _generate(
    name: str,
    blocks: dict[str, list[Block]],
    stored: tuple[Stored, ...],
    entities: Any,
    now: datetime,
) -> None:
    """Add the blocks of telemetry that is made when a first query needs it."""
    day = now.date()

    def make() -> Mapping[str, Block]:
        made = _GENERATORS[name](list(entities("alerts_v2")), day)
        return {table: block(table, rows) for table, rows in made.items()}

    for table, found in _KEPT.get((name, day, *stored), make).items():
        blocks.setdefault(table, []).append(found)


class _KeptTables:
    """A cache of values made of objects that never change, for as long as they are asked for."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[Any, ...], tuple[Sequence[Any], Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, of: Sequence[Any], make: Any) -> Any:
        """Return what was made of these objects: the very same ones, which are held."""
        key = tuple(each if isinstance(each, str | date) else id(each) for each in of)
        with self._lock:
            found = self._made.get(key)
            if found is not None:
                self._made.move_to_end(key)
                return found[1]
        made = make()
        with self._lock:
            self._made[key] = (of, made)
            while len(self._made) > _MOST_KEPT:
                self._made.popitem(last=False)
        return made


_KEPT = _KeptTables()
