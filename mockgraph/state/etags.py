"""Etags: their form, and the conditions that a request states with them."""

from __future__ import annotations

from typing import NamedTuple

from mockgraph.errors import PreconditionFailed

_WEAK = "W/"
_ANY = "*"


def etag_of(revision: int) -> str:
    """Return the etag of an entity's revision, ``W/"5f3a"``."""
    return f'{_WEAK}"{revision:x}"'


# Revisions count up from the time at which a state was made: none is ever 0.
OUTDATED = etag_of(0)


def read_etags(header: str | None) -> tuple[str, ...]:
    """Return the opaque tags in ``If-Match`` or ``If-None-Match``, without ``W/``."""
    return tuple(_opaque(tag.strip()) for tag in header.split(",")) if header else ()


class Preconditions(NamedTuple):
    """``If-Match`` and ``If-None-Match`` as opaque tags; ``("*",)`` is any."""

    match: tuple[str, ...] = ()
    none_match: tuple[str, ...] = ()

    def check_write(self, etag: str) -> None:
        """Raise 412 where they forbid to write to the entity that has this etag."""
        if self._misses(etag):
            raise PreconditionFailed
        if _is_among(self.none_match, etag):
            raise PreconditionFailed("The entity exists, or has the etag that it must not have.")

    def is_known(self, etag: str) -> bool:
        """Return whether a reader has the entity already. Raise 412 where If-Match fails."""
        if self._misses(etag):
            raise PreconditionFailed
        return _is_among(self.none_match, etag)

    def _misses(self, etag: str) -> bool:
        return bool(self.match) and not _is_among(self.match, etag)


def _is_among(tags: tuple[str, ...], etag: str) -> bool:
    return bool(tags) and (_ANY in tags or _opaque(etag) in tags)


def _opaque(tag: str) -> str:
    return tag.removeprefix(_WEAK)
