"""Parameters as JSON Schema, from which each surface but Python takes what they may be."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from mockgraph.control.actions import Choice, ControlAction, summary_of
from mockgraph.control.parameters import ActionParameter, parameters_of

JsonSchema = dict[str, Any]

# A refusal, in Graph's shape.
ERROR: JsonSchema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "innerError"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "innerError": {"type": "object"},
            },
        }
    },
}

_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(parameter: ActionParameter) -> JsonSchema:
    """Return the schema of the values that a parameter may have, with its help and default."""
    schema = _any_of(parameter.types, null=parameter.takes_null)
    if parameter.help:
        schema["description"] = parameter.help
    if isinstance(parameter.default, (bool, int, float, str)):
        schema["default"] = parameter.default
    return schema


def object_schema(parameters: Sequence[ActionParameter]) -> JsonSchema:
    """Return the schema of an object that has these parameters for members, and no others."""
    schema: JsonSchema = {
        "type": "object",
        "properties": {each.name: schema_of(each) for each in parameters},
        "additionalProperties": False,
    }
    if required := [each.name for each in parameters if each.is_required]:
        schema["required"] = required
    return schema


def body_schema(action: ControlAction) -> JsonSchema:
    """Return the schema of the body of a request for an action."""
    if action.choice is not None:
        return _choice(action.choice)
    if action.document is not None:
        return {"description": "The whole body, any JSON."}
    return object_schema(action.members)


def _choice(choice: Choice) -> JsonSchema:
    named = [_form(form, choice.member, name) for name, form in choice.forms.items()]
    return {"oneOf": [*named, _form(choice.otherwise)]}


def _form(function: Callable[..., Any], member: str = "", name: str = "") -> JsonSchema:
    schema = object_schema(parameters_of(function))
    schema["title"] = name or function.__name__
    schema["description"] = summary_of(function)
    if member:
        schema["properties"] = {member: {"const": name}, **schema["properties"]}
        schema["required"] = [member, *schema.get("required", ())]
    return schema


def schema_of_type(hint: Any) -> JsonSchema:
    """Return the schema of the values of a type: a TypedDict, or what parameters may be."""
    types = get_args(hint) if isinstance(hint, UnionType) or get_origin(hint) is Union else (hint,)
    found = tuple(each for each in types if each is not NoneType)
    return _any_of(found, null=NoneType in types)


def _any_of(types: Sequence[Any], *, null: bool = False) -> JsonSchema:
    if Any in types:
        return {}
    objects = [each for each in types if get_origin(each) is collections.abc.Mapping]
    schemas = [_schema(each) for each in objects or types]  # JSON has no pairs in their place
    schemas += [{"type": "null"}] if null else []
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _schema(hint: Any) -> JsonSchema:
    origin = get_origin(hint)
    if origin is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if origin is collections.abc.Mapping:
        return {"type": "object", "additionalProperties": schema_of_type(get_args(hint)[1])}
    if origin in (list, collections.abc.Sequence):
        return {"type": "array", "items": schema_of_type(get_args(hint)[0])}
    if is_typeddict(origin or hint):
        return _typed_dict(origin or hint, get_args(hint))
    return {"type": _SCALARS[hint]}


def _typed_dict(kind: Any, arguments: Sequence[Any]) -> JsonSchema:
    """Return the schema of an object with these members, and maybe others."""
    given = dict(zip(getattr(kind, "__parameters__", ()), arguments, strict=False))
    for base in getattr(kind, "__orig_bases__", ()):
        inherited = getattr(get_origin(base), "__parameters__", ())
        given |= zip(inherited, get_args(base), strict=False)
    hints = get_type_hints(kind)
    return {
        "type": "object",
        "properties": {name: schema_of_type(_bound(each, given)) for name, each in hints.items()},
        "required": sorted(kind.__required_keys__),
    }


def _bound(hint: Any, given: Mapping[Any, Any]) -> Any:
    """Return a type with the types in it that its variables stand for."""
    variables = getattr(hint, "__parameters__", ())
    return hint[tuple(given[each] for each in variables)] if variables else hint
