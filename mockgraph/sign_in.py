"""Entra as a server starts with it: the directory of its seeds, the permissions of its service."""

from __future__ import annotations

from mockgraph.clock import Clock
from mockgraph.entra import ROOT, Catalogue, Directory, Entra, read_directory
from mockgraph.model import Resource, Service
from mockgraph.settings import Settings


def initial_entra(service: Service, settings: Settings, clock: Clock) -> Entra:
    """Entra with the directory of the last seed that has one; without, anybody may sign in.

    Raises BadRequest with the path of the fault in the seed.
    """
    resources: tuple[Resource, ...] = (service.singleton, *service.sets.values())
    declared = {
        name for each in resources for name in (*each.permissions.read, *each.permissions.write)
    }
    directory = Directory()
    for seed in settings.seeds:
        if ROOT in seed:
            directory = read_directory(seed[ROOT], Catalogue(declared))
    return Entra(directory, clock, declared)
