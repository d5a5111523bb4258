"""Parameters of actions, as signatures declare them, and reading their values from JSON or a query.

A type says which values there may be, and an ``Annotated`` text is the help. The keys of a
``TypedDict`` that a function takes by ``**`` are parameters as well. Values are never coerced.
"""

from __future__ import annotations

import collections.abc
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from marshmallow import RAISE, Schema, ValidationError, fields

from mockgraph.errors import BadRequest
from mockgraph.spelling import suggestion

_NOUNS: dict[type, tuple[str, ...]] = {
    str: ("a text",),
    int: ("a whole number",),
    float: ("a number",),
    bool: ("true", "false"),
}
_PLURALS: dict[type, str] = {str: "texts", int: "whole numbers", float: "numbers"}
_TRUTHS = {"true": True, "false": False}
_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class ActionParameter:
    """A parameter: its types but None, its help, its default, whether it may be None or left out.

    The default is None, too, where one that is left out has no value.
    """

    name: str
    types: tuple[Any, ...]
    help: str
    default: Any
    is_required: bool
    takes_null: bool

    @property
    def query_name(self) -> str:
        """The name in a query string: ``inBatch`` for ``in_batch``."""
        first, *rest = self.name.split("_")
        return first + "".join(map(str.capitalize, rest))


@lru_cache(maxsize=256)
def parameters_of(function: Callable[..., Any]) -> tuple[ActionParameter, ...]:
    """Return the parameters of a function, but for the first.

    Those that take functions are left out: no surface but Python can give one.
    """
    hints = get_type_hints(function, include_extras=True)
    found: dict[str, ActionParameter] = {}
    for each in list(inspect.signature(function).parameters.values())[1:]:
        if each.kind is each.VAR_KEYWORD:
            (options,) = get_args(hints[each.name])
            for name, hint in get_type_hints(options, include_extras=True).items():
                found.setdefault(name, _parameter(name, hint, default=None))
        else:
            found[each.name] = _parameter(each.name, hints[each.name], default=each.default)
    return tuple(each for each in found.values() if not any(map(_is_function, each.types)))


def _parameter(name: str, hint: Any, default: Any) -> ActionParameter:
    hint, help = _split_help(hint)
    types, takes_null = _split_null(hint)
    is_required = default is inspect.Parameter.empty
    return ActionParameter(
        name, types, help, None if is_required else default, is_required, takes_null
    )


def _split_help(hint: Any) -> tuple[Any, str]:
    return get_args(hint) if get_origin(hint) is Annotated else (hint, "")


def _split_null(hint: Any) -> tuple[tuple[Any, ...], bool]:
    types = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return tuple(each for each in types if each is not NoneType), NoneType in types


def _is_function(hint: Any) -> bool:
    return get_origin(hint) is collections.abc.Callable


# -- JSON -------------------------------------------------------------------------------------


class Form(Schema):
    """A JSON object with these members and no others."""

    error_messages = {
        "type": "The body has to be a JSON object.",
        "unknown": "There is no such member here.",
    }

    class Meta:
        unknown = RAISE


class Given(fields.Field[Any]):
    """A member of one of these JSON types, or a list of ``elements``, or one of ``literals``."""

    default_error_messages = {"required": "This member is needed."}

    def __init__(
        self,
        words: str,
        types: tuple[type, ...],
        elements: tuple[type, ...] = (),
        literals: tuple[Any, ...] = (),
        *,
        null: bool = False,
        required: bool = False,
    ):
        super().__init__(allow_none=null, required=required)
        self._types = types
        self._elements = elements
        self._literals = literals
        self.error_messages["null"] = self.error_messages["wrong"] = f"Give {words}."

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if type(value) in self._types:
            return value
        if type(value) is str and value in self._literals:
            return value
        is_list = bool(self._elements) and type(value) is list
        if is_list and all(type(each) in self._elements for each in value):
            return value
        raise self.make_error("wrong")


class Named(fields.Field[Any]):
    """An object whose members have names of the caller's, and values of one kind."""

    default_error_messages = {"wrong": "Give an object."}

    def __init__(self, value: fields.Field[Any], *, null: bool, required: bool):
        super().__init__(allow_none=null, required=required)
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


@lru_cache(maxsize=64)
def form_of(function: Callable[..., Any], leaving_out: tuple[str, ...] = ()) -> type[Schema]:
    """Return the form of a function's parameters, but for those that are given otherwise."""
    members = [each for each in parameters_of(function) if each.name not in leaving_out]
    return Form.from_dict({each.name: _field_of(each) for each in members})


