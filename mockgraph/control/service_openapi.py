"""A root of the served service as an OpenAPI 3.1 description, derived from its metadata.

It follows OASIS's mapping of OData to OpenAPI 1.0; keys are named as in Graph's own
description, ``/v1.0/security/alerts_v2/{alert-id}``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container
from typing import Any

from mockgraph import __version__
from mockgraph.control.edm_json_schemas import TypeSchemas
from mockgraph.control.json_schemas import ERROR, JsonSchema
from mockgraph.errors import NotFound
from mockgraph.metadata.capabilities import operation_permissions
from mockgraph.metadata.elements import Operation, short_name
from mockgraph.metadata.keys import key_names
from mockgraph.metadata.primitives import String
from mockgraph.metadata.resources import Resource, Service, View
from mockgraph.metadata.structures import Collection, Complex
from mockgraph.metadata.vocabulary import Permission
from mockgraph.odata.restrictions import unsupported
from mockgraph.odata.routes import Route, routes_of
from mockgraph.odata.validation import MAX_TOP
from mockgraph.spelling import suggestion
from mockgraph.state.intent import RequestKind

_KEY = re.compile(r"/\{id\}(?=/|$)")
_ARGUMENT = re.compile(r"(?<==)\{(\w+)\}")
_JSON, _PLAIN = "application/json", "text/plain"
_XML, _ZIP = "application/xml", "application/zip"
_TEXT: JsonSchema = {"type": "string"}
_NUMBER: JsonSchema = {"type": "integer", "minimum": 0}
_ERROR = {"$ref": "#/components/responses/Error"}

_LISTED = ("filter", "search", "orderby", "top", "skip", "count")
_OPTIONS = {
    RequestKind.LIST: (*_LISTED, "select", "expand"),
    RequestKind.LIST_REFERENCES: _LISTED,
    RequestKind.COUNT: ("filter", "search"),
    RequestKind.READ: ("select", "expand"),
}
# The kinds of writes, by how permissions call them; others read.
_WRITES = {
    RequestKind.CREATE: "insert",
    RequestKind.UPDATE: "update",
    RequestKind.DELETE: "delete",
    RequestKind.APPEND: "update",
    RequestKind.ADD_REFERENCE: "update",
    RequestKind.SET_REFERENCE: "update",
    RequestKind.REMOVE_REFERENCE: "update",
}
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_CONDITIONAL = (RequestKind.UPDATE, RequestKind.DELETE)


def service_description(
    service: Service, emulated: Container[str], root: str, server: str, below: str | None = None
) -> dict[str, Any]:
    """Return the description of a root of a server at this URL, or of the paths that begin so.

    ``emulated`` has the qualified names of the operations that do something: the others
    answer 501. Raises NotFound where there is no such root, or no such path.
    """
    view = service.views.get(root.lower())
    if view is None:
        roots = ", ".join(service.views)
        near = suggestion(root, service.views)
        raise NotFound(f"There is no root '{root[:200]}'; the roots are {roots}.{near}")
    writer = _OpenApiWriter(view)
    paths: dict[str, dict[str, Any]] = {}
    for route in _routes(view, emulated, below):
        path, in_path = writer.path(route)
        operation = writer.operation(route)
        if parameters := [*in_path, *operation.pop("parameters")]:
            operation["parameters"] = parameters
        paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Microsoft Graph {view.name}, as MockGraph serves it",
            "version": __version__,
        },
        "servers": [{"url": server or "/"}],
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR, **writer.types.components},
            "responses": {
                "Error": {
                    "description": "A refusal, in Graph's shape.",
                    "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _routes(view: View, emulated: Container[str], below: str | None) -> list[Route]:
    served = list(routes_of(view, emulated))
    if below is None:
        return served
    wanted = f"/{below.strip('/')}".lower()
    if not wanted.startswith(f"/{view.name}".lower()):
        wanted = f"/{view.name}{wanted}".lower()
    found = [each for each in served if f"{each.template.lower()}/".startswith(f"{wanted}/")]
    if not found:
        near = suggestion(wanted, (each.template for each in served))
        raise NotFound(f"Nothing that {view.name} serves is at or below '{below[:200]}'.{near}")
    return found


class _OpenApiWriter:
    """Writes the operations of a root, and notes the types that they refer to."""

    def __init__(self, view: View):
        self._view = view
        self.types = TypeSchemas(view)

    def path(self, route: Route) -> tuple[str, list[JsonSchema]]:
        """Return the path of an operation, its keys and arguments named, and these parameters."""
        chain = () if route.resource is None else route.resource.chain
        keyed = iter([each for each in chain if each.is_collection])
        taken: Counter[str] = Counter()
        parameters: list[JsonSchema] = []

        def parameter(name: str, schema: JsonSchema) -> str:
            taken[name] += 1
            unique = f"{name}{taken[name] - 1}" if taken[name] > 1 else name
            parameters.append(_parameter(unique, "path", schema, required=True))
            return f"{{{unique}}}"

        def key(_: re.Match[str]) -> str:
            type_ = next(keyed).type
            of = short_name(type_.type_name)
            if len(key_names(type_)) < 2:
                return f"/{parameter(f'{of}-id', {**_TEXT, 'minLength': 1})}"
            parts = []
            for name in key_names(type_):
                quote = "'" if isinstance(type_.properties().get(name), String) else ""
                parts.append(f"{name}={quote}{parameter(f'{of}-{name}', _TEXT)}{quote}")
            return f"({','.join(parts)})"

        def argument(found: re.Match[str]) -> str:
            assert route.called is not None
            (of,) = (each for each in route.called.own_parameters if each.name == found[1])
            schema = self.types.of(of.type)
            quote = "'" if of.type.name == "Edm.String" and not of.type.collection else ""
            return f"{quote}{parameter(of.name, schema)}{quote}"

        path = _KEY.sub(key, route.template)
        if route.called is not None:
            path = _ARGUMENT.sub(argument, path)
        if "{property}" in path and route.resource is not None:
            names = self._property_names(route.resource, route.kind)
            path = path.replace("{property}", parameter("property", {"enum": names}))
        return path, parameters

    def _property_names(self, resource: Resource, kind: RequestKind) -> list[str]:
        whole = kind is RequestKind.READ_PROPERTY
        declared = resource.type.properties().items()
        return [name for name, each in declared if whole or not isinstance(each, Collection)]

    def operation(self, route: Route) -> JsonSchema:
        """Return an operation, but for the parameters in its path."""
        told: JsonSchema = {
            "operationId": f"{route.method} {route.template}",
            "tags": [self._tag(route)],
            "parameters": self._parameters(route),
            "responses": {**self._responses(route), "4XX": _ERROR, "5XX": _ERROR},
            "security": self._security(route),
        }
        if (body := self._body(route)) is not None:
            is_needed = route.kind is not RequestKind.ACT or "required" in body
            told["requestBody"] = {"required": is_needed, "content": {_JSON: {"schema": body}}}
        if route.resource is not None and route.resource.deprecated is not None:
            told["deprecated"] = True
        return told

    def _tag(self, route: Route) -> str:
        names = [] if route.resource is None else [each.name for each in route.resource.chain[:2]]
        return ".".join(names) or self._view.name

    def _parameters(self, route: Route) -> list[JsonSchema]:
        resource, kind = route.resource, route.kind
        if resource is None:
            return []
        lacking = unsupported(resource)
        needed = {"filter"} if resource.rules.filter.requires_filter else ()
        found = [
            _parameter(f"${name}", "query", _option(name, resource), required=name in needed)
            for name in _OPTIONS.get(kind, ())
            if name not in lacking
        ]
        if kind is RequestKind.REMOVE_REFERENCE and resource.is_collection:
            names_one = route.template.endswith("{id}/$ref")
            found += [] if names_one else [_parameter("$id", "query", _TEXT, required=True)]
        if kind in _CONDITIONAL:
            found.append(_parameter("If-Match", "header", _TEXT))
        return found

    def _security(self, route: Route) -> list[dict[str, list[str]]]:
        """Return the permissions of which one will do; none are asked for without ``--auth``."""
        needed: tuple[Permission, ...] = ()
        if route.called is not None:
            needed = operation_permissions(self._view.model, route.called.name)
        if not needed and route.resource is not None:
            wanted = _WRITES.get(route.kind, "update" if route.method == "POST" else "read")
            needed = route.resource.permissions_by_scheme(wanted)
        scopes = dict.fromkeys(name for each in needed for name in each.scopes)
        return [{}, *({"token": [name]} for name in scopes)] if scopes else [{}, {"token": []}]

    # -- bodies -------------------------------------------------------------------------------

    def _body(self, route: Route) -> JsonSchema | None:
        resource = route.resource
        if route.kind is RequestKind.BATCH:
            return _BATCH
        if resource is None:
            return None
        rules = resource.rules
        match route.kind:
            case RequestKind.CREATE:
                return self._sent(resource, rules.insert.required)
            case RequestKind.UPDATE:
                return self._sent(resource, rules.update.required)
            case RequestKind.ADD_REFERENCE | RequestKind.SET_REFERENCE:
                return _LINK
            case RequestKind.APPEND:
                declared = resource.type.properties()[route.name]
                assert isinstance(declared, Collection)
                return self.types.schema(declared.item)
            case RequestKind.ACT if route.called is not None and route.called.own_parameters:
                return self.types.parameters(self._view.schemas.parameters(route.called))
            case _:
                return None

    def _sent(self, resource: Resource, required: tuple[str, ...]) -> JsonSchema:
        """Return the schema of an entity that is sent, which has to have these properties."""
        entity = self.types.reference(resource.type_name)
        names = sorted({each.partition("/")[0] for each in required})
        return {"allOf": [entity, {"required": names}]} if names else entity

    def _responses(self, route: Route) -> dict[str, JsonSchema]:
        resource = route.resource
        match route.kind:
            case RequestKind.SERVICE_DOCUMENT:
                return _answer(200, "What the root has.", _listed({}))
            case RequestKind.METADATA:
                return _answer(200, "The metadata, as CSDL in XML.", _TEXT, _XML)
            case RequestKind.BATCH:
                return _answer(200, "The responses.", _BATCH_ANSWER)
            case RequestKind.COUNT:
                return _answer(200, "The number of entities.", _TEXT, _PLAIN)
            case RequestKind.READ_VALUE:
                value = _answer(200, "The value.", _TEXT, _PLAIN)
                value["200"]["content"][_JSON] = {"schema": {}}
                return {**value, **_UNCHANGED, **_NOTHING}
            case RequestKind.READ_PROPERTY:
                return {**_answer(200, "The value.", _OBJECT), **_UNCHANGED, **_NOTHING}
            case RequestKind.APPEND:
                return _answer(200, "The values by now.", _listed({}))
            case RequestKind.LIST_REFERENCES:
                return _answer(200, "The URLs of the entities.", _listed(_LINK))
            case RequestKind.READ_REFERENCE:
                return _answer(200, "The URL of the entity.", _LINK)
            case RequestKind.ACT | RequestKind.CALL if route.called is not None:
                return self._returned(route.called) if route.emulated else {"501": _ERROR}
        assert resource is not None
        entity = self.types.reference(resource.type_name)
        match route.kind:
            case RequestKind.LIST:
                return _answer(200, "A page.", _listed(entity))
            case RequestKind.READ:
                return {**_answer(200, "The entity.", entity), **_UNCHANGED}
            case RequestKind.CREATE:
                return {**_answer(201, "The new entity.", entity), **_UNDER_WAY, **_NOTHING}
            case RequestKind.UPDATE:
                return {**_answer(200, "The entity as it is now.", entity), **_NOTHING}
            case _:
                return _NOTHING

    def _returned(self, called: Operation) -> dict[str, JsonSchema]:
        if called.returns is None:
            return {**_UNDER_WAY, **_NOTHING}
        field = self._view.schemas.property(called.returns.type)
        schema = self.types.schema(field)
        if called.returns.type.name == "Edm.Stream":
            answer = _answer(200, "The content.", _TEXT, _PLAIN)
            answer["200"]["content"][_ZIP] = {"schema": {}}
        elif isinstance(field, Complex):
            answer = _answer(200, "The result.", schema)
        else:
            answer = _answer(200, "The result.", _object({"value": schema}))
            if called.returns.type.collection:  # of one result for each item
                answer["206"] = {**answer["200"], "description": "Some of it could not be done."}
        return {**answer, **_UNDER_WAY, **_NOTHING}


def _parameter(name: str, place: str, schema: JsonSchema, *, required: bool = False) -> JsonSchema:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _option(name: str, resource: Resource) -> JsonSchema:
    most = resource.rules.page.max_top
    match name:
        case "top":
            return {**_NUMBER, "maximum": MAX_TOP if most is None else most}
        case "skip":
            return _NUMBER
        case "count":
            return {"type": "boolean"}
        case _:
            return _TEXT


def _answer(status: int, summary: str, body: JsonSchema, media: str = _JSON) -> dict[str, Any]:
    return {str(status): {"description": summary, "content": {media: {"schema": body}}}}


def _object(properties: JsonSchema) -> JsonSchema:
    return {"type": "object", "required": [*properties], "properties": properties}


def _listed(item: JsonSchema) -> JsonSchema:
    return _object({"value": {"type": "array", "items": item}})


_ITEM = _object({"id": _TEXT, "method": {"enum": _METHODS}, "url": _TEXT})
_BATCH = _object({"requests": {"type": "array", "items": _ITEM}})
_BATCH_ANSWER = _object(
    {"responses": {"type": "array", "items": _object({"id": _TEXT, "status": _NUMBER})}}
)
_OBJECT = _object({})
_LINK = _object({"@odata.id": _TEXT})
_NOTHING = {"204": {"description": "It is done, and there is nothing to show."}}
_UNCHANGED = {"304": {"description": "It is as the caller knows it, by If-None-Match."}}
_UNDER_WAY = {"202": {"description": "It is under way."}}
