"""Stored entities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tinydb.table import Document


class Entity(Document):
    """A stored entity: its properties, read only by convention, its revision and its number.

    Revisions count the entities that were ever written. No two contents of an entity share
    one, so it serves as the etag. Its number is the first revision that it had, and stays the
    same for as long as it is there: entities are listed by it, and paging goes by it.
    """

    __slots__ = ("key", "number", "rendered", "revision")

    def __init__(self, properties: Mapping[str, Any], key: str, revision: int, number: int):
        super().__init__(properties, cast("int", key))
        self.key = key
        self.revision = revision
        self.number = number
        self.rendered: dict[object, bytes] = {}

    @property
    def etag(self) -> str:
        return f'W/"{self.revision:x}"'
