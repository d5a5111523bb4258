"""Annotations of a model: a term, a qualifier and a value as plain Python data.

A value is one of: None (``Null``), bool, int, float or str; a :class:`Constant` for a literal of
another primitive type; :class:`EnumMembers`; a :class:`PathExpression`; a tuple for a collection; a
:class:`Record`; a :class:`DynamicExpression` for whatever a service would have to work out; or
``DEFAULT`` where the annotation states no value and the default of its term counts
(OData CSDL 4.0, section 14).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias, Union

from mockgraph.metadata.immutable import Immutable


class Default(enum.Enum):
    """The value of an annotation that states none."""

    DEFAULT = "default"


DEFAULT: Final = Default.DEFAULT

# The literals that plain Python values would not tell apart, by the attribute that CSDL has; of
# the floating point numbers only NaN, which would not equal itself.
CONSTANTS: Final = (
    "Binary",
    "Date",
    "DateTimeOffset",
    "Decimal",
    "Duration",
    "Float",
    "Guid",
    "TimeOfDay",
)
PATHS: Final = (
    "AnnotationPath",
    "ModelElementPath",
    "NavigationPropertyPath",
    "Path",
    "PropertyPath",
)


class Constant(Immutable):
    """A literal of a primitive type, as its text; ``kind`` is one of ``CONSTANTS``."""

    kind: str
    text: str


class EnumMembers(Immutable):
    """One or, of an enumeration of flags, several members of a type."""

    type: str
    members: tuple[str, ...]


class PathExpression(Immutable):
    """A path to an element of the model or to a value; ``kind`` is one of ``PATHS``."""

    kind: str
    text: str


class PropertyValue(Immutable):
    """A named value of a record."""

    name: str
    value: Value = DEFAULT
    annotations: tuple[Annotation, ...] = ()


class Record(Immutable):
    """A structured value; ``type`` is the qualified name of its type where it states one."""

    values: tuple[PropertyValue, ...] = ()
    type: str | None = None
    annotations: tuple[Annotation, ...] = ()

    def get(self, name: str) -> Value:
        """Return the value of a property, None where the record does not state it."""
        for each in self.values:
            if each.name == name:
                return each.value
        return None


class DynamicExpression(Immutable):
    """A dynamic expression (``If``, ``Apply``, ``Eq``, ...): its attributes and operands."""

    operator: str
    attributes: tuple[tuple[str, str], ...] = ()
    operands: tuple[Value, ...] = ()
    annotations: tuple[Annotation, ...] = ()


Value: TypeAlias = Union[
    bool,
    int,
    float,
    str,
    Default,
    Constant,
    EnumMembers,
    PathExpression,
    Record,
    DynamicExpression,
    "tuple[Value, ...]",
    None,
]


class Annotation(Immutable):
    """The value of a term for an element; the term is a qualified name, without an alias."""

    term: str
    value: Value = DEFAULT
    qualifier: str | None = None
    annotations: tuple[Annotation, ...] = ()

    @property
    def key(self) -> tuple[str, str | None]:
        """The term and the qualifier: an element has at most one annotation of each."""
        return self.term, self.qualifier


def find_annotation(
    annotations: Iterable[Annotation], term: str, qualifier: str | None = None
) -> Annotation | None:
    """Return the annotation with the term and the qualifier, None where there is none."""
    for each in annotations:
        if each.term == term and each.qualifier == qualifier:
            return each
    return None


def merged_annotations(
    below: Sequence[Annotation], above: Sequence[Annotation]
) -> tuple[Annotation, ...]:
    """Return the annotations of both; of several with one term and qualifier the last."""
    return tuple({each.key: each for each in (*below, *above)}.values())
