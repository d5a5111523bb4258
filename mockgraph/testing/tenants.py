"""Tenants: states that know nothing of one another, behind one server.

A request belongs to the tenant that its path names in front, ``/t/{tenant}/v1.0/...``, or its
header ``x-mockgraph-tenant``; without either, to the one that the server started with. A tenant
is made when it is first named, from the seeds, and shares with the others what none of them
has changed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mockgraph.errors import NotFound, StoreFailed
from mockgraph.http import Environ
from mockgraph.settings import Settings
from mockgraph.state import State
from mockgraph.testing.tenant import ENTERED, PREFIX, Tenant, check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mockgraph.entra.entra import Entra

# Where the tenant of a request is noted, for the requests within it.
NOTED = "mockgraph.tenant"

MAX_TENANTS = 100_000


class Tenants:
    """The tenants of one app; ``default`` is the one that is not named. Safe under threads.

    ``make_entra`` makes that of the default one, the others' are forks of it. Raises
    MockGraphError where misdeeds are to be allowed that there are not.
    """

    def __init__(self, state: State, make_entra: Callable[[], Entra], settings: Settings):
        if settings.allowed_misdeeds:
            from mockgraph.testing.police import rules

            rules(settings.allowed_misdeeds)
        self.default = Tenant("", state, make_entra, settings)
        self._settings = settings
        self._named: dict[str, Tenant] = {}
        self._lock = threading.Lock()

    def enter(self, environ: Environ) -> Tenant:
        """The tenant of a request, whose prefix moves from the path to ``SCRIPT_NAME``.

        Raises 400 where the name can be none.
        """
        noted: Tenant | None = environ.get(NOTED)
        if noted is not None:
            return noted
        path = environ["PATH_INFO"]
        if path.startswith(PREFIX):
            name, slash, rest = path[len(PREFIX) :].partition("/")
            if not name:  # it would be everybody's
                check_name("tenant", name)
            tenant = self.get(name)
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + tenant.prefix
            environ["PATH_INFO"] = slash + rest
        else:
            tenant = self.get(environ.get("HTTP_X_MOCKGRAPH_TENANT", ""))
        environ[NOTED] = tenant
        environ[ENTERED] = tenant.resets
        return tenant

    def get(self, name: str) -> Tenant:
        """The tenant of this name, made if there is none yet; the empty name is the default."""
        if not name:
            return self.default
        tenant = self._named.get(name)
        if tenant is None:
            check_name("tenant", name)
            with self._lock:
                tenant = self._named.get(name) or self._make(name)
        return tenant

    def drop(self, name: str) -> None:
        """Forget a tenant and all that is in it. Raises 404."""
        with self._lock:
            if self._named.pop(name, None) is None:
                raise NotFound(f"There is no tenant '{name}'.")

    def clear(self) -> None:
        """Forget all tenants that have a name."""
        with self._lock:
            self._named.clear()

    def close(self) -> None:
        """Let go of the store."""
        self.default.state.close()

    def __iter__(self) -> Iterator[Tenant]:
        """The tenants that have a name."""
        return iter(list(self._named.values()))

    def _make(self, name: str) -> Tenant:
        if len(self._named) >= MAX_TENANTS:
            raise StoreFailed(f"There are {MAX_TENANTS} tenants already; delete some first.")
        state = self.default.state.fork()
        tenant = self._named[name] = Tenant(
            name, state, lambda: self.default.entra.fork(state.clock), self._settings
        )
        return tenant
