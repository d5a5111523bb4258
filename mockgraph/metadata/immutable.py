"""Immutable values with named fields: frozen dataclasses, whose classes are made in no time.

A dataclass compiles its methods when its class is made, a third of a millisecond each; the elements
of a model are thirty classes, and every start of a server would wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Self, dataclass_transform


class _ImmutableType(type):
    """Makes slots of the annotations of a class, and defaults of their values.

    ``field_setters`` set the slots of the fields, which a value itself refuses to do. Where all
    fields from a place on have defaults, ``field_tails`` has those.
    """

    field_names: tuple[str, ...]
    field_defaults: dict[str, Any]
    field_tails: dict[int, tuple[Any, ...]]
    field_setters: tuple[Callable[[object, Any], None], ...]

    def __new__(mcs, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> _ImmutableType:
        own = tuple(members.get("__annotations__", ()))
        defaults = {each: members.pop(each) for each in own if each in members}
        made = super().__new__(mcs, name, bases, {**members, "__slots__": own})
        above = [base for base in bases if isinstance(base, _ImmutableType)]
        made.field_names = (*(each for base in above for each in base.field_names), *own)
        made.field_defaults = {k: v for base in above for k, v in base.field_defaults.items()}
        made.field_defaults |= defaults
        made.field_tails = {}
        tail: tuple[Any, ...] = ()
        for place, field in reversed([*enumerate(made.field_names)]):
            if field not in made.field_defaults:
                break
            made.field_tails[place] = tail = (made.field_defaults[field], *tail)
        made.field_setters = tuple(getattr(made, each).__set__ for each in made.field_names)
        return made

    def complete(cls, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """Return the values of all fields. Raises TypeError for too few, or for others."""
        names = cls.field_names
        by_name = dict(zip(names, given, strict=False))
        stated = {**cls.field_defaults, **by_name, **named}
        wrong = len(given) > len(names) or by_name.keys() & named.keys()
        if wrong or len(stated) != len(names) or stated.keys() != {*names}:
            raise TypeError(f"{cls.__name__} has the fields {', '.join(names)}.")
        return tuple([stated[name] for name in names])


@dataclass_transform(frozen_default=True)
class Immutable(metaclass=_ImmutableType):
    """A value that compares by the values of its fields, and is hashed by them."""

    def __init__(self, *given: Any, **named: Any):
        setters = type(self).field_setters
        if named or len(given) != len(setters):
            tail = None if named else type(self).field_tails.get(len(given))
            given = type(self).complete(given, named) if tail is None else given + tail
        for put, value in zip(setters, given, strict=True):
            put(self, value)

    def field_values(self) -> tuple[Any, ...]:
        """Return the values of the fields, in their order."""
        return tuple(getattr(self, name) for name in type(self).field_names)

    def field_items(self) -> Iterator[tuple[str, Any]]:
        """Give the names of the fields and their values."""
        return zip(type(self).field_names, self.field_values(), strict=True)

    def replaced(self, **changes: Any) -> Self:
        """Return the value with other values of some fields."""
        return type(self)(**{**dict(self.field_items()), **changes})

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Immutable)
        return self.field_values() == other.field_values()

    def __hash__(self) -> int:
        return hash((type(self), self.field_values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.field_items())
        return f"{type(self).__name__}({shown})"

    def __setattr__(self, name: str, _: Any) -> NoReturn:
        raise AttributeError(f"{name}: a {type(self).__name__} is immutable.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name}: a {type(self).__name__} is immutable.")
