"""The reset of a tenant: what goes back to the start, and which requests it overtakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockgraph.http import Request
from mockgraph.wsgi import Environ

if TYPE_CHECKING:
    from mockgraph.testing.tenant import Tenant

# Where it is noted how often the tenant of a request had been reset when the request came.
_ENTERED = "mockgraph.resets"


def reset(tenant: Tenant) -> None:
    """Bring a tenant back to its seeds, with their directory and rows, in real time.

    Faults, stubs, answers to hunting queries, sign-ins under way, the journal and what the retry
    police remembers are gone. Only named snapshots are left, and access tokens stay valid.
    """
    tenant.resets.count += 1
    with tenant.changing:
        tenant.state.reset()
        tenant.follow_directory()
        for part in tenant.parts():
            part.reset()
    tenant.journal.clear()
    if tenant.police is not None:
        tenant.police = tenant.make_police()


class Resets:
    """The resets of a tenant so far. What came before the last one leaves no trace after it."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def enter(self, environ: Environ) -> None:
        """Note in a request that it came after the resets so far."""
        environ[_ENTERED] = self.count

    def overtook(self, request: Request) -> bool:
        """Return whether there was a reset since a request came, if it is known when."""
        entered: int = request.environ.get(_ENTERED, self.count)
        return entered != self.count
