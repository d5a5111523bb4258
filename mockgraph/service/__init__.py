"""Graph Security itself: what is served under which root, and what its operations do."""

from __future__ import annotations

import logging
import os
import runpy
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from mockgraph.errors import MockGraphError
from mockgraph.metadata import roots
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.resources import Resource, Service, View
from mockgraph.service import (
    alerts,
    analyzed_emails,
    attack_simulation,
    audit_log,
    data_governance,
    ediscovery,
    ediscovery_searches,
    hunting_query,
    identities,
    incidents,
    retention,
    security_actions,
    subject_rights,
    threat_indicators,
)
from mockgraph.state.behaviours import Behaviour, behaviours_among, by_type

_logger = logging.getLogger("mockgraph")

SINGLETON = "security"


def _service(
    csdl: Sequence[Path] = (), added: Mapping[str, Model] = MappingProxyType({})
) -> Service:
    declared = _read(csdl) if csdl else None
    shows_null = (lambda _: True) if declared is None else _is_bundled
    live = (
        View(name, _of(name, declared, added.get(name)), shows_null=shows_null)
        for name in ("v1.0", "beta")
    )
    localtest = _of("localtest", None, added.get("localtest"))
    documented = View("localtest", localtest, documented=True, canonical=_canonical)
    others = [View(name, _given(added[name])) for name in added if name not in roots.DECLARED]
    views = (documented, *live, *others)
    stored = View(
        "stored",
        lambda: _union(views, added.values()),
        shows_null=shows_null,
        others=lambda: _apart(views, added),
    )
    return Service(views, stored)


def _apart(views: Sequence[View], added: Mapping[str, Model]) -> Mapping[str, Resource]:
    """The resources at the root that one root alone has, by what was added to it.

    They are of that root's types, whatever another has that bears the same names.
    """
    having = Counter(name for view in views for name in view.children)
    bundled = {name.lower() for root in roots.DECLARED for name in roots.served(root).roots}
    return {
        name: resource
        for view in views
        if view.name in added
        for name, resource in view.children.items()
        if having[name] == 1 and name not in bundled
    }


def _is_bundled(type_name: str) -> bool:
    """Whether a type is Security's own, all of which is null where nothing was written."""
    return any(roots.served(each).type(type_name) is not None for each in ("beta", "localtest"))


def _of(name: str, *added: Model | None) -> Callable[[], Model]:
    def make() -> Model:
        model = roots.served(name)
        for each in added:
            model = model if each is None else model.with_layer(each)
        return model

    return make


def _given(model: Model) -> Callable[[], Model]:
    return lambda: model


def _union(views: Sequence[View], added: Iterable[Model]) -> Model:
    """The model of all that can be stored: what any of the views has, what is added on top."""
    documented, *live = views
    model = documented.model
    for each in (*(view.model for view in live), *added):
        model = model.with_layer(each)
    return model


def _canonical(name: str) -> str:
    """The singleton of the localtest pages is spelt ``Security``; it is the one of all roots."""
    return SINGLETON if name.lower() == SINGLETON else name


def _read(csdl: Sequence[Path]) -> Model:
    from mockgraph.metadata.csdl_cache import read_cached  # most have none

    return read_cached(csdl, roots.served("beta"))


SERVICE = _service((), {})


def service_of(
    csdl: Sequence[str | os.PathLike[str]] = (), added: Mapping[str, Model] = MappingProxyType({})
) -> Service:
    """Return the service of the bundled metadata, and of what is added to it.

    CSDL files add to v1.0 and beta, the models in ``added`` to the root that each is for, which
    may be a new one. Raises MockGraphError where a file cannot be used.
    """
    return _service([Path(each) for each in csdl], added) if csdl or added else SERVICE


# What operations do, by their qualified names, and what is done when entities are written, by those
# of their types; users register theirs beside these.
BEHAVIOURS: Mapping[str, Behaviour] = {
    **alerts.BEHAVIOURS,
    **analyzed_emails.BEHAVIOURS,
    **attack_simulation.BEHAVIOURS,
    **audit_log.BEHAVIOURS,
    **data_governance.BEHAVIOURS,
    **ediscovery.BEHAVIOURS,
    **ediscovery_searches.BEHAVIOURS,
    **hunting_query.BEHAVIOURS,
    **identities.BEHAVIOURS,
    **incidents.BEHAVIOURS,
    **retention.BEHAVIOURS,
    **security_actions.BEHAVIOURS,
    **subject_rights.BEHAVIOURS,
    **threat_indicators.BEHAVIOURS,
    "microsoft.graph.security.activate": Behaviour(
        by_type(
            {
                "microsoft.graph.security.ediscoveryCustodian": ediscovery.activate_custodian,
                "microsoft.graph.security.sensorCandidate": identities.activate_sensors,
            }
        )
    ),
}


def guarded(behaviours: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
    """Return behaviours of which those that come with MockGraph are for what is bundled alone.

    What pages and files add may have types and operations of the same names elsewhere, with other
    properties; what users register is for wherever the name is.
    """
    return {
        name: each._replace(applies=partial(is_at_home, name))
        if BEHAVIOURS.get(name) is each
        else each
        for name, each in behaviours.items()
    }


def is_at_home(name: str, resource: Resource | None) -> bool:
    """Return whether the bundled metadata has a resource, and there what a name is of.

    The name is that of an operation, or of the type of an entity. The resource is None where an
    operation is unbound.
    """
    if resource is None:
        overloads = (roots.served(root).operations(name) for root in roots.DECLARED)
        return any(not each.bound for several in overloads for each in several)
    home = resource.home
    view = {**SERVICE.views, "stored": SERVICE.stored}.get(home.view.name)
    own = None if view is None else view.resource(home.path)
    if view is None or own is None or own.type_name != home.type_name:
        return False
    if view.model.type(name) is not None:
        return True
    bound = {each.binding.name for each in view.model.operations(name) if each.binding}
    near = {each.name for each in view.model.chain(own.type_name)}
    return not bound.isdisjoint({*near, *view.model.derived(own.type_name)})


def tell_of_unknown(names: Iterable[str], service: Service) -> None:
    """Warn of names that something was registered for, though no root has such an operation.

    Nor such an entity type.
    """
    models = [view.model for view in service.views.values()]
    for name in names:
        if not any(model.operations(name) or model.type(name) for model in models):
            _logger.warning(
                "No operation has the qualified name '%s': what is registered for it is never run.",
                name,
            )


def behaviours_of(files: Sequence[str | os.PathLike[str]] = ()) -> Mapping[str, Behaviour]:
    """Return what operations do: what comes with MockGraph, and the functions marked in files.

    The files are run. Raises MockGraphError, with the line, where one cannot be.
    """
    found = dict(BEHAVIOURS)
    for path in files:
        try:
            found |= behaviours_among(runpy.run_path(os.fspath(path)))
        except Exception as error:
            raise MockGraphError(f"{path} cannot be run: {_told(error, path)}") from error
    return found


def _told(error: Exception, path: str | os.PathLike[str]) -> str:
    """An error of a file, in a line, with the line of the file that it came from."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == os.fspath(path)
    ]
    at = f", line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}: {error}{at}"
