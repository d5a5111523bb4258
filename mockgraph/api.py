"""MockGraph in this process: a live server that Python code starts, resets and looks into."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mockgraph.app import create_app
from mockgraph.errors import MockGraphError
from mockgraph.seeds import Seed, read_seeds
from mockgraph.serving.server import Server
from mockgraph.serving.transports import Intercept
from mockgraph.settings import Settings
from mockgraph.testing.graph import Graph
from mockgraph.testing.police import rules
from mockgraph.testing.tenants import Tenant, Tenants

if TYPE_CHECKING:
    from flask import Flask

_LEFT_OPEN = "An intercept was entered and not left; use it as a with block, or as a decorator."


class CheckFailed(AssertionError):
    """What a test did that it is not to do, as :meth:`MockGraph.check` found."""


class MockGraph(Graph):
    """A live server on a free port of the loopback, for the length of a ``with`` block.

    ``seed`` is a state document, the path of one, ``demo``, or several of these; ``auth`` is
    ``any``, ``off`` or ``jwt``; ``store`` is a file that keeps the state, memory if left out, and
    ``durability`` what a write in it survives, ``process`` or ``disk``; ``docs`` are
    directories of reference pages instead of the bundled ones; ``json`` is ``graph`` or
    ``documented``. ``strict_client`` answers 400 to what a well-behaved client does not do, but
    for the misdeeds that ``allow`` names; ``journal`` is how many requests are remembered.
    With ``tls`` it serves https as well, on a port of its own, with a
    certificate of the user's own authority, kept in ``ca_dir`` or where users keep such state;
    with ``proxy`` it is an HTTP proxy as well, on another, which answers for Graph and Entra.
    Raises MockGraphError where one of them cannot be used::

        with MockGraph(seed={"Security": {"providerStatus": []}}) as graph:
            requests.get(f"{graph.url}/Security", headers={"Authorization": "Bearer x"})
    """

    def __init__(
        self,
        *,
        seed: Seed | Sequence[Seed] = (),
        auth: str = "any",
        store: str | os.PathLike[str] | None = None,
        docs: Sequence[str | os.PathLike[str]] = (),
        json: str = "graph",
        durability: str = "process",
        strict_client: bool = False,
        allow: Iterable[str] = (),
        journal: int = 1000,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
        proxy: bool = False,
        ca_dir: str | os.PathLike[str] | None = None,
    ):
        self._settings = Settings(
            store=os.fspath(store) if store is not None else None,
            seeds=read_seeds(seed),
            docs=tuple(os.fspath(each) for each in docs),
            auth=auth,
            json=json,
            durability=durability,
            strict_client=strict_client,
            allowed_misdeeds=tuple(sorted(rules(allow))),
            journal=journal,
        )
        self._docs = self._settings.docs
        self._host = host
        self._port = port
        self._tls = tls
        self._proxy = proxy
        self._ca_dir = ca_dir
        self._server: Server | None = None
        self._tenants: Tenants | None = None
        self._app = None
        self._ca: str | None = None

    def start(self) -> Self:
        """Serve, on a new state. A ``with`` block does this by itself."""
        if self._server is not None:
            raise MockGraphError("This MockGraph is running already; stop it first.")
        app = create_app(self._settings)
        self._app = app
        self._tenants = app.extensions["mockgraph"]
        try:
            self._server = self._serve(app)
            self._server.start()
        except BaseException:
            self._server = None
            app.extensions["mockgraph"].close()
            raise
        return self

    def _serve(self, app: Flask) -> Server:
        if not self._tls and not self._proxy:
            return Server(app, self._host, self._port)
        from mockgraph.serving.proxy import Gate, certificate
        from mockgraph.serving.tls import authority

        own = authority(self._ca_dir)
        self._ca = str(own.ca_path)
        return Server(
            Gate(app) if self._proxy else app,
            self._host,
            self._port,
            tls_port=0 if self._tls else None,
            certificate=own.issue(self._host) if self._tls else None,
            proxy_port=0 if self._proxy else None,
            proxy_certificate=certificate(own) if self._proxy else None,
        )

    def stop(self) -> None:
        """Stop serving and let go of the port and of the store."""
        if self._server is not None:
            self._server.stop()
            self._server = None
            self._running().close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<MockGraph {self.origin if self._server else 'stopped'}>"

    @property
    def origin(self) -> str:
        """``http://HOST:PORT``."""
        if self._server is None:
            raise MockGraphError("This MockGraph is not running; start it, or use a with block.")
        return self._server.origin

    @property
    def tls_origin(self) -> str:
        """``https://HOST:PORT``, the authority of sign-ins, too; only with ``tls``."""
        if self._server is None or self._server.tls_origin is None:
            raise MockGraphError("This MockGraph does not serve https; start it with tls=True.")
        return self._server.tls_origin

    @property
    def tls_url(self) -> str:
        """The root that the documentation uses by https; only with ``tls``."""
        return f"{self.tls_origin}/localtest"

    @property
    def proxy_url(self) -> str:
        """``http://HOST:PORT``, the ``HTTPS_PROXY`` of programs to be tested; only with ``proxy``.

        They have to trust :attr:`ca`, too.
        """
        if self._server is None or self._server.proxy_url is None:
            raise MockGraphError("This MockGraph is no proxy; start it with proxy=True.")
        return self._server.proxy_url

    @property
    def proxy_environment(self) -> dict[str, str]:
        """The variables by which a program, in any language, finds the proxy and trusts it.

        ::

            subprocess.run(["node", "report.js"], env=os.environ | graph.proxy_environment)
        """
        from mockgraph.serving.proxy import environment

        return environment(self.proxy_url, self.ca)

    @property
    def ca(self) -> str:
        """The file that clients are told to trust, by https or the proxy: ``verify=graph.ca``."""
        if self._ca is None:
            raise MockGraphError("This MockGraph does not serve https; start it with tls=True.")
        return self._ca

    def tenant(self, name: str) -> Graph:
        """A tenant, made from the seeds when it is first named: a state, faults, stubs of its own.

        Its URLs have a prefix, ``http://HOST:PORT/t/NAME``.
        """
        tenant = self._running().get(name)
        return Graph(self._in_process, tenant, f"{self.origin}{tenant.prefix}", self._docs)

    def clear_tenants(self) -> None:
        """Forget all tenants but the one that this object itself stands for."""
        self._running().clear()

    def check(self, *, strict: bool = False, strict_client: bool = False) -> None:
        """What a test is told at its end, of all tenants: where ``strict``, what is not emulated;
        where ``strict_client``, what clients did wrong, and that an intercept was left in force,
        which it is no more. Raises AssertionError that lists it; but if a function of a stub
        raised, that first."""
        __tracebackhide__ = True
        found = [_LEFT_OPEN] if Intercept.end_all(self._in_process) else []
        tenants = [self, *(self.tenant(each.name) for each in self._running())]
        for graph in tenants:
            graph.assert_stubs_held()
        checks = [graph.assert_emulated for graph in tenants if strict]
        checks += [graph.assert_well_behaved for graph in tenants if strict_client]
        for check in checks:
            try:
                check()
            except AssertionError as error:
                found.append(str(error))
        if found:
            raise CheckFailed("\n".join(found))

    def renew(self, seed: Seed | Sequence[Seed] = ()) -> None:
        """Make it as new, for the next test: without tenants, snapshots, faults and stubs.

        Seeds take the place of those that it started with, for resets and for new tenants.
        """
        self.clear_tenants()
        self._tenant.snapshots.clear()
        state = self._tenant.state
        state.start_from(None)
        self.reset(seed)
        state.start_from(state.snapshot())

    @property
    def _tenant(self) -> Tenant:
        return self._running().default

    def _running(self) -> Tenants:
        """The tenants, which outlive the server: a test may look at them when all is over."""
        if self._tenants is None:
            raise MockGraphError("This MockGraph is not running; start it, or use a with block.")
        return self._tenants
