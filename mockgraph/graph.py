"""The interface of a test to one tenant: its state, faults and stubs, journal and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, Unpack

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.seeds import copied, initial_document, naming_seeds, read_seeds
from mockgraph.server_options import FilePath, Seed, Settings
from mockgraph.service import tell_of_unknown
from mockgraph.serving import transports
from mockgraph.serving.hosts import GRAPH_HOSTS
from mockgraph.serving.transports import Intercept
from mockgraph.state.behaviours import Behaviour, Effect, Progress
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.expectations import (
    Expectation,
    Expected,
    check_called,
    check_emulated,
    check_migrated,
    check_well_behaved,
)
from mockgraph.testing.police import rules
from mockgraph.testing.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from requests.adapters import BaseAdapter
    from urllib3 import Retry

    from mockgraph.clock import Clock
    from mockgraph.pages.recording import Recording
    from mockgraph.state import EntityDB, Snapshot, State
    from mockgraph.testing.faults import FaultOptions, Faults, Rule
    from mockgraph.testing.hunts import Hunts, Pattern
    from mockgraph.testing.journal import Requests
    from mockgraph.testing.long_operations import LongOperations
    from mockgraph.testing.reports import Report
    from mockgraph.testing.stubs import Function, StubOptions, Stubs
    from mockgraph.wsgi import WSGIApp

F = TypeVar("F", bound="Function")
E = TypeVar("E", bound=Effect)


class Graph:
    """A tenant of a running MockGraph.

    ``origin`` is the base of the tenant's roots: ``http://HOST:PORT``, with its prefix.
    """

    # The last seeds that were put in place, and the snapshot that they made.
    _seeded: tuple[State, bytes, Snapshot] | None = None

    def __init__(self, app: WSGIApp, tenant: Tenant, origin: str, docs: Sequence[FilePath] = ()):
        self._app: WSGIApp | None = app
        self._its_tenant = tenant
        self._its_origin = origin
        self._docs = docs

    def __repr__(self) -> str:
        return f"<Graph {self.origin}>"

    @property
    def origin(self) -> str:
        """``http://HOST:PORT``, and ``/t/NAME`` for a tenant that has a name."""
        return self._its_origin

    @property
    def url(self) -> str:
        """The root that the documentation uses, ``{origin}/localtest``."""
        return f"{self.origin}/localtest"

    def reset(self, seed: Seed | Sequence[Seed] = ()) -> None:
        """Go back to the state that the server, or the test, started with, or to other seeds.

        Faults and stubs are gone, and the clock shows real time.
        """
        self._tenant.reset()
        seeds = read_seeds(seed)
        if seeds:
            self._seed(seeds)

    @property
    def state(self) -> dict[str, Any]:
        """The whole state as a document, ``{"Security": {...}}``; assign one to replace it.

        It is a copy. Its members, and those of ``"Security"``, cannot be assigned to, which would
        change nothing: that raises TypeError, which says how it is done.
        """
        document = _own(self._tenant.state.document())
        return _Copy(
            {
                name: _Copy(members) if isinstance(members, dict) else members
                for name, members in document.items()
            }
        )

    @state.setter
    def state(self, document: Mapping[str, Any]) -> None:
        self._tenant.replace(copied(document))

    def add(
        self, set: str, properties: Mapping[str, Any] | None = None, /, **more: Any
    ) -> dict[str, Any]:
        """Make an entity of a set, and return it; what is not said is filled in believably::

            alert = graph.add("alerts_v2", title="Lateral movement", severity="high")
            graph.add(f"cases/ediscoveryCases/{case['id']}/custodians", email="ada@contoso.example")

        It is there whatever the service lets its callers create. The set is named by its path
        below ``security``. A property that no keyword can name, as ``@odata.type``, goes into
        ``properties``. Raises BadRequest for what does not fit, with the path of the fault, and
        Conflict where the id is taken.
        """
        return _own(self._tenant.add(set, copied({**(properties or {}), **more}, "The entity")))

    @property
    def v1(self) -> str:
        """The root of today's clients, ``{origin}/v1.0``."""
        return f"{self.origin}/v1.0"

    @property
    def beta(self) -> str:
        """The root of what is not in v1.0 yet, ``{origin}/beta``."""
        return f"{self.origin}/beta"

    def operation(
        self,
        name: str,
        *,
        creates: bool = False,
        changes: bool = False,
        progress: Progress | None = None,
    ) -> Callable[[E], E]:
        """Say what an action or function does, by its qualified name.

        Under the name of an entity type, what is done when one was created or updated. What the
        function sets going by ``transaction.run`` is brought on by ``progress``.

        The function is given the transaction, to read and write by, and the call: its ``table``,
        ``key`` and ``parameters``. It returns the value to answer, or None::

            @graph.operation("microsoft.graph.security.close")
            def close(transaction, call):
                transaction.update(call.table, call.key, {"status": "closed"})
        """

        tell_of_unknown([name], self._tenant.state.service)

        def register(effect: E) -> E:
            self._tenant.state.behaviours[name] = Behaviour(
                effect, creates, changes, progress=progress
            )
            return effect

        return register

    @property
    def db(self) -> EntityDB:
        """The state as a TinyDB, with a table a set, named as URLs show it below the root::

            graph.db.table("security/alerts_v2").search(where("severity") == "high")

        What is read is a copy; what is written is checked against the set's schema, BadRequest
        names the path of what does not fit, and the next request sees it. The singleton is
        the only document of the table ``security``.
        """
        self._tenant.state.advance()
        return self._tenant.state.db

    @property
    def clock(self) -> Clock:
        """The clock that times are taken from and compared with: freeze it, or move it."""
        return self._tenant.state.clock

    # -- snapshots ------------------------------------------------------------------------

    def snapshot(self, name: str, document: Mapping[str, Any] | None = None) -> None:
        """Keep the present state under a name, or another that a document gives."""
        read = self._tenant.read
        self._tenant.keep(name, None if document is None else read(copied(document)))

    @property
    def snapshots(self) -> list[str]:
        """The names that states are kept under."""
        return list(self._tenant.snapshots)

    def document(self, name: str) -> dict[str, Any]:
        """Return the state that is kept under a name, as a document. Raises NotFound."""
        return _own(self._tenant.document(name))

    def restore(self, name: str) -> None:
        """Go back to the state that was kept under a name. Raises NotFound."""
        self._tenant.restore(name)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Take back at the end of the block all that was written within it."""
        before = self._tenant.state.snapshot()
        try:
            yield
        finally:
            self._tenant.go_back(before)

    # -- faults and stubs -----------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        """The faults in force: ``graph.faults.throttle(times=2)`` adds one, as other presets do."""
        return self._tenant.faults

    def fault(self, **options: Unpack[FaultOptions]) -> Rule:
        """Put a fault in force, made up of its effects.

        ::

            graph.fault(method="PATCH", path="/security", status=503, times=2)
        """
        return self.faults.add(**options)

    @property
    def stubs(self) -> Stubs:
        """The stubs in force: ``graph.stubs.add("GET", "/users/{id}", json={...})`` adds one."""
        return self._tenant.stubs

    def stub(
        self, method: str | None, path: str, **options: Unpack[StubOptions]
    ) -> Callable[[F], F]:
        """Make a function answer, as a decorator.

        ::

            @graph.stub("GET", "/users/{id}")
            def user(request, id):
                return {"id": id}
        """
        return self.stubs.decorator(method, path, **options)

    # -- long-running operations ------------------------------------------------------------

    @property
    def operations(self) -> LongOperations:
        """The long-running operations that have not ended: ``graph.operations.complete()`` ends
        them, and so does the clock; ``list(graph.operations)`` shows them."""
        return self._tenant.operations

    # -- hunting --------------------------------------------------------------------------

    @property
    def hunting(self) -> Hunts:
        """Advanced hunting: ``graph.hunting.add("DeviceEvents", {...})`` puts rows into a table,
        ``graph.hunting.run(query)`` returns those that a query finds."""
        return self._tenant.hunts

    def assert_hunted(self, pattern: Pattern) -> list[Exchange]:
        """Assert that a query was run in which a text, or a pattern, is found.

        Blanks and case of a text do not matter. Returns the requests, raises AssertionError.
        """
        __tracebackhide__ = True
        from mockgraph.testing.hunts import queries_in

        return queries_in(self.requests, pattern)

    # -- the journal ----------------------------------------------------------------------

    @property
    def requests(self) -> Requests:
        """The requests so far, oldest first.

        Each has ``method``, ``path``, ``query``, ``headers``, ``json``, ``status``, ``response``;
        see :class:`mockgraph.testing.exchange.Exchange`.
        """
        return self._tenant.requests()

    def assert_called(
        self,
        method: str | None,
        path: str,
        *,
        times: int | None = None,
        at_least: int = 1,
        at_most: int | None = None,
        **expected: Unpack[Expected],
    ) -> list[Exchange]:
        """Assert that such a request was made, ``times`` or at least once, and return those made::

            graph.assert_called("PATCH", "/security", json={"providerStatus": []}, times=1)

        The path is a pattern of whole ones, with the root or without. In ``json`` members
        that are not named may have any value, unless ``exact``; a value may be a function that
        accepts or refuses one. Raises
        AssertionError that shows the nearest misses.
        """
        __tracebackhide__ = True
        expectation = Expectation(method, path, expected)
        return check_called(self.requests, expectation, times, at_least, at_most)

    def assert_not_called(
        self, method: str | None, path: str, **expected: Unpack[Expected]
    ) -> None:
        """Assert that no such request was made. Raises AssertionError."""
        __tracebackhide__ = True
        check_called(self.requests, Expectation(method, path, expected), 0)

    def assert_well_behaved(self, allow: Iterable[str] = ()) -> None:
        """Assert that clients did nothing that Graph's guidance tells them not to do.

        They come back before ``Retry-After`` has passed, send again requests that cannot
        succeed, page by hand, and the like; ``allow`` names misdeeds that are allowed,
        ``["no-backoff"]``. Raises AssertionError that lists the others.
        """
        __tracebackhide__ = True
        check_well_behaved(self.requests, rules(allow) | rules(self._tenant.allowed))

    def assert_stubs_held(self) -> None:
        """Assert that no function of a stub, and no predicate, raised an exception.

        Refusals of Graph's (GraphError) are none. Raises the first exception.
        """
        __tracebackhide__ = True
        errors = self._tenant.errors
        if not errors:
            return
        note = f"There were {len(errors) - 1} more: {errors[1:]!r}"[:1000]
        if errors[1:] and note not in getattr(errors[0], "__notes__", ()):
            errors[0].add_note(note)
        raise errors[0]

    def assert_emulated(self) -> None:
        """Assert that each request was emulated, or answered by a stub.

        Raises AssertionError that lists the others.
        """
        __tracebackhide__ = True
        check_emulated(self.requests)

    def assert_migrated(self) -> None:
        """Assert that no request was made of the legacy alerts, ``/security/alerts``.

        Raises AssertionError that lists the calls, the properties and the permissions, with what
        takes the place of each in ``alerts_v2``. Those of ``localtest`` are not meant.
        """
        __tracebackhide__ = True
        check_migrated(self.requests)

    def report(self) -> Report:
        """Return a report on the requests so far: operations, permissions, guidance, latencies.

        ::

            print(graph.report().text())
            graph.report().write("report.html")
        """
        from mockgraph.testing.reports import Report, facts_of

        return Report(facts_of(self._tenant))

    def token(self, **about: Any) -> str:
        """Return an access token without a sign-in, see :meth:`mockgraph.entra.Entra.mint`."""
        return self._tenant.entra.mint(**about)

    # -- without a socket -----------------------------------------------------------------

    def httpx_transport(self) -> httpx.BaseTransport:
        """Return a transport that answers ``httpx.Client`` in this process, for any host.

        ::

            client = httpx.Client(transport=graph.httpx_transport())
        """
        return transports.httpx_transport(self._in_process, self._tenant.prefix)

    def async_httpx_transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport that answers ``httpx.AsyncClient`` in this process, for any host."""
        return transports.async_httpx_transport(self._in_process, self._tenant.prefix)

    def requests_adapter(self, max_retries: int | Retry = 0) -> BaseAdapter:
        """Return an adapter that answers ``requests.Session`` in this process, for any host.

        ::

            session.mount("https://", graph.requests_adapter())
        """
        prefix = self._tenant.prefix
        return transports.requests_adapter(self._in_process, prefix, max_retries=max_retries)

    def intercept(self, allow: Iterable[str] = ()) -> Intercept:
        """Answer calls to Microsoft's hosts in this process, for the length of a block::

            with graph.intercept():
                requests.get("https://graph.microsoft.com/v1.0/security/alerts", headers=...)

        Calls to this machine go out as ever, and so do those to the hosts in ``allow``, whose
        names may have a ``*``; any other raises CallRefused, which names the call.
        """
        name = self._tenant.name
        headers = {"x-mockgraph-tenant": name} if name else None
        return Intercept(self._in_process, headers=headers, allow=allow)

    def record(
        self,
        to: FilePath,
        *,
        hosts: Iterable[str] = GRAPH_HOSTS,
        allow: Iterable[str] = (),
        keep: Iterable[str] = (),
        writes: bool = False,
    ) -> Recording:
        """Let calls to the real service out for the length of a block, and keep what it answers::

            with graph.record("tenant.json"):
                read_alerts()  # as it is, with a real token

        ``tenant.json`` is a seed then, under made-up names but for the properties in ``keep``.
        Requests that may write are refused unless ``writes`` is true. Calls to sign in, to this
        machine and to ``allow`` go out as ever, others raise CallRefused. Raises MockGraphError at
        the end of the block for what was refused, and where the file cannot be written.
        """
        from mockgraph.pages.recording import Recording  # few record

        service = self._tenant.state.service
        return Recording(to, service, hosts=hosts, allow=allow, keep=keep, writes=writes)

    @property
    def _in_process(self) -> WSGIApp:
        if self._app is None:
            raise MockGraphError("This MockGraph is not running; start it, or use a with block.")
        return self._app

    def _seed(self, seeds: tuple[Any, ...]) -> None:
        """Put seeds in place; for the same ones again, go back to a snapshot."""
        written = orjson.dumps(seeds)
        state = self._tenant.state
        if self._seeded is not None and self._seeded[:2] == (state, written):
            self._tenant.go_back(self._seeded[2])
            return
        settings = Settings(seed=seeds, docs=self._docs)
        service = self._tenant.state.service
        with naming_seeds(service, settings):
            self._tenant.replace(initial_document(service, settings))
        self._seeded = (state, written, state.snapshot())

    @property
    def _tenant(self) -> Tenant:
        return self._its_tenant


class _Copy(dict[str, Any]):
    """An object of a copy of the state, whose members stay as they are; copies of it are dicts."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            "This is a copy of the state, so nothing would change. Assign a whole document: "
            'graph.state = {"Security": graph.state["Security"] | {"alerts": [...]}}. '
            "To edit one at length, take copy.deepcopy(graph.state)."
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def _own(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a document, or an entity, that its reader may change."""
    copy: dict[str, Any] = orjson.loads(orjson.dumps(document))
    return copy
