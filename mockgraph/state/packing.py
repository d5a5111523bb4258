"""Entities as JSON until somebody looks at them: objects take several times the bytes.

The rows of a table hold entities in either form. Whoever asks the rows for one gets it unpacked;
the last that were are kept so, and of others nothing is left once nobody holds them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Self, TypeAlias, cast
from weakref import ref

import orjson

from mockgraph.metadata.names import Json
from mockgraph.state.entities import Entity, split_key
from mockgraph.state.persistent_maps import Ordered

# How much JSON is kept unpacked in a process, in bytes. It takes about five times as many then.
_MOST_KEPT = 96 * 1024 * 1024
# The same of what was just made, and is asked for soon or not for long.
_MOST_NEW = 16 * 1024

# Bytes that are written at once: between two pieces other threads run.
_PIECE = 64 * 1024


class PackedProperties(Mapping[str, Json]):
    """The properties of an entity that is to be stored, as JSON."""

    __slots__ = ("json",)

    def __init__(self, json: bytes):
        self.json = json

    def __getitem__(self, name: str) -> Json:
        return orjson.loads(self.json)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(orjson.loads(self.json))

    def __len__(self) -> int:
        return len(orjson.loads(self.json))


def packed(properties: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return properties packed; as they are where they cannot be, for being nested too deeply."""
    try:
        return PackedProperties(json_of(properties))
    except TypeError:
        return properties


def json_of(value: Json) -> bytes:
    """Return a value as JSON that can be kept. Raise TypeError where it is nested too deeply.

    What orjson returns itself holds all the memory that it was written in, eight times as much.
    """
    return bytes(memoryview(orjson.dumps(value)))


class PackedEntity:
    """A stored entity as JSON.

    For as long as somebody holds the entity that it was unpacked to, there is no other.
    """

    __slots__ = ("__weakref__", "_entity", "json", "key", "number", "revision")

    def __init__(self, json: bytes, key: str, revision: int, number: int):
        self.json = json
        self.key = key
        self.revision = revision
        self.number = number
        self._entity: Entity | ref[Entity] | None = None

    @property
    def owner(self) -> str:
        """The key of the entity that contains this one; empty where none does."""
        return split_key(self.key)[0]

    def unpacked(self) -> Entity:
        """Return the entity."""
        found = self._entity
        return found if isinstance(found, Entity) else _UNPACKED.of(self)


class _Unpacked:
    """The packed entities that were unpacked last, and are kept so. Safe under threads.

    They have so many bytes of JSON as ``most`` says, at most. One that is in no table any more, as
    a write, a reset or the end of its app leaves it, is gone for all that.
    """

    _lock = threading.Lock()  # one for all: an entity may be among those of several

    def __init__(self, most: Callable[[], int] = lambda: _MOST_KEPT) -> None:
        self._most = most
        self._kept: deque[tuple[ref[PackedEntity], int]] = deque()  # and the bytes of each
        self._size = 0

    def of(self, packed: PackedEntity) -> Entity:
        """Return what somebody holds of a packed entity, or unpack it."""
        with self._lock:
            held = packed._entity
            entity = held() if isinstance(held, ref) else held
            if entity is None:
                properties = orjson.loads(packed.json)
                entity = Entity(properties, packed.key, packed.revision, packed.number)
            if held is not entity:
                self._keep(packed, entity)
            return entity

    def keep(self, packed: PackedEntity, entity: Entity) -> None:
        """Keep what was packed unpacked for now."""
        with self._lock:
            self._keep(packed, entity)

    def _keep(self, packed: PackedEntity, entity: Entity) -> None:
        packed._entity = entity
        size = len(packed.json)
        self._kept.append((ref(packed), size))
        self._size += size
        most = self._most()
        while self._size > most:
            self._let_go(*self._kept.popleft())

    def _let_go(self, kept: ref[PackedEntity], size: int) -> None:
        self._size -= size
        packed = kept()
        entity = None if packed is None else packed._entity
        if packed is not None and isinstance(entity, Entity):
            held = packed._entity = ref(entity)
            del entity
            if held() is None:
                packed._entity = None  # nobody else has it


_UNPACKED = _Unpacked()
_NEW = _Unpacked(lambda: _MOST_NEW)

# An entity as rows hold it.
Stored: TypeAlias = Entity | PackedEntity


def unpacked(stored: Stored) -> Entity:
    """Return a stored entity itself."""
    if not isinstance(stored, PackedEntity):
        return stored
    found = stored._entity
    return found if isinstance(found, Entity) else _UNPACKED.of(stored)


def pack_new(entity: Entity) -> Stored:
    """Return an entity that was just made as rows hold it; as it is where it cannot be packed.

    In memory it is some thirty objects, at which the collector would look several times.
    """
    return _pack(entity, _NEW)


def pack_changed(entity: Entity) -> Stored:
    """Return an entity that was changed, and may be read soon, as ``pack_new`` does."""
    return _pack(entity, _UNPACKED)


def _pack(entity: Entity, kept: _Unpacked) -> Stored:
    try:
        json = json_of(entity)
    except TypeError:  # nested too deeply
        return entity
    packed = PackedEntity(json, entity.key, entity.revision, entity.number)
    kept.keep(packed, entity)
    return packed


class Entities(Ordered[Entity]):
    """The entities of a table in order; those that are packed are unpacked as they are given."""

    __slots__ = ()

    def __init__(self, items: Iterable[Stored] = ()):
        super().__init__(cast("Iterable[Entity]", items))

    def __iter__(self) -> Iterator[Entity]:
        return map(unpacked, super().__iter__())

    def __reversed__(self) -> Iterator[Entity]:
        return map(unpacked, super().__reversed__())

    def at(self, number: int) -> Entity:
        return unpacked(super().at(number))

    def after(self, number: float) -> Iterator[Entity]:
        return map(unpacked, super().after(number))

    def before(self, number: float) -> Iterator[Entity]:
        return map(unpacked, super().before(number))

    def first(self) -> Entity:
        return unpacked(super().first())

    def stored(self) -> Iterator[Stored]:
        """Give the entities as they are stored."""
        return super().__iter__()

    if TYPE_CHECKING:  # they may be packed

        def put(self, item: Stored) -> Self: ...

        def replaced(self, item: Stored) -> Self: ...

    def differing(self, other: Entities) -> tuple[list[Stored], list[Stored]]:
        """Return what ``difference`` does, as it is stored."""
        return cast("tuple[list[Stored], list[Stored]]", super().difference(other))


def in_pieces(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Give texts one behind another, about 64 KiB at once."""
    held: list[bytes] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size >= _PIECE:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
