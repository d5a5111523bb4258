"""From a method and a path to an address in the service: OData's URL conventions.

Segments are matched without regard to case, keys exactly. A path that leads nowhere is a 400
that names the segment, as the live service answers it; a method that an address does not
take is a 405 that names those it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mockgraph import metadata as edm
from mockgraph.errors import MethodNotAllowed, UnknownRoot, UnknownSegment
from mockgraph.metadata.declarations import Action, EntitySet, Resource, Root, Service
from mockgraph.state.intent import Address, Operation

Methods = Mapping[str, Operation]

_SERVICE: Methods = {"GET": Operation.SERVICE_DOCUMENT}
_METADATA: Methods = {"GET": Operation.METADATA}
_BATCH: Methods = {"POST": Operation.BATCH}
_SINGLETON: Methods = {"GET": Operation.READ, "PATCH": Operation.UPDATE}
_SET: Methods = {"GET": Operation.LIST, "POST": Operation.CREATE}
_COUNT: Methods = {"GET": Operation.COUNT}
# The pages print "POST .../$ref" for what creates; the live service has no other use for it.
_REFERENCES: Methods = {"GET": Operation.LIST_REFERENCES, "POST": Operation.CREATE}
_ENTITY: Methods = {
    "GET": Operation.READ,
    "PATCH": Operation.UPDATE,
    "DELETE": Operation.DELETE,
}
_REFERENCE: Methods = {"GET": Operation.READ_REFERENCE}
_ACTION: Methods = {"POST": Operation.ACT}
_HUNT: Methods = {"POST": Operation.HUNT}
_RELATED: Methods = {"GET": Operation.LIST}
_PROPERTY: Methods = {"GET": Operation.READ_PROPERTY}
_APPENDABLE: Methods = {"GET": Operation.READ_PROPERTY, "POST": Operation.APPEND}
_VALUE: Methods = {"GET": Operation.READ_VALUE}
_PROPERTY_COUNT: Methods = {"GET": Operation.COUNT_PROPERTY}

_BELOW_ROOT = {"$metadata": _METADATA, "$batch": _BATCH}
_BELOW_SET = {"$count": _COUNT, "$ref": _REFERENCES}
_BELOW_VALUE = {"$value": _VALUE, "$count": _PROPERTY_COUNT}

_HUNTING = ("runhuntingquery", "microsoft.graph.security.runhuntingquery")

_KEY_IN_PARENTHESES = re.compile(r"(\w+)\((.*)\)", re.DOTALL)


def resolve(method: str, path: str, service: Service) -> Address:
    """The address that a request line points to. Raises 400 and 405."""
    root_name, *segments = _segments(path)
    root = service.roots.get(root_name.lower())
    if root is None:
        raise UnknownRoot(root_name)
    return _Resolver(method, root, service).below_root(segments)


def is_rooted(path: str, service: Service) -> bool:
    """Whether a path begins with a root of the service."""
    return path[1:].partition("/")[0].lower() in service.roots


def joined(path: str, service: Service) -> str:
    """A path without the empty segment that clients leave behind the root when they join URLs.

    The official Python SDK asks for ``/v1.0//security`` where its base URL is the default one.
    """
    root, gap, rest = path[1:].partition("//")
    return f"/{root}/{rest}" if gap and root.lower() in service.roots else path


def operations(service: Service) -> Iterator[tuple[str, str]]:
    """Every operation served, as a method and a URL template, in the order of the service."""
    for root in service.roots.values():
        top = f"/{root.name}"
        singleton = f"{top}/{root.singleton}"
        yield from _listed(_SERVICE, top)
        yield from _listed(_METADATA, f"{top}/$metadata")
        yield from _listed(_BATCH, f"{top}/$batch")
        yield from _listed(_SINGLETON, singleton)
        yield from _listed(_PROPERTY, f"{singleton}/{{property}}")
        if not root.documented:
            yield from _listed(_HUNT, f"{singleton}/runHuntingQuery")
        for each in service.sets_at(root).values():
            yield from _set_operations(each, f"{singleton}/{each.name}")


def _set_operations(each: EntitySet, at: str) -> Iterator[tuple[str, str]]:
    entity = f"{at}/{{id}}"
    yield from _listed(_SET, at)
    yield from _listed(_COUNT, f"{at}/$count")
    yield from _listed(_REFERENCES, f"{at}/$ref")
    yield from _listed(_ENTITY, entity)
    yield from _listed(_REFERENCE, f"{entity}/$ref")
    yield from _listed(_PROPERTY, f"{entity}/{{property}}")
    yield from _listed(_VALUE, f"{entity}/{{property}}/$value")
    if each.type.is_open or _has_collection(each.type):
        yield from _listed(_PROPERTY_COUNT, f"{entity}/{{property}}/$count")
    for name in each.appendable:
        yield "POST", f"{entity}/{name}"
    for navigation in each.navigations:
        yield from _listed(_RELATED, f"{entity}/{navigation.name}")
        yield from _listed(_COUNT, f"{entity}/{navigation.name}/$count")
    for action in each.actions:
        yield from _listed(_ACTION, f"{entity if action.on_entity else at}/{action.name}")


def _has_collection(schema: type[edm.StructuredType]) -> bool:
    return any(isinstance(each, edm.Collection) for each in schema.properties().values())


def _listed(methods: Methods, template: str) -> Iterator[tuple[str, str]]:
    for method in methods:
        yield method, template


def _segments(path: str) -> list[str]:
    segments = path.split("/")[1:]
    if len(segments) > 1 and not segments[-1]:
        segments.pop()
    return segments


class _Resolver:
    """One request's walk down its path."""

    def __init__(self, method: str, root: Root, service: Service):
        self._method = method
        self._root = root
        self._service = service

    def below_root(self, segments: list[str]) -> Address:
        singleton = self._service.singleton
        if not segments:
            return self._at(_SERVICE, singleton)
        name, *rest = segments
        if name.lower() == singleton.name.lower():
            return self._below_singleton(rest)
        special = _BELOW_ROOT.get(name.lower())
        if special is None:
            raise UnknownSegment(name)
        _expect_end(rest)
        return self._at(special, singleton)

    def _below_singleton(self, segments: list[str]) -> Address:
        singleton = self._service.singleton
        if not segments:
            return self._at(_SINGLETON, singleton)
        if not self._root.documented and segments[0].lower() in _HUNTING:
            _expect_end(segments[1:])
            return self._at(_HUNT, singleton)
        name, key = _split_key(segments[0])
        each = self._service.sets_at(self._root).get(name.lower())
        if each is None:
            return self._below_value(singleton, None, segments)
        if key is not None:
            return self._below_entity(each, key, segments[1:])
        return self._below_set(each, segments[1:])

    def _below_set(self, each: EntitySet, segments: list[str]) -> Address:
        if not segments:
            return self._at(_SET, each)
        name, *rest = segments
        special = _BELOW_SET.get(name.lower())
        if special is not None:
            _expect_end(rest)
            return self._at(special, each)
        action = _action(each, name, on_entity=False)
        if action is not None:
            _expect_end(rest)
            return self._at(_ACTION, each, action=action)
        if not name or name.startswith("$") or name in (".", ".."):
            raise UnknownSegment(name)
        return self._below_entity(each, name, rest)

    def _below_entity(self, each: EntitySet, key: str, segments: list[str]) -> Address:
        if not segments:
            return self._at(_ENTITY, each, key=key)
        name, *rest = segments
        if name.lower() == "$ref":
            _expect_end(rest)
            return self._at(_REFERENCE, each, key=key)
        action = _action(each, name, on_entity=True)
        if action is not None:
            _expect_end(rest)
            return self._at(_ACTION, each, key=key, action=action)
        for navigation in each.navigations:
            if navigation.name.lower() == name.lower():
                methods = _RELATED
                if [segment.lower() for segment in rest] == ["$count"]:
                    methods, rest = _COUNT, []
                _expect_end(rest)
                return self._at(methods, each, key=key, within=navigation)
        return self._below_value(each, key, segments)

    def _below_value(self, resource: Resource, key: str | None, segments: list[str]) -> Address:
        """A property path, and what may follow it."""
        last = segments[-1].lower()
        special = _BELOW_VALUE.get(last)
        path, declared = _property_path(resource.type, segments[:-1] if special else segments)
        if not path:
            raise UnknownSegment(segments[-1])
        is_collection = isinstance(declared, edm.Collection)
        if declared is not None and is_collection == (special is _VALUE) and special is not None:
            raise UnknownSegment(segments[-1])
        methods = special or _PROPERTY
        appendable = resource.appendable if isinstance(resource, EntitySet) else ()
        if special is None and path[0] in appendable and len(path) == 1:
            methods = _APPENDABLE
        return self._at(methods, resource, key=key, path=path)

    def _at(self, methods: Methods, resource: Resource, **where: Any) -> Address:
        operation, allowed = _operation(self._method, methods)
        return Address(operation, allowed, self._root, resource, **where)