def read_members(form: type[Schema], value: Any) -> dict[str, Any]:
    """Return the members of a JSON value. Raises BadRequest that names the one that is wrong."""
    try:
        loaded: dict[str, Any] = form().load(value)
    except ValidationError as error:
        path, message = _first(error.messages)
        if message == Form.error_messages["unknown"]:
            message += suggestion(path, form().fields)
        raise BadRequest(f"{path}: {message}" if path else message) from None
    return loaded


def _field_of(parameter: ActionParameter) -> fields.Field[Any]:
    return _field(
        parameter.types,
        null=parameter.takes_null,
        required=parameter.is_required,
        name=parameter.name,
    )


def _field(
    types: tuple[Any, ...], *, null: bool, required: bool = False, name: str = ""
) -> fields.Field[Any]:
    """Return the field for values of these types; one without a name is within an object."""
    if Any in types:
        return fields.Raw(allow_none=True, required=required)
    for each in types:
        if get_origin(each) is collections.abc.Mapping:
            within, takes_null = _split_null(get_args(each)[1])
            if Any in within:
                return Given("an object", (dict,), null=null, required=required)
            return Named(_field(within, null=takes_null), null=null, required=required)
    scalars = tuple(each for each in types if each in _NOUNS)
    literals = tuple(one for each in types if get_origin(each) is Literal for one in get_args(each))
    elements = tuple(
        one for each in types if _is_list(each) for one in _split_null(get_args(each)[0])[0]
    )
    if literals and not scalars:  # the function itself names the choices
        scalars, literals = (str,), ()
    return Given(
        _words(scalars, elements, literals, null=null, name=name),
        tuple(one for each in scalars for one in _json_types(each)),
        tuple(one for each in elements for one in _json_types(each)),
        literals,
        null=null,
        required=required,
    )


def _is_list(hint: Any) -> bool:
    return get_origin(hint) in (list, collections.abc.Sequence)


def _json_types(scalar: type) -> tuple[type, ...]:
    return (int, float) if scalar is float else (scalar,)


def _words(
    scalars: Sequence[type],
    elements: Sequence[type],
    literals: Sequence[Any],
    *,
    null: bool,
    name: str,
) -> str:
    """Return what a message calls the values that there may be."""
    if elements and scalars == elements:
        noun = f"a {name}" if name else _NOUNS[scalars[0]][0]
        return f"{noun}, or a list of them"
    words = [noun for each in scalars for noun in _NOUNS[each]]
    words += [f"a list of {_PLURALS[each]}" for each in elements]
    words += ["null"] if null and not name else []  # a parameter that is null is left out
    listed = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
    return listed + "".join(f', or "{each}"' for each in literals)


def _first(messages: Any) -> tuple[str, str]:
    """Return the path and the text of the first fault in marshmallow's tree of messages."""
    path: list[str] = []
    while isinstance(messages, Mapping):
        name, messages = next(iter(messages.items()))
        path += [] if name == "_schema" else [str(name)]
    return "/".join(path), messages[0]


# -- query strings ----------------------------------------------------------------------------


def read_query_parameters(
    parameters: Sequence[ActionParameter], query: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Return the parameters in a query; an empty value is none.

    Raises BadRequest for a name that there is not, and for a value of another type.
    """
    names = [each.query_name for each in parameters]
    if unknown := query.keys() - names:
        name = min(unknown)
        near = suggestion(name, names)
        raise BadRequest(f"{name}: The choices are {', '.join(names)}.{near}")
    found: dict[str, Any] = {}
    for each in parameters:
        texts = [text for text in query.get(each.query_name, ()) if text]
        if texts:
            found[each.name] = _query_value(each, texts)
        elif each.is_required:
            raise BadRequest(f"{each.query_name}: This member is needed.")
    return found


def _query_value(parameter: ActionParameter, texts: list[str]) -> Any:
    (kind,) = parameter.types
    text = texts[0]
    if _is_list(kind):
        return texts
    if kind is bool and text not in _TRUTHS:
        raise BadRequest(f"{parameter.query_name}: Give true or false.")
    if kind is int and not _DIGITS.fullmatch(text):
        raise BadRequest(f"{parameter.query_name}: Give a whole number.")
    return _TRUTHS[text] if kind is bool else kind(text)
