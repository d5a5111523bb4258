"""Forms of the console, made of the declarations of actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from mockgraph.control.actions import ControlAction, summary_of
from mockgraph.control.catalogue import ACTIONS
from mockgraph.control.json_schemas import JsonSchema, schema_of
from mockgraph.control.parameters import ActionParameter, parameters_of

# Of many fields those are shown first that say which requests are meant.
_SHOWN = frozenset({"path", "method", "times", "status", "json"})
_MANY = 6


class Field(NamedTuple):
    """A field: how its text is read (``kind``), and where its value is sent (``place``)."""

    name: str
    label: str
    sent_name: str
    help: str
    kind: str
    place: str
    required: bool
    choices: tuple[str, ...] = ()
    value: str = ""
    numeric: bool = False
    placeholder: str = ""


@dataclass(frozen=True)
class ActionForm:
    """A form that has an action done; ``fixed`` are members that are sent as they are, as JSON."""

    id: str
    title: str
    summary: str
    method: str
    path: str
    body: str
    fixed: str
    first: tuple[Field, ...]
    more: tuple[Field, ...]
    is_destructive: bool


def forms() -> dict[str, ActionForm]:
    """Return the forms of all actions by their names."""
    return {each.name: form_of_action(each) for each in ACTIONS}


def form_of_action(action: ControlAction) -> ActionForm:
    """Return the form of an action."""
    fields = []
    for each in action.parameters:
        if each.name == action.document:
            fields.append(_whole(each))
        elif each.name in action.path_names:
            fields.append(_field(each, "path"))
        else:
            place = "query" if action.is_asked_by_query else "body"
            fields.append(_field(each, place))
    takes_members = bool(action.members) and not action.is_asked_by_query
    return _form(action, fields, action.name, "members" if takes_members else "")


def preset_forms(action: ControlAction, given: dict[str, str]) -> list[ActionForm]:
    """Return a form for each of the forms that a document of an action has.

    ``given`` are texts that fields of these names begin with.
    """
    choice = action.choice
    assert choice is not None
    made = [
        _choice_form(action, name, function, {choice.member: name}, given)
        for name, function in choice.forms.items()
    ]
    return [*made, _choice_form(action, "custom", choice.otherwise, {}, given)]


def _choice_form(
    action: ControlAction,
    name: str,
    function: Callable[..., Any],
    fixed: dict[str, str],
    given: dict[str, str],
) -> ActionForm:
    fields = [_field(each, "body") for each in parameters_of(function)]
    begun = [each._replace(value=given.get(each.name, each.value)) for each in fields]
    own = {each.name for each in parameters_of(function) if each.default is not None}
    made = _form(action, begun, f"fault-{name}", "members", own)
    return ActionForm(
        **{**vars(made), "title": name, "summary": summary_of(function)}
        | {"fixed": orjson.dumps(fixed).decode()}
    )


def _form(
    action: ControlAction,
    fields: Sequence[Field],
    id: str,
    body: str,
    own: frozenset[str] | set[str] = frozenset(),
) -> ActionForm:
    def is_first(each: Field) -> bool:
        return not leading or each.name in leading

    named = {each.name for each in fields if each.required or each.name in _SHOWN | own}
    leading = named if len(fields) > _MANY else set()
    return ActionForm(
        id=id,
        title=action.name.replace("_", " ").capitalize(),
        summary=action.summary,
        method=action.method,
        path=action.path,
        body=body,
        fixed="{}",
        first=tuple(each for each in fields if is_first(each)),
        more=tuple(each for each in fields if not is_first(each)),
        is_destructive=action.is_destructive,
    )


def _whole(parameter: ActionParameter) -> Field:
    return Field(
        parameter.name, "The document", parameter.name, parameter.help, "json", "whole", True
    )


def _field(parameter: ActionParameter, place: str) -> Field:
    schema = schema_of(parameter)
    alternatives: list[JsonSchema] = schema.get("anyOf", [schema])
    kinds = {each.get("type") for each in alternatives} - {"null"}
    choices = tuple(value for each in alternatives for value in each.get("enum", ()))
    if kinds == {"boolean"}:
        choices = ("true", "false")
    placeholder = '{"name": "value"}' if "object" in kinds else ""
    if kinds == {"string"}:
        kind = "text"
    elif "array" in kinds and kinds <= {"array"}:
        kind, placeholder = "list", "one a line"
    elif kinds <= {"integer", "number", "boolean", "string", "array"}:
        kind = "value"
    else:
        kind = "json" if "object" in kinds else "value"
    if kinds == {None}:
        kind = "json"
    default = schema.get("default") or ""
    return Field(
        parameter.name,
        parameter.name.replace("_", " ").capitalize(),
        parameter.query_name if place == "query" else parameter.name,
        parameter.help,
        kind,
        place,
        parameter.is_required,
        choices if kinds <= {"boolean", "string"} else (),
        str(default),
        bool(kinds & {"integer", "number"}),
        placeholder,
    )
