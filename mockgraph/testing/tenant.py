"""Tenants: states that know nothing of one another, behind one server.

A request belongs to the tenant that its path names in front, ``/t/{tenant}/v1.0/...``, or its
header ``x-mockgraph-tenant``; without either, to the one that the server started with. A tenant
starts from the seeds and shares with the others all that none of them has changed. It is made by
the first request that may change something, once that was checked; those before it, as any web
page can have a browser send them, see one that is provisional.
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from mockgraph.errors import BadRequest, Conflict, NotFound, Overtaken, StoreFailed
from mockgraph.http import Request, Response
from mockgraph.metadata.names import Json
from mockgraph.server_options import Settings
from mockgraph.service.hunting_query import check_rows
from mockgraph.spelling import suggestion
from mockgraph.state import Snapshot, State
from mockgraph.state.document_writer import WrittenDocument
from mockgraph.state.documents import DIRECTORY
from mockgraph.state.table_rules import new_key
from mockgraph.testing.journal import Journal, JournalRoom, Requests
from mockgraph.testing.nearest_names import with_meant_properties
from mockgraph.testing.reset import ENTERED, reset
from mockgraph.wsgi import Environ

if TYPE_CHECKING:  # parts that are loaded when they are first needed
    from collections.abc import Callable, Iterator, Mapping

    from mockgraph.entra.entra import Entra
    from mockgraph.testing.faults import Faults, Strike
    from mockgraph.testing.hunts import Hunts
    from mockgraph.testing.long_operations import LongOperations
    from mockgraph.testing.police import Police
    from mockgraph.testing.stubs import Stub, Stubs

PREFIX = "/t/"
# Where the tenant of a request is noted, for the requests within it.
NOTED = "mockgraph.tenant"

MAX_TENANTS = 100_000
_MAX_PROVISIONAL = 256
MAX_SNAPSHOTS = 1000
# The room of the journals of all tenants: bytes at least, and how many full journals beyond.
_LEAST_ROOM = 16 * 1024 * 1024
_JOURNALS = 4
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")


class Tenant:
    """A state with its faults, stubs, named snapshots, journal and Entra.

    With ``strict_client`` it also has the police that refuses misdeeds. Faults, stubs and Entra
    are loaded and made when they are first needed: few starts and few tenants need them.
    ``resets`` counts how often it was reset: what came before leaves no trace after it.
    """

    __slots__ = (
        "_entra",
        "_faults",
        "_hunts",
        "_make_entra",
        "_stubs",
        "allowed",
        "changing",
        "journal",
        "name",
        "police",
        "prefix",
        "resets",
        "snapshots",
        "state",
    )

    def __init__(
        self,
        name: str,
        state: State,
        make_entra: Callable[[], Entra],
        settings: Settings,
        room: JournalRoom | None = None,
    ):
        self.name = name
        self.prefix = f"{PREFIX}{name}" if name else ""
        self.state = state
        self.journal = Journal(settings.journal, settings.journal_bytes, state.clock, room)
        state.on_edit(self.journal.note_change)
        self.resets = 0
        self.snapshots: dict[str, Snapshot] = {}
        self.allowed = settings.allow
        self.police = self.make_police() if settings.strict_client else None
        # Held while state and directory become others, and while parts are made.
        self.changing = threading.RLock()
        self._make_entra = make_entra
        self._entra: Entra | None = None
        self._faults: Faults | None = None
        self._hunts: Hunts | None = None
        self._stubs: Stubs | None = None

    @property
    def entra(self) -> Entra:
        """The directory, sign-ins and tokens."""
        with self.changing:
            if self._entra is None:
                self._entra = self._make_entra()
                self._entra.follow(self.state.directory)
            return self._entra

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        with self.changing:
            if self._faults is None:
                from mockgraph.testing.faults import Faults

                self._faults = Faults(self.state.clock, changed=self.journal.note_change)
            return self._faults

    @property
    def hunts(self) -> Hunts:
        """Advanced hunting: the rows, the queries, the answers that a test gave."""
        with self.changing:
            if self._hunts is None:
                from mockgraph.testing.hunts import Hunts

                self._hunts = Hunts(self.state, changed=self.journal.note_change)
            return self._hunts

    @property
    def operations(self) -> LongOperations:
        """The operations that were set going and have not ended."""
        from mockgraph.testing.long_operations import LongOperations

        return LongOperations(self.state, self.journal.note_change)

    @property
    def stubs(self) -> Stubs:
        """The stubs in force."""
        with self.changing:
            if self._stubs is None:
                from mockgraph.testing.stubs import Stubs

                self._stubs = Stubs(changed=self.journal.note_change)
            return self._stubs

    @property
    def is_stubbed(self) -> bool:
        """Whether a stub or a fault may answer in place of the emulation."""
        return bool(self._stubs or self._faults)

    @property
    def errors(self) -> list[Exception]:
        """The exceptions that functions of the test raised, those of stubs first."""
        parts = (self._stubs, self._faults)
        return [error for part in parts if part is not None for error in part.errors]

    def stub(self, request: Request) -> Stub | None:
        """Return the stub that answers a request, if there is one."""
        return self._stubs.find(request) if self._stubs else None

    def strike(self, request: Request) -> Strike | None:
        """Return the effects of the faults on a request, if there are faults.

        Raises Overtaken where it waited until after a reset: the next test would find its
        writes.
        """
        strike = self._faults.strike(request) if self._faults else None
        if self.overtook(request):
            raise Overtaken()
        return strike

    def overtook(self, request: Request) -> bool:
        """Return whether there was a reset since a request came, if it is known when."""
        resets: int = request.environ.get(ENTERED, self.resets)
        return resets != self.resets

    def verify(self, token: str, host: str) -> Mapping[str, Json]:
        """Return the claims of a token that is valid at a host. Raises Unauthenticated."""
        return self.entra.verify(token, host)

    def check(self, request: Request) -> None:
        """Raise 400 for a misdeed, if this tenant is strict."""
        if self.police is not None:
            self.police.refuse(
                request, self.journal.draft(request, Response(0), time.perf_counter())
            )

    def record(self, request: Request, response: Response, began: float) -> None:
        """Take note of a request that was answered, unless it came before the last reset.

        It came at ``began``, of ``time.perf_counter``.
        """
        if self.overtook(request):
            return
        if self.police is not None:
            exchange = self.journal.draft(request, response, began)
            self.journal.add(exchange)
            self.police.watch(exchange)
        elif self.journal.limit:
            self.journal.record(request, response, began)

    def requests(self) -> Requests:
        """Return the requests so far; the misdeeds of each are found when they are asked for."""
        from mockgraph.testing.police import with_misdeeds

        return with_misdeeds(self.journal.requests())

    def reset(self) -> None:
        """Go back to the seeds. Of the things that a test made, only snapshots are left."""
        reset(self)

    def read(self, document: Json) -> Snapshot:
        """Return the state that a document describes, with the directory and the rows in it.

        A document without a directory leaves that as it is. Raises BadRequest with the path
        of the fault where either does not fit.
        """
        snapshot = self.state.read(document)
        if DIRECTORY in document:
            self.entra.read(document[DIRECTORY])
        check_rows(document)
        return snapshot

    def replace(self, document: Json) -> None:
        """Make a document the state, all of it or nothing. Raises as ``read``, and StoreFailed."""
        with self.changing:
            self._become(self.read(document))

    def go_back(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot of the state. Raises StoreFailed."""
        with self.changing:
            self._become(snapshot)

    def add(self, path: str, properties: Mapping[str, Json]) -> Mapping[str, Json]:
        """Make an entity of a set, with defaults for what is not given; read it only.

        Raises as :meth:`mockgraph.graph.Graph.add`.
        """
        from mockgraph.service.entity_defaults import completed, set_at

        resource, owner = set_at(self.state.service.stored, path)
        now = self.state.clock.now()
        while True:
            key = str(new_key(resource)())
            whole = completed(resource, properties, key, now)
            try:
                added = self.state.create(resource.path, whole, owner)
            except Conflict:
                if properties.get("id"):
                    raise
                continue  # the new key is taken
            except BadRequest as error:
                near = with_meant_properties(error.message, resource.view)
                raise BadRequest(near) from None
            self.journal.note_change()
            return added

    def keep(self, name: str, snapshot: Snapshot | None = None) -> None:
        """Keep a state, by default the present one, under a name. Raises 400 for a bad name."""
        check_name("snapshot", name)
        if name not in self.snapshots and len(self.snapshots) >= MAX_SNAPSHOTS:
            raise StoreFailed(f"There are {MAX_SNAPSHOTS} snapshots already; delete some first.")
        self.snapshots[name] = snapshot or self.state.snapshot()

    def document(self, name: str) -> dict[str, Json]:
        """Return the state that was kept under a name, as a seed; read it only. Raises 404."""
        return self.written(name).value()

    def written(self, name: str | None = None) -> WrittenDocument:
        """Return the state, or one that was kept, as a document in pieces. Raises 404."""
        return self.state.written(None if name is None else self.kept(name))

    def restore(self, name: str) -> None:
        """Go back to the state that was kept under a name. Raises 404."""
        self.go_back(self.kept(name))

    def forget(self, name: str) -> None:
        """Drop the state that was kept under a name. Raises 404."""
        self.kept(name)
        self.snapshots.pop(name, None)

    def kept(self, name: str) -> Snapshot:
        """Return the state that was kept under a name. Raises 404."""
        try:
            return self.snapshots[name]
        except KeyError:
            near = suggestion(name, [*self.snapshots])
            raise NotFound(f"There is no snapshot '{name}'.{near}") from None

    def parts(self) -> list[Entra | Faults | Stubs | Hunts]:
        """Return the parts that were needed so far."""
        parts = (self._entra, self._faults, self._stubs, self._hunts)
        return [part for part in parts if part is not None]

    def follow_directory(self) -> None:
        """Have Entra use the directory that is now in the state."""
        if self._entra is not None:
            self._entra.follow(self.state.directory)

    def make_police(self) -> Police:
        """Make a police that remembers nothing yet."""
        from mockgraph.testing.police import Police, rules

        return Police(allowed=rules(self.allowed))

    def _become(self, snapshot: Snapshot) -> None:
        self.state.restore(snapshot)
        self.follow_directory()
        self.journal.note_change()


