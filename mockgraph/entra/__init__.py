"""Microsoft Entra: sign-in, tokens, and the directory of a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.metadata.declarations import DIRECTORY, Resource, Service
from mockgraph.metadata.names import Json
from mockgraph.service.permissions import THREAT_HUNTING
from mockgraph.state import State

if TYPE_CHECKING:
    from mockgraph.entra.entra import Entra


def check_directory(document: Mapping[str, Json], service: Service) -> None:
    """Raise BadRequest, with the path of the fault, for a bad directory in a state document."""
    if DIRECTORY in document:
        from mockgraph.entra.directory import Catalogue, read_directory

        read_directory(document[DIRECTORY], Catalogue(_declared(service)))


def initial_entra(service: Service, state: State) -> Callable[[], Entra]:
    """Return a function that makes Entra with the directory of the state, open without one.

    It is made at once where there is a directory, so that faults in it are found. Raises
    MockGraphError where the store that the directory comes from is damaged.
    """
    if state.directory is None:
        return lambda: _entra(service, state)
    entra = _entra(service, state)
    try:
        entra.follow(state.directory)
    except BadRequest as error:
        state.close()
        raise MockGraphError(f"The store is damaged: {error.message}") from None
    return lambda: entra


def _entra(service: Service, state: State) -> Entra:
    from mockgraph.entra.directory import Directory
    from mockgraph.entra.entra import Entra

    return Entra(Directory(), state.clock, _declared(service))


def _declared(service: Service) -> set[str]:
    resources: tuple[Resource, ...] = (service.singleton, *service.sets.values())
    permissions = [*(each.permissions for each in resources), THREAT_HUNTING]
    return {name for each in permissions for name in (*each.read, *each.write)}
