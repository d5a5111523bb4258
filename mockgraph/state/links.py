"""References between entities, as the documents of tables of their own.

The references of a navigation property are in the table ``{path}/$ref``. The key of one is the
key of the entity that refers, ``/``, and its target, quoted; so an owner's references are found
as what it contains is. Its document tells the target's table and key, and both as one text,
by which those who refer to an entity are found when it goes.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from mockgraph.metadata.names import Json
from mockgraph.state.entities import join_key

# Tables with this ending hold references, from the owner's key to a table and a key in it.
LINKS: Final = "/$ref"
# The property of a reference that has its target as a text.
TARGET: Final = "target"


def link_key(owner: str, table: str, key: str) -> str:
    """Return the key of the reference from an owner to an entity of a table."""
    return join_key(owner, quote(target_of(table, key), safe=""))


def link_to(table: str, key: str) -> dict[str, Json]:
    """Return the document of a reference to an entity of a table."""
    return {TARGET: target_of(table, key), "table": table, "key": key}


def target_of(table: str, key: str) -> str:
    """Return the text that a reference has for an entity, and that an index finds it by."""
    return f"{table} {key}"
