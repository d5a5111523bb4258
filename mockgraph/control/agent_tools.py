"""The actions of the control plane as tools of agents (https://modelcontextprotocol.io)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mockgraph.control.actions import Choice, ControlAction
from mockgraph.control.catalogue import ACTIONS
from mockgraph.control.json_schemas import JsonSchema, object_schema, schema_of
from mockgraph.control.parameters import parameters_of

# Of no use to an agent: they tell of the plane itself, or go on for ever.
_LEFT_OUT = frozenset({"list_actions", "read_openapi", "follow_requests"})


@dataclass(frozen=True)
class Tool:
    """A tool: the action that it has done, and the schema of its arguments."""

    action: ControlAction
    schema: JsonSchema

    @property
    def name(self) -> str:
        """The name of the action."""
        return self.action.name

    def arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the action for those of the tool."""
        if self.action.choice is None:
            return given
        return {str(self.action.document): given}


def tools() -> list[Tool]:
    """Return a tool for each action that an agent may want."""
    return [Tool(each, _schema(each)) for each in ACTIONS if each.name not in _LEFT_OUT]


def _schema(action: ControlAction) -> JsonSchema:
    """Return the schema of one object that holds what is in the path, the query and the body."""
    if action.choice is not None:
        return _choice(action.choice)
    schema = object_schema([each for each in action.parameters if each.name != action.document])
    if action.document is not None:
        schema["properties"][action.document] = {"description": "The whole document, as JSON."}
        schema["required"] = [*schema.get("required", ()), action.document]
    return schema


def _choice(choice: Choice) -> JsonSchema:
    """Return one object with the members of all forms: few agents read alternatives."""
    names = ", ".join(choice.forms)
    told = f"One of {names}; left out, the fault is made up of effects: status, body, and so on."
    properties: dict[str, Any] = {
        choice.member: {"type": "string", "enum": [*choice.forms], "description": told}
    }
    for function in (*choice.forms.values(), choice.otherwise):
        for each in parameters_of(function):
            properties.setdefault(each.name, schema_of(each))
    return {"type": "object", "properties": properties, "additionalProperties": False}
