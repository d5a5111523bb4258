"""The tables of one tenant's state: what was put there, what is generated, and the views."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from mockgraph import work
from mockgraph.service.hunting import demo_telemetry
from mockgraph.service.hunting.entity_views import SETS, VIEWS, Entity
from mockgraph.service.hunting.refusal import HuntingError
from mockgraph.service.hunting.schema import schema
from mockgraph.service.hunting.telemetry import Block, Tables, block, view

if TYPE_CHECKING:
    import pyarrow

# The member of the document, beside the tables, that names telemetry to be made when it is needed.
GENERATED = "generated"
_GENERATORS = {"demo": demo_telemetry.rows}

_ENTITY_STEPS = 40  # of work that an entity takes, which may have much evidence

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


class TenantTables:
    """The tables that queries read in a snapshot, each made when a query first names it.

    ``hunting`` has an entity with ``table`` and ``rows`` for each block; ``sets`` are those that
    the views are made of; what is generated ends at ``now``.
    """

    columns = schema()

    def __init__(self, hunting: Stored, sets: Mapping[str, Stored], now: datetime):
        self._hunting = hunting
        self._sets = sets
        self._stored = tuple(sets[name] for name in SETS)
        self._now = now

    def arrow(self, table: str) -> pyarrow.Table:
        """Return the rows of a table. Raises HuntingError with the place of one that does not fit.

        What takes long counts as work of this thread.
        """
        return Tables({table: list(self._blocks(table))}).arrow(table)

    def _blocks(self, table: str) -> Iterator[Block]:
        if make := VIEWS.get(table):
            yield _KEPT.get((table, *self._stored), lambda: view(table, lambda: make(self._rows)))
        for entity in self._hunting.in_order:
            name, items = entity["table"], entity["rows"]
            if name == GENERATED:
                for each in items:
                    if found := self._generated(each).get(table):
                        yield found
            elif name == table:
                yield _KEPT.get((table, items), partial(block, table, items))

    def _generated(self, name: str) -> Mapping[str, Block]:
        """Return the blocks of telemetry that is made when a first query needs it."""
        day = self._now.date()

        def make() -> Mapping[str, Block]:
            made = _GENERATORS[name](self._rows("alerts_v2"), day)
            return {table: block(table, rows) for table, rows in made.items()}

        found: Mapping[str, Block] = _KEPT.get((name, day, *self._stored), make)
        return found

    def _rows(self, name: str) -> Iterable[Entity]:
        return work.current().on_each(self._sets[name].in_order, _ENTITY_STEPS)


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