class Tenants:
    """The tenants of one app; ``default`` is the one that is not named. Safe under threads.

    ``make_entra`` makes Entra for the default one, the others have forks of it. Raises
    MockGraphError where settings allow misdeeds that there are not.
    """

    def __init__(self, state: State, make_entra: Callable[[], Entra], settings: Settings):
        if settings.allow:
            from mockgraph.testing.police import rules

            rules(settings.allow)
        self._room = JournalRoom(max(_LEAST_ROOM, _JOURNALS * settings.journal_bytes))
        self.default = Tenant("", state, make_entra, settings, self._room)
        self._settings = settings
        self._named: dict[str, Tenant] = {}
        self._provisional: dict[str, Tenant] = {}  # the last ones that were only read
        self._lock = threading.Lock()

    def enter(self, environ: Environ) -> Tenant:
        """Return the tenant of a request, whose prefix moves from the path to ``SCRIPT_NAME``.

        Raises 400 for an invalid name.
        """
        noted: Tenant | None = environ.get(NOTED)
        if noted is not None:
            return noted
        path = environ["PATH_INFO"]
        if path.startswith(PREFIX):
            name, slash, rest = path[len(PREFIX) :].partition("/")
            if not name:  # it would be everybody's
                check_name("tenant", name)
            tenant = self._find(name)
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + tenant.prefix
            environ["PATH_INFO"] = slash + rest
        else:
            name = environ.get("HTTP_X_MOCKGRAPH_TENANT")
            tenant = self._find(name) if name else self.default
        environ[NOTED] = tenant
        environ[ENTERED] = tenant.resets
        return tenant

    def known(self, environ: Environ) -> tuple[str, Tenant | None]:
        """Return a request's path below its tenant's prefix, and the tenant where there is one."""
        path: str = environ["PATH_INFO"]
        if path.startswith(PREFIX):
            name, slash, rest = path[len(PREFIX) :].partition("/")
            path = slash + rest
        else:
            name = environ.get("HTTP_X_MOCKGRAPH_TENANT", "")
        return path, self.default if not name else self._named.get(name)

    def get(self, name: str) -> Tenant:
        """Return the tenant of this name, made if there is none; the empty name is the default.

        Raises 400 for an invalid name, 507 where there are too many.
        """
        tenant = self._find(name)
        self.keep(tenant)
        return tenant

    def keep(self, tenant: Tenant) -> None:
        """Have a provisional tenant be one for good. Raises 507 where there are too many."""
        if self._provisional.get(tenant.name) is not tenant:
            return
        with self._lock:
            if self._provisional.get(tenant.name) is tenant:
                if len(self._named) >= MAX_TENANTS:
                    raise StoreFailed(
                        f"There are {MAX_TENANTS} tenants already; delete some first."
                    )
                self._named[tenant.name] = self._provisional.pop(tenant.name)

    def drop(self, name: str) -> None:
        """Forget a tenant and everything in it. Raises 404."""
        with self._lock:
            self._forget(self._provisional.pop(name, None))
            named = self._named.pop(name, None)
            if named is None:
                raise NotFound(f"There is no tenant '{name}'.")
            self._forget(named)

    def clear(self) -> None:
        """Forget all tenants that have a name."""
        with self._lock:
            for tenant in (*self._provisional.values(), *self._named.values()):
                self._forget(tenant)
            self._provisional.clear()
            self._named.clear()

    def close(self) -> None:
        """Close the store."""
        self.default.state.close()

    def __iter__(self) -> Iterator[Tenant]:
        """Iterate over the tenants that have a name and were made."""
        return iter(list(self._named.values()))

    def provisional(self) -> list[Tenant]:
        """Return the last tenants that have a name and were only read."""
        return list(self._provisional.values())

    def _find(self, name: str) -> Tenant:
        """Return the tenant of a name, a provisional one where none was made. Raises 400."""
        if not name:
            return self.default
        tenant = self._named.get(name)
        if tenant is not None:
            return tenant
        check_name("tenant", name)
        with self._lock:
            tenant = self._named.get(name) or self._provisional.pop(name, None)
            if tenant is None:
                state = self.default.state.fork()
                tenant = Tenant(
                    name,
                    state,
                    lambda: self.default.entra.fork(state.clock),
                    self._settings,
                    self._room,
                )
            if name not in self._named:
                self._provisional[name] = tenant  # the newest, again
                while len(self._provisional) > _MAX_PROVISIONAL:
                    self._forget(self._provisional.pop(next(iter(self._provisional))))
        return tenant

    def _forget(self, tenant: Tenant | None) -> None:
        """Give the room of a tenant's journal to others."""
        if tenant is not None:
            self._room.forget(tenant.journal)


def check_name(noun: str, name: str) -> None:
    """Raise 400 where a tenant or a snapshot, as ``noun`` says, cannot have this name."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"{name[:100]!r} is no name for a {noun}: letters, digits and any of ._~- are, up "
            "to 100 of them, a letter or a digit first."
        )
