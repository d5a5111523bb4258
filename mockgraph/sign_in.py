"""Entra as a server starts with it: the directory of its state, the permissions of its service."""

from __future__ import annotations

from collections.abc import Mapping

from mockgraph.entra import Catalogue, Directory, Entra, read_directory
from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.model import DIRECTORY, Json, Resource, Service
from mockgraph.state import State


def check_directory(document: Mapping[str, Json], service: Service) -> None:
    """Raises BadRequest with the path of the fault in the directory of a state document."""
    if DIRECTORY in document:
        read_directory(document[DIRECTORY], Catalogue(_declared(service)))


def initial_entra(service: Service, state: State) -> Entra:
    """Entra with the directory of the state; without one, anybody may sign in.

    Raises MockGraphError where the store that it comes from is damaged.
    """
    entra = Entra(Directory(), state.clock, _declared(service))
    try:
        entra.follow(state.directory)
    except BadRequest as error:
        state.close()
        raise MockGraphError(f"The store is damaged: {error.message}") from None
    return entra


def _declared(service: Service) -> set[str]:
    resources: tuple[Resource, ...] = (service.singleton, *service.sets.values())
    return {
        name for each in resources for name in (*each.permissions.read, *each.permissions.write)
    }