def _property_path(schema: Any, segments: list[str]) -> tuple[tuple[str, ...], edm.Property | None]:
    """The declared names along a path, and the last property; None if that is dynamic."""
    path: list[str] = []
    declared: edm.Property | None = None
    for segment in segments:
        if schema is None:
            raise UnknownSegment(segment)
        names = {name.lower(): name for name in schema.properties()}
        name = names.get(segment.lower())
        if name is not None:
            declared = schema.properties()[name]
            schema = declared.schema if isinstance(declared, edm.Complex) else None
        elif schema.is_open and edm.is_identifier(segment):
            name, declared, schema = segment, None, None
        else:
            raise UnknownSegment(segment)
        path.append(name)
    return tuple(path), declared


def _split_key(segment: str) -> tuple[str, str | None]:
    """A segment's name, and its key where one stands in parentheses: ``alerts('id')``."""
    match = _KEY_IN_PARENTHESES.fullmatch(segment) if "(" in segment else None
    if match is None:
        return segment, None
    name, key = match[1], match[2].strip()
    parameter, equals, value = key.partition("=")
    if equals and parameter.rstrip() == "id":
        key = value.lstrip()
    if len(key) >= 2 and key[0] == key[-1] == "'":
        key = key[1:-1].replace("''", "\0")
        if "'" in key:
            raise UnknownSegment(segment)
        key = key.replace("\0", "'")
    if not key:
        raise UnknownSegment(segment)
    return name, key


def _action(each: EntitySet, name: str, *, on_entity: bool) -> Action | None:
    short = name.lower().removeprefix(f"{edm.NAMESPACE}.")
    for action in each.actions:
        if action.on_entity == on_entity and action.name.lower() == short:
            return action
    return None


def _expect_end(segments: list[str]) -> None:
    if segments:
        raise UnknownSegment(segments[0])


def _operation(method: str, methods: Methods) -> tuple[Operation, tuple[str, ...]]:
    """What a method means here. HEAD is a GET whose body the server leaves out."""
    heads = ["HEAD"] if "GET" in methods else []
    allowed = (*methods, *heads, "OPTIONS")
    if method == "OPTIONS":
        return Operation.OPTIONS, allowed
    operation = methods.get("GET" if method == "HEAD" else method)
    if operation is None:
        raise MethodNotAllowed(method, allowed)
    return operation, allowed
