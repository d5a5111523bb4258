"""The reset of a tenant: what goes back to the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockgraph.testing.tenant import Tenant

# Where it is noted how often the tenant of a request had been reset when the request came.
ENTERED = "mockgraph.resets"


def reset(tenant: Tenant) -> None:
    """Bring a tenant back to its seeds, with their directory and rows, in real time.

    Faults, stubs, answers to hunting queries, sign-ins under way, the journal and what the retry
    police remembers are gone. Only named snapshots are left, and access tokens stay valid.
    """
    tenant.resets += 1
    with tenant.changing:
        tenant.state.reset()
        tenant.follow_directory()
        for part in tenant.parts():
            part.reset()
    tenant.journal.clear()
    if tenant.police is not None:
        tenant.police = tenant.make_police()
