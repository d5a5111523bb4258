"""Reading the JSON that the control plane is sent: declared with marshmallow, never coerced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields

from mockgraph.errors import BadRequest
from mockgraph.odata import validation

if TYPE_CHECKING:
    from mockgraph.http import Request


class Form(Schema):
    """A JSON object with these members and no others."""

    error_messages = {
        "type": "The body has to be a JSON object.",
        "unknown": "There is no such member here.",
    }

    class Meta:
        unknown = RAISE


class Given(fields.Field[Any]):
    """A member of one of these JSON types; ``what`` is what a message calls them."""

    default_error_messages = {"required": "This member is needed."}

    def __init__(self, what: str, *types: type, null: bool = False, required: bool = False):
        super().__init__(allow_none=null, required=required)
        self._types = types
        self.error_messages["null"] = self.error_messages["wrong"] = f"Give {what}."

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if type(value) not in self._types:
            raise self.make_error("wrong")
        return value


class OneOrMore(Given):
    """A member that is one value of a type, or a list of them."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        for each in value if type(value) is list else [value]:
            super()._deserialize(each)
        return value


class ListOf(Given):
    """A member that is a list of values of a type."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if type(value) is not list:
            raise self.make_error("wrong")
        for each in value:
            super()._deserialize(each)
        return value


class Named(fields.Field[Any]):
    """An object whose members have names of the caller's, and values of one kind."""

    default_error_messages = {"wrong": "Give an object."}

    def __init__(self, value: Given):
        super().__init__(allow_none=True)
        self._value = value

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if type(value) is not dict:
            raise self.make_error("wrong")
        for name, each in value.items():
            try:
                self._value.deserialize(each)
            except ValidationError as error:
                raise ValidationError({name: error.messages}) from None
        return value


def sent() -> Any:
    """The JSON value in the body of the request at hand. Raises 400, 413 and 415."""
    return validation.read_json(cast("Request", request))


def sent_or_nothing() -> Any:
    """The same, where all members may be left out: no body at all is an empty object."""
    return sent() if cast("Request", request).content else {}


def read(form: type[Form], value: Any) -> dict[str, Any]:
    """The members of a JSON value. Raises BadRequest that names the one that is wrong."""
    try:
        loaded: dict[str, Any] = form().load(value)
    except ValidationError as error:
        path, message = _first(error.messages)
        raise BadRequest(f"{path}: {message}" if path else message) from None
    return loaded


def a_text(*, null: bool = True, required: bool = False) -> Given:
    """A member that is a text."""
    return Given("a text", str, null=null, required=required)


def a_texts() -> Given:
    """A member that is a list of texts."""
    return ListOf("a list of texts", str, null=True)


def a_number(*, null: bool = False, required: bool = False) -> Given:
    """A member that is a number."""
    return Given("a number", int, float, null=null, required=required)


def a_whole_number(*, null: bool = False, required: bool = False) -> Given:
    """A member that is a whole number."""
    return Given("a whole number", int, null=null, required=required)


def a_truth(*, null: bool = False) -> Given:
    """A member that is true or false."""
    return Given("true or false", bool, null=null)


def _first(messages: Any) -> tuple[str, str]:
    """The path and the text of the first fault in marshmallow's tree of messages."""
    path: list[str] = []
    while isinstance(messages, Mapping):
        name, messages = next(iter(messages.items()))
        path += [] if name == "_schema" else [str(name)]
    return "/".join(path), messages[0]
