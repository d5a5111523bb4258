"""Microsoft Entra: sign-in, tokens, and the directory of a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.metadata.capabilities import operation_permissions
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.state import State
from mockgraph.state.documents import DIRECTORY

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
    """The permissions that the rules of the service name, for resources and for operations."""
    of_operations = {
        scope
        for model in (view.model for view in service.views.values())
        for schema in model.schemas.values()
        for name in schema.operations
        for permission in operation_permissions(model, name)
        for scope in permission.scopes
    }
    resources = [
        each
        for view in service.views.values()
        for top in view.children.values()
        for each in (top, *top.below())
    ]
    kinds = ("read", "insert", "update", "delete")
    return of_operations.union(
        name for each in resources for kind in kinds for name in each.permissions(kind)
    )
