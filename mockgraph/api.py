"""MockGraph in this process: a live server that Python code starts, resets and looks into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from mockgraph.app import create_app
from mockgraph.errors import MockGraphError
from mockgraph.graph import Graph
from mockgraph.seeds import read_seeds
from mockgraph.server_options import Seed, Settings, takes
from mockgraph.serving.ports import Certificates, certificates, open_server
from mockgraph.serving.server import Server
from mockgraph.serving.transports import Intercept
from mockgraph.testing.police import rules
from mockgraph.testing.tenant import Tenant, Tenants

if TYPE_CHECKING:
    from mockgraph.testing.reports import Facts

_LEFT_OPEN = "An intercept was entered and not left; use it as a with block, or as a decorator."


class CheckFailed(AssertionError):
    """A test did something that it is not to do, as :meth:`MockGraph.check` found."""


class MockGraph(Graph):
    """A live server on a free port of the loopback, for the length of a ``with`` block.

    Its options are those of ``mockgraph serve`` (:class:`mockgraph.server_options.Settings`), with
    ports that are free where they are not given. ``seed`` is a state document, the path of one,
    ``demo``, or several of these. With ``tls`` it serves https as well, on a port of its own, with
    a certificate of the user's own authority, kept in ``ca_dir`` or where users keep such state;
    with ``proxy`` it is an HTTP proxy as well, on another, which answers for Graph and Entra.
    Raises MockGraphError where one of them cannot be used::

        with MockGraph(seed={"Security": {"providerStatus": []}}) as graph:
            requests.get(f"{graph.url}/Security", headers={"Authorization": "Bearer x"})
    """

    @takes(Settings)
    def __init__(self, settings: Settings):
        rules(settings.allow)
        self._settings = replace(settings, seed=read_seeds(settings.seed))
        self._docs = settings.docs
        self._certificates = Certificates()
        self._server: Server | None = None
        self._tenants: Tenants | None = None
        self._app = None

    def start(self) -> Self:
        """Serve, on a new state. A ``with`` block does this by itself."""
        if self._server is not None:
            raise MockGraphError("This MockGraph is running already; stop it first.")
        app = create_app(self._settings)
        self._app = app
        self._tenants = app.extensions["mockgraph"]
        try:
            self._certificates = certificates(self._settings)
            self._server = open_server(
                app, self._settings, self._certificates, body_limit=app.body_limit
            )
            self._server.start()
        except BaseException:
            self._server = None
            app.extensions["mockgraph"].close()
            raise
        return self

    def stop(self) -> None:
        """Stop serving and let go of the port and of the store."""
        if self._server is not None:
            self._server.stop()
            self._server = None
            self._running().close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<MockGraph {self.origin if self._server else 'stopped'}>"

    @property
    def settings(self) -> Settings:
        """The settings that it was made with."""
        return self._settings

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
        if self._certificates.ca is None:
            raise MockGraphError("This MockGraph does not serve https; start it with tls=True.")
        return self._certificates.ca

    def tenant(self, name: str) -> Graph:
        """Return a tenant, made from the seeds when it is first named, with a state of its own.

        Its URLs have a prefix, ``http://HOST:PORT/t/NAME``.
        """
        return self._view_of(self._running().get(name))

    def clear_tenants(self) -> None:
        """Forget all tenants but the one that this object itself stands for."""
        self._running().clear()

    def check(self, *, strict: bool = False, strict_client: bool = False) -> None:
        """Raise AssertionError that lists what went wrong in a test, in all tenants.

        With ``strict`` that is what is not emulated, with ``strict_client`` what clients did
        wrong, and always an intercept that was left in force; it is ended. If a function of a
        stub raised, its error comes first.
        """
        __tracebackhide__ = True
        found = [_LEFT_OPEN] if Intercept.end_all(self._in_process) else []
        named = [*self._running(), *self._running().provisional()]
        tenants = [self, *map(self._view_of, named)]
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

    def facts(self) -> list[Facts]:
        """Return the facts of the requests to each tenant, to be merged into a report."""
        from mockgraph.testing.reports import facts_of

        tenants = self._running()
        return [facts_of(each) for each in (tenants.default, *tenants)]

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

    def _view_of(self, tenant: Tenant) -> Graph:
        return Graph(self._in_process, tenant, f"{self.origin}{tenant.prefix}", self._docs)

    def _running(self) -> Tenants:
        """The tenants, which outlive the server: a test may look at them when all is over."""
        if self._tenants is None:
            raise MockGraphError("This MockGraph is not running; start it, or use a with block.")
        return self._tenants
