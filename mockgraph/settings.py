"""What a server is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mockgraph.errors import MockGraphError

# A whole state, as the control plane takes it, is larger than any request to Graph. In bytes.
MAX_STATE = 512 * 1024 * 1024

_CHOICES = {
    "auth": ("any", "off", "jwt"),
    "json": ("graph", "documented"),
    "durability": ("process", "disk"),
}


@dataclass(frozen=True)
class Settings:
    """The settings of one app. Raises MockGraphError where one has a value that it cannot have.

    ``store`` is a file's path, or None for memory, and ``durability`` says what a write in it
    survives: a kill of the ``process``, or a power cut (``disk``). ``seeds`` are state
    documents, laid over the documented state one after another; ``docs`` are directories of
    reference pages that take the place of the bundled ones; ``csdl`` are files of metadata, of
    which v1.0 and beta serve what they declare, too. ``auth`` is ``any``, ``off`` or
    ``jwt``; ``json`` is ``graph`` (compact, with control information) or ``documented`` (as the
    pages print it). ``max_body`` is in bytes. ``journal`` is how many requests are remembered;
    ``strict_client`` refuses what a well-behaved client does not do, but for what is among
    ``allowed_misdeeds``, the names of rules of the police; with a ``control_token``
    the control plane asks for it; ``allowed_hosts`` are names, beside those of the loopback,
    that the control plane may be reached by.
    """

    store: str | None = None
    durability: str = "process"
    seeds: tuple[Any, ...] = ()
    docs: tuple[str, ...] = ()
    csdl: tuple[str, ...] = ()
    auth: str = "any"
    json: str = "graph"
    max_body: int = 4 * 1024 * 1024
    journal: int = 1000
    strict_client: bool = False
    allowed_misdeeds: tuple[str, ...] = ()
    control_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.journal < 0:
            raise MockGraphError(f"journal is a number of requests, not {self.journal}.")
        for name, choices in _CHOICES.items():
            chosen = getattr(self, name)
            if chosen not in choices:
                listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
                raise MockGraphError(f"{name} is {listed}, not {chosen!r}.")
