"""One tenant: a state, and what a test does to it or asks of it."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from mockgraph.errors import BadRequest, NotFound, Overtaken, StoreFailed
from mockgraph.http import Request, Response
from mockgraph.metadata.names import Json
from mockgraph.settings import Settings
from mockgraph.state import Snapshot, State
from mockgraph.state.documents import DIRECTORY
from mockgraph.testing.journal import Journal, Requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockgraph.entra.entra import Entra
    from mockgraph.testing.faults import Faults, Strike
    from mockgraph.testing.police import Police
    from mockgraph.testing.stubs import Stub, Stubs

PREFIX = "/t/"
# Where it is noted how often the tenant of a request had been reset when the request came.
ENTERED = "mockgraph.resets"

MAX_SNAPSHOTS = 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")


class Tenant:
    """A state, and what a test does to it or asks of it.

    That are its faults, its stubs, its named snapshots, its journal and its Entra; with
    ``strict_client`` also the police that refuses what a client should not do. Faults, stubs
    and Entra are loaded and made when they are first asked for: few starts and few tenants
    need them. ``resets`` is how often it was reset: a request that came before the last one is
    none of its own any more.
    """

    __slots__ = (
        "_changing",
        "_entra",
        "_faults",
        "_make_entra",
        "_stubs",
        "allowed",
        "journal",
        "name",
        "police",
        "prefix",
        "resets",
        "snapshots",
        "state",
    )

    def __init__(
        self, name: str, state: State, make_entra: Callable[[], Entra], settings: Settings
    ):
        self.name = name
        self.prefix = f"{PREFIX}{name}" if name else ""
        self.state = state
        self.journal = Journal(settings.journal, state.clock)
        self.resets = 0
        self.snapshots: dict[str, Snapshot] = {}
        self.allowed = settings.allowed_misdeeds
        self.police = self._police() if settings.strict_client else None
        # Held while the state becomes another, with who may sign in, and while parts are made.
        self._changing = threading.RLock()
        self._make_entra = make_entra
        self._entra: Entra | None = None
        self._faults: Faults | None = None
        self._stubs: Stubs | None = None

    @property
    def entra(self) -> Entra:
        """Who may sign in, and the tokens."""
        with self._changing:
            if self._entra is None:
                self._entra = self._make_entra()
                self._entra.follow(self.state.directory)
            return self._entra

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        with self._changing:
            if self._faults is None:
                from mockgraph.testing.faults import Faults

                self._faults = Faults(self.state.clock, changed=self.journal.note_change)
            return self._faults

    @property
    def stubs(self) -> Stubs:
        """A test's own answers."""
        with self._changing:
            if self._stubs is None:
                from mockgraph.testing.stubs import Stubs

                self._stubs = Stubs(changed=self.journal.note_change)
            return self._stubs

    @property
    def errors(self) -> list[Exception]:
        """What functions of the test's own raised, of stubs and of faults."""
        parts = (self._stubs, self._faults)
        return [error for part in parts if part is not None for error in part.errors]

    def stub(self, request: Request) -> Stub | None:
        """The stub that answers a request, if there is one."""
        return self._stubs.find(request) if self._stubs else None

    def strike(self, request: Request) -> Strike | None:
        """What the faults do to a request, if there are any.

        Raises Overtaken where it waited for so long that a test is over: what it writes would
        be found by the next.
        """
        strike = self._faults.strike(request) if self._faults else None
        if self._is_overtaken(request):
            raise Overtaken()
        return strike

    def verify(self, token: str, host: str) -> Mapping[str, Json]:
        """The claims of a token that is good at a host. Raises Unauthenticated."""
        return self.entra.verify(token, host)

    def check(self, request: Request) -> None:
        """Raises 400 for what no well-behaved client sends, if this tenant is strict."""
        if self.police is not None:
            self.police.refuse(request, self.journal.draft(request, Response(0)))

    def record(self, request: Request, response: Response, seconds: float) -> None:
        """Take note of a request that was answered, unless it came before the last reset."""
        if self._is_overtaken(request):
            return
        if self.journal.limit or self.police is not None:
            exchange = self.journal.record(request, response, seconds)
            if self.police is not None:
                self.police.watch(exchange)

    def requests(self) -> Requests:
        """The requests so far, marked with what was wrong with them once somebody looks."""
        from mockgraph.testing.police import marked

        return marked(self.journal.requests())

    def reset(self) -> None:
        """Back to the seeds, with nothing left of what a test did but its snapshots."""
        self.resets += 1
        with self._changing:
            self.state.reset()
            if self._entra is not None:
                self._entra.follow(self.state.directory)
                self._entra.reset()
        self.journal.clear()
        if self.police is not None:
            self.police = self._police()
        for part in (self._faults, self._stubs):
            if part is not None:
                part.reset()

    def read(self, document: Json) -> Snapshot:
        """The state that a document describes, with the directory in it.

        A document without one leaves who may sign in as it is. Raises BadRequest with the path
        of the fault where either does not fit.
        """
        snapshot = self.state.read(document)
        if DIRECTORY in document:
            self.entra.read(document[DIRECTORY])
        return snapshot

    def replace(self, document: Json) -> None:
        """Make a document the state, all of it or nothing. Raises as ``read``, and StoreFailed."""
        with self._changing:
            self._become(self.read(document))

    def go_back(self, snapshot: Snapshot) -> None:
        """Back to a snapshot of the state. Raises StoreFailed."""
        with self._changing:
            self._become(snapshot)

    def keep(self, name: str, snapshot: Snapshot | None = None) -> None:
        """Keep a state, by default that of now, under a name. Raises 400 for one that cannot be."""
        check_name("snapshot", name)
        if name not in self.snapshots and len(self.snapshots) >= MAX_SNAPSHOTS:
            raise StoreFailed(f"There are {MAX_SNAPSHOTS} snapshots already; delete some first.")
        self.snapshots[name] = snapshot or self.state.snapshot()

    def document(self, name: str) -> dict[str, Json]:
        """The state that was kept under a name, as seeds are written; read it only. Raises 404."""
        return self.state.document(self.kept(name))

    def restore(self, name: str) -> None:
        """Back to the state that was kept under a name. Raises 404."""
        self.go_back(self.kept(name))

    def forget(self, name: str) -> None:
        """Drop the state that was kept under a name. Raises 404."""
        self.kept(name)
        self.snapshots.pop(name, None)

    def kept(self, name: str) -> Snapshot:
        """The state that was kept under a name. Raises 404."""
        try:
            return self.snapshots[name]
        except KeyError:
            raise NotFound(f"There is no snapshot '{name}'.") from None

    def _become(self, snapshot: Snapshot) -> None:
        self.state.restore(snapshot)
        if self._entra is not None:
            self._entra.follow(self.state.directory)
        self.journal.note_change()

    def _is_overtaken(self, request: Request) -> bool:
        resets: int = request.environ.get(ENTERED, self.resets)
        return resets != self.resets

    def _police(self) -> Police:
        from mockgraph.testing.police import Police, rules

        return Police(allowed=rules(self.allowed))


def check_name(what: str, name: str) -> None:
    """Raises 400 where a tenant or a snapshot, as ``what`` says, cannot have this name."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"{name[:100]!r} is no name for a {what}: letters, digits and any of ._~- are, up "
            "to 100 of them, a letter or a digit first."
        )
