"""Stored entities and their keys.

An entity is a TinyDB document. Its key, the document's id, is its ``id`` alone where its set
stands below a singleton or a root. Where it is contained in another entity, its owner, the
owner's key comes first: ``{case}/{custodian}`` in the table
``security/cases/ediscoveryCases/custodians``. The one entity of a single-valued resource has
``$`` for its own id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tinydb.table import Document

from mockgraph.metadata.keys import SEPARATOR
from mockgraph.metadata.resources import SINGLE
from mockgraph.state.etags import etag_of

# Tables with this ending mark the one entities of single-valued resources that were deleted, by
# their keys: one that was never written is there, all of it unset.
REMOVED: Final = "/$removed"
# The revision of the one entity of a single-valued resource before it is written.
IMPLICIT: Final = 0


class Entity(Document):
    """A stored entity: its properties, which nobody may edit, its revision and its number.

    Revisions count the entities that were ever written. No two contents of an entity share
    one, so it serves as the etag. The number tells the entity from the others of its table and
    stays the same for as long as it is there: entities are listed by it, and paging goes by
    it. It is the first revision that the entity had, or, where TinyDB gave it, a smaller one.
    ``rendered`` keeps the entity's JSON, by how it was rendered.
    """

    __slots__ = ("_etag", "doc_id", "key", "number", "rendered", "revision")

    def __init__(self, properties: Mapping[str, Any], key: str, revision: int, number: int):
        dict.__init__(self, properties)  # all that a document does, without another call
        self.doc_id: Any = key
        self.key = key
        self.revision = revision
        self.number = number
        self.rendered: dict[object, bytes] = {}
        self._etag: str | None = None

    @property
    def etag(self) -> str:
        """The etag of this revision."""
        etag = self._etag
        if etag is None:
            etag = self._etag = etag_of(self.revision)
        return etag

    @property
    def is_implicit(self) -> bool:
        """Whether it is there without ever having been written."""
        return self.revision == IMPLICIT

    @property
    def owner(self) -> str:
        """The key of the entity that contains this one; empty where none does."""
        return split_key(self.key)[0]


def join_key(owner: str, own_id: str) -> str:
    """Return the key of an entity with this id that the owner contains."""
    return f"{owner}{SEPARATOR}{own_id}" if owner else own_id


def split_key(key: str) -> tuple[str, str]:
    """Return the owner's key, empty where there is none, and the entity's own id."""
    owner, _, own_id = key.rpartition(SEPARATOR)
    return owner, own_id


def owner_key(key: str) -> str:
    """Return what the keys of the entities begin with that the one with this key contains.

    That of a single-valued resource adds nothing to the keys.
    """
    owner, own_id = split_key(key)
    return owner if own_id == SINGLE else key
