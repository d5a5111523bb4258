"""From a method and a path to an address in the service: OData's URL conventions, at any depth.

Names are matched without regard to case, keys exactly. A path that leads nowhere is a 400
that names the segment, as the live service answers it; a method that an address does not
take is a 405 that names those it does (OData URL Conventions 4.01, 4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import parse_qsl

from mockgraph import metadata as edm
from mockgraph.errors import (
    BadRequest,
    MethodNotAllowed,
    NotEmulated,
    UnknownRoot,
    UnknownSegment,
)
from mockgraph.metadata.elements import ComplexType, Operation
from mockgraph.metadata.keys import (
    Segment,
    key_in_parentheses,
    key_in_segment,
    read_segment,
    split_path,
)
from mockgraph.metadata.resources import Resource, ResourceKind, Service, View
from mockgraph.metadata.structures import folded_names
from mockgraph.odata import graph_segments
from mockgraph.state.intent import Address, OperationCall, RequestKind, Step

Methods = Mapping[str, RequestKind]

_SERVICE: Methods = {"GET": RequestKind.SERVICE_DOCUMENT}
_METADATA: Methods = {"GET": RequestKind.METADATA}
_BATCH: Methods = {"POST": RequestKind.BATCH}
_ACTION: Methods = {"POST": RequestKind.ACT}
_FUNCTION: Methods = {"GET": RequestKind.CALL}
_PROPERTY: Methods = {"GET": RequestKind.READ_PROPERTY}
_APPENDABLE: Methods = {"GET": RequestKind.READ_PROPERTY, "POST": RequestKind.APPEND}
_VALUE: Methods = {"GET": RequestKind.READ_VALUE}
_PROPERTY_COUNT: Methods = {"GET": RequestKind.COUNT_PROPERTY}

_BELOW_ROOT = {"$metadata": _METADATA, "$batch": _BATCH}
_BELOW_VALUE = {"$value": _VALUE, "$count": _PROPERTY_COUNT}

# Types may contain themselves: what one request creates can be read, a set and a key a level.
_MAX_SEGMENTS = 2 * edm.MAX_DEPTH + 10

# Segments that are keys wherever there may be one, unless an operation has the name.
_PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# Addresses of entities by method, path of their set, and service; how many of how long paths.
_PATTERNS: dict[tuple[str, str, Service], Address] = {}
_MOST_PATTERNS = 1024
_LONGEST = 1024


@lru_cache(maxsize=4096)
def resolve(
    method: str, path: str, service: Service, aliases: tuple[tuple[str, str], ...] = ()
) -> Address:
    """Return the address that a request line points to. Raise 400 and 405.

    ``aliases`` are the values of the parameter aliases in the path. Programs ask for few
    addresses, again and again: the last ones are remembered. The first address of an entity is the
    pattern of those of others in the set, which are not looked for again.
    """
    above, _, text = path.rpartition("/")
    is_plain = _PLAIN.fullmatch(text) is not None and len(path) <= _LONGEST and not aliases
    if is_plain:
        pattern = _PATTERNS.get((method, above, service))
        if pattern is not None and text.lower() not in _taken(pattern.resource, service):
            return pattern.with_key(key_in_segment(pattern.resource.type, text))
    found = _walked(method, path, service, aliases)
    is_key = found.key == text and not found.path and found.call is None and found.cast is None
    if is_plain and is_key:
        if len(_PATTERNS) >= _MOST_PATTERNS:
            _PATTERNS.clear()
        _PATTERNS[method, above, service] = found
    return found


@lru_cache(maxsize=1024)
def _taken(resource: Resource, service: Service) -> frozenset[str]:
    """The texts, in small letters, that are no keys behind a collection: operations have them."""
    stored = service.stored.resource(resource.path)
    return resource.reserved | (frozenset() if stored is None else stored.reserved)


def _walked(
    method: str, path: str, service: Service, aliases: tuple[tuple[str, str], ...] = ()
) -> Address:
    root, *segments = _segments(path)
    view = service.views.get(root.lower())
    if view is None:
        raise UnknownRoot(root)
    return _PathWalk(method, view, service, dict(aliases)).below_root(segments)


def aliases_in(query_string: bytes) -> tuple[tuple[str, str], ...]:
    """Return the parameter aliases of a query string with their values, as URLs have these."""
    options = parse_qsl(query_string.decode("utf-8", "replace"), keep_blank_values=True)
    return tuple((name, value) for name, value in options if name.startswith("@"))


def root_of(path: str, service: Service) -> View | None:
    """Return the root of the service that a path begins with, None where it begins with none."""
    return service.views.get(path[1:].partition("/")[0].lower())


def joined(path: str, service: Service) -> str:
    """Return a path without the empty segment that clients leave behind the root in joining URLs.

    The official Python SDK asks for ``/v1.0//security`` where its base URL is the default one.
    """
    root, gap, rest = path[1:].partition("//")
    return f"/{root}/{rest}" if gap and root.lower() in service.views else path


class _PathWalk:
    """The walk of a request down its path."""

    def __init__(self, method: str, view: View, service: Service, aliases: Mapping[str, str]):
        self._method = method
        self._aliases = aliases
        self._view = view
        self._service = service
        self._model = view.model
        self._steps: tuple[Step, ...] = ()
        self._cast: str | None = None

    # -- where the walk has come to ---------------------------------------------------------

    def below_root(self, segments: list[str]) -> Address:
        if not segments:
            return self._at(_SERVICE)
        first = _parsed(segments[0])
        child = self._view.children.get(first.name.lower())
        if child is not None:
            return self._into(child, first, segments[1:])
        special = _BELOW_ROOT.get(first.text.lower())
        if special is None:
            return self._unbound(first, segments[1:])
        _expect_end(segments[1:])
        return self._at(special)

    def _into(self, resource: Resource, segment: Segment, rest: list[str]) -> Address:
        """Go on at a singleton, a set or a navigation property, and at an entity by its key."""
        self._cast = None
        if segment.arguments is None:
            self._steps = (*self._steps, Step(resource, None))
            return self._below_set(rest) if resource.is_collection else self._below_entity(rest)
        if not resource.is_collection:
            raise UnknownSegment(segment.text)
        key = self._key_in_parentheses(resource, segment, segment.arguments)
        self._steps = (*self._steps, Step(resource, key))
        return self._below_entity(rest)

    def _key_in_parentheses(
        self, resource: Resource, segment: Segment, arguments: Mapping[str, str]
    ) -> str:
        values = {name: self._aliases.get(text, text) for name, text in arguments.items()}
        for text in values.values():
            if text.startswith("@"):
                raise BadRequest(f"The parameter alias '{text}' has no value.")
        key = key_in_parentheses(resource.type, values)
        if key is None:
            raise UnknownSegment(segment.text)
        return key

    def _below_set(self, segments: list[str]) -> Address:
        resource = self._resource
        if not segments:
            return self._at(set_methods(resource))
        text, *rest = segments
        name = text.lower()
        if name == "$count":
            _expect_end(rest)
            return self._at(count_methods(resource))
        if name == "$ref":
            _expect_end(rest)
            return self._at(reference_methods(resource))
        if self._take_cast(text):
            return self._below_set(rest)
        called = self._bound(text, of_collection=True)
        if called is not None:
            return self._call(called, rest)
        if not text or text.startswith("$") or text in (".", ".."):
            raise UnknownSegment(text)
        stored = self._service.stored.resource(resource.path)
        if stored is not None and name in stored.reserved:
            raise self._unknown(text)
        self._steps = (*self._steps[:-1], Step(resource, key_in_segment(resource.type, text)))
        return self._below_entity(rest)

    def _below_entity(self, segments: list[str]) -> Address:
        resource = self._resource
        if not segments:
            return self._at(entity_methods(resource))
        text, *rest = segments
        name = text.lower()
        if name == "$ref" and (resource.is_collection or resource.owner is not None):
            _expect_end(rest)
            return self._at(one_reference_methods(resource))
        if name == "$value" and self._model.has_stream(self._type_name):
            raise NotEmulated("the content of media entities")
        if self._take_cast(text):
            return self._below_entity(rest)
        segment = _parsed(text)
        child = resource.children(self._type_name).get(segment.name.lower())
        if child is not None:
            return self._into(child, segment, rest)
        called = self._bound(text, of_collection=False)
        if called is not None:
            return self._call(called, rest)
        for count in range(2, self._longest() + 1):
            *above, last = segments[:count]
            segment = _parsed(last)
            name = "/".join((*above, segment.name)).lower()
            child = resource.children(self._type_name).get(name)
            if child is not None:
                return self._into(child, segment, segments[count:])
        return self._below_value(segments)

    def _longest(self) -> int:
        """Return how many names the path of a navigation property has at most."""
        within = self._resource.within(self._type_name)
        return max((path.count("/") + 1 for path in within), default=0)

    def _below_value(self, segments: list[str]) -> Address:
        """Go on at a property, at what it consists of, and at what may follow that."""
        special = _BELOW_VALUE.get(segments[-1].lower())
        schema = self._view.schemas[self._type_name]
        if self._is_stream(segments[0]):
            raise NotEmulated("the content of streams")
        named = segments[:-1] if special else segments
        cast = self._cast_of(named[-1]) if len(named) > 1 else None
        path, declared = self._property_path(schema, named[:-1] if cast else named)
        if not path:
            raise self._unknown(segments[-1])
        is_collection = isinstance(declared, edm.Collection)
        if special is not None and declared is not None and is_collection == (special is _VALUE):
            raise UnknownSegment(segments[-1])
        if cast is not None:
            self._check_derives(cast, declared, named[-1])
        methods = special or _PROPERTY
        if special is None and cast is None and len(path) == 1 and self._is_appendable(path[0]):
            methods = _APPENDABLE
        return self._at(methods, path=path, value_cast=cast)

    # -- operations -------------------------------------------------------------------------

    def _unbound(self, segment: Segment, rest: list[str]) -> Address:
        roots = self._model.roots
        name = next((each for each in roots if each.lower() == segment.name.lower()), None)
        operation = getattr(roots.get(name or ""), "operation", None)
        if operation is None:
            graph_segments.check_segment(self._view.name, segment.name)
            raise UnknownSegment(segment.text)
        overloads = [each for each in self._model.operations(operation) if not each.bound]
        return self._call(OperationCall(tuple(overloads), segment.arguments or {}), rest)

    def _bound(self, text: str, *, of_collection: bool) -> OperationCall | None:
        """Return the operation that a segment names, qualified or not."""
        segment = _parsed(text)
        overloads = self._resource.operations(
            segment.name, of_collection=of_collection, type_name=self._type_name
        )
        if not overloads or (segment.arguments is not None and overloads[0].kind == "action"):
            return None
        return OperationCall(tuple(overloads), segment.arguments or {})

    def _call(self, call: OperationCall, rest: list[str]) -> Address:
        if not call.overloads:
            raise UnknownSegment(rest[0] if rest else "")
        if rest and call.overloads[0].composable:
            raise NotEmulated("paths that go on behind a function")
        _expect_end(rest)
        is_function = call.overloads[0].kind == "function"
        if is_function:
            call = OperationCall((_overload(call),), call.arguments)
        return self._at(_FUNCTION if is_function else _ACTION, call=call)

    # -- types ------------------------------------------------------------------------------

    @property
    def _resource(self) -> Resource:
        return self._steps[-1].resource

    @property
    def _type_name(self) -> str:
        """The type of the entities here: the one that they are cast to, or the declared one."""
        return self._cast or self._resource.type_name

    def _cast_of(self, text: str) -> str | None:
        """Return the qualified name of the structured type that a segment names."""
        found = self._model.find_type(text) if "." in text else None
        return found.name if isinstance(found, ComplexType) else None

    def _take_cast(self, text: str) -> bool:
        name = self._cast_of(text)
        if name is None:
            return False
        if not self._model.derives_from(name, self._type_name):
            raise BadRequest(f"The type '{name}' does not derive from '{self._type_name}'.")
        self._cast = name
        return True

    def _check_derives(self, name: str, declared: edm.PropertyField | None, text: str) -> None:
        item = declared.item if isinstance(declared, edm.Collection) else declared
        if not isinstance(item, edm.Complex):
            raise UnknownSegment(text)
        if not self._model.derives_from(name, item.type_name):
            raise BadRequest(f"The type '{name}' does not derive from '{item.type_name}'.")

    def _property_path(
        self, schema: type[edm.StructuredSchema] | None, segments: Sequence[str]
    ) -> tuple[tuple[str, ...], edm.PropertyField | None]:
        """Return the declared names along a path, and the last property, None of a dynamic one."""
        path: list[str] = []
        declared: edm.PropertyField | None = None
        is_dynamic = False  # from here on whatever is stored is there
        for segment in segments:
            if is_dynamic and edm.is_identifier(segment):
                path.append(segment)
                declared = None
                continue
            cast = self._cast_of(segment) if path and schema is not None else None
            if cast is not None:
                self._check_derives(cast, declared, segment)
                schema = self._view.schemas[cast]
                continue
            if schema is None:
                raise UnknownSegment(segment)
            name = folded_names(schema).get(segment.lower())
            if name is not None:
                declared = schema.properties()[name]
                is_dynamic = declared.edm == "Edm.Untyped"
                schema = declared.schema if isinstance(declared, edm.Complex) else None
            elif schema.is_open and edm.is_identifier(segment):
                name, declared, schema, is_dynamic = segment, None, None, True
            elif path and segment in schema.navigation:
                raise NotEmulated(f"the navigation property '{segment}' of values")
            else:
                raise UnknownSegment(segment) if path else self._unknown(segment)
            path.append(name)
        return tuple(path), declared

    def _is_stream(self, name: str) -> bool:
        declared = self._model.properties(self._type_name)
        return any(
            each.type.name == "Edm.Stream" and each.name.lower() == name.lower()
            for each in declared.values()
        )

    def _is_appendable(self, name: str) -> bool:
        return name in self._resource.appendable

    # -- what leads nowhere -----------------------------------------------------------------

    def _unknown(self, text: str) -> UnknownSegment:
        """Return the refusal of a segment, with the other roots that have what it names.

        No other root is named where this one has it, too: it is only not to be had of this here.
        """
        name, path = _parsed(text).name.lower(), self._resource.path
        if _has(self._resource, name):
            return UnknownSegment(text)
        views = [each for each in self._service.views.values() if each is not self._view]
        found = [(view.name, view.resource(path)) for view in views]
        return UnknownSegment(text, [root for root, each in found if each and _has(each, name)])

    # -- the end of the walk ----------------------------------------------------------------

    def _at(
        self,
        methods: Methods,
        *,
        path: tuple[str, ...] = (),
        value_cast: str | None = None,
        call: OperationCall | None = None,
    ) -> Address:
        heads = ["HEAD"] if "GET" in methods else []
        allowed = (*methods, *heads, "OPTIONS")
        method = self._method
        if method == "OPTIONS":
            kind: RequestKind | None = RequestKind.OPTIONS
        else:
            kind = methods.get("GET" if method == "HEAD" else method)
        if kind is None:
            raise MethodNotAllowed(allowed)
        return Address(kind, allowed, self._view, self._steps, self._cast, path, value_cast, call)


def _has(resource: Resource, name: str) -> bool:
    """Whether a resource has a property or an operation of a name, given in small letters."""
    return (
        name in resource.children()
        or name in resource.reserved
        or any(name == each.lower() for each in resource.type.properties())
        or bool(resource.operations(name, of_collection=False, type_name=resource.type_name))
    )


# -- what may be done where, by the rules of the resource ---------------------------------------


def set_methods(resource: Resource) -> Methods:
    """Return what a collection takes."""
    rules = resource.rules
    return {
        **({"GET": RequestKind.LIST} if rules.read.readable else {}),
        **({"POST": RequestKind.CREATE} if rules.insert.insertable else {}),
    }


def count_methods(resource: Resource) -> Methods:
    """Return what ``$count`` takes behind a collection."""
    rules = resource.rules
    return {"GET": RequestKind.COUNT} if rules.count.countable and rules.read.readable else {}


def entity_methods(resource: Resource) -> Methods:
    """Return what an entity takes."""
    rules = resource.rules
    is_root = resource.owner is None and not resource.is_collection
    return {
        **({"GET": RequestKind.READ} if rules.read.readable_by_key else {}),
        **({"PATCH": RequestKind.UPDATE} if rules.update.updatable else {}),
        **({"DELETE": RequestKind.DELETE} if rules.delete.deletable and not is_root else {}),
    }


def reference_methods(resource: Resource) -> Methods:
    """Return what ``$ref`` takes behind a collection.

    The pages of ``localtest`` print "POST .../$ref" for what creates; where a collection holds
    its entities itself there is no other use for it.
    """
    if resource.kind is not ResourceKind.REFERENCE:
        is_insertable = resource.rules.insert.insertable
        create: Methods = {"POST": RequestKind.CREATE} if is_insertable else {}
        return {"GET": RequestKind.LIST_REFERENCES, **create}
    return {
        "GET": RequestKind.LIST_REFERENCES,
        "POST": RequestKind.ADD_REFERENCE,
        "DELETE": RequestKind.REMOVE_REFERENCE,
    }


def one_reference_methods(resource: Resource) -> Methods:
    """Return what ``$ref`` takes behind an entity."""
    if resource.kind is not ResourceKind.REFERENCE:
        return {"GET": RequestKind.READ_REFERENCE}
    set_it: Methods = {} if resource.is_collection else {"PUT": RequestKind.SET_REFERENCE}
    return {
        "GET": RequestKind.READ_REFERENCE,
        **set_it,
        "DELETE": RequestKind.REMOVE_REFERENCE,
    }


# -- segments and what stands in parentheses ----------------------------------------------------


def _segments(path: str) -> list[str]:
    segments = split_path(path)[1:]
    if len(segments) > 1 and not segments[-1]:
        segments.pop()
    if len(segments) > _MAX_SEGMENTS:
        raise BadRequest("Too many segments in URI.")
    return segments


def _parsed(text: str) -> Segment:
    segment = read_segment(text)
    if segment is None:
        raise UnknownSegment(text)
    return segment


def _overload(call: OperationCall) -> Operation:
    """Return the overload of a function whose parameters are those given. Raise 400."""
    given = call.arguments.keys()
    for each in call.overloads:
        names = {parameter.name for parameter in each.own_parameters}
        needed = {parameter.name for parameter in each.own_parameters if not parameter.optional}
        if needed <= given <= names:
            return each
    listed = "; ".join(
        ", ".join(parameter.name for parameter in each.own_parameters) or "none"
        for each in call.overloads
    )
    name = call.overloads[0].name
    raise BadRequest(f"The function '{name}' does not take these parameters; it takes {listed}.")


def _expect_end(segments: list[str]) -> None:
    if segments:
        raise UnknownSegment(segments[0])
