"""Hypothesis strategies for values of Edm types, read off the schemas themselves.

The values are those that a client may send: instants with any offset and 0 to 7 fraction
digits, members by name, null where it may stand, and dynamic properties on open types.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from functools import cache, singledispatch
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mockgraph import metadata as edm
from mockgraph.metadata import primitives
from mockgraph.metadata.schemas import Schemas

Json = Any

_NAMES = st.sampled_from(["extra", "vendorScore", "_tag", "größe"])
_SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6)
_DYNAMIC = st.dictionaries(
    _NAMES,
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=2),
        max_leaves=3,
    ),
    max_size=2,
)


@cache
def values_of(
    schema: type[edm.StructuredSchema], partial: bool = False, depth: int = 3
) -> SearchStrategy[dict[str, Json]]:
    """JSON objects that load: with every declared property, or with ``partial`` only some.

    Some are of types that derive from the schema's, and say so. ``depth`` is how many levels of
    objects there are at most, since types may hold themselves.
    """
    concrete = [each for each in (schema, *_heirs(schema)) if not each.is_abstract]
    if not concrete:
        return st.nothing()
    # Types refer to one another in circles.
    return st.sampled_from(concrete).flatmap(
        lambda own: _own_values(own, partial, depth).map(
            lambda value: value if own is schema else {"@odata.type": f"#{own.type_name}", **value}
        )
    )


def _heirs(schema: type[edm.StructuredSchema]) -> list[type[edm.StructuredSchema]]:
    """The schemas of the model of a schema that derive from it, a few of them."""
    schemas: Schemas | None = getattr(schema.schemas, "__self__", None)
    if schemas is None:
        return []
    names = schemas.model.derived(schema.type_name)
    return [schemas[name] for name in names[:: len(names) // 6 + 1]]


@cache
def _own_values(
    schema: type[edm.StructuredSchema], partial: bool, depth: int
) -> SearchStrategy[dict[str, Json]]:
    declared = {
        name: values_of_property(each, partial, depth) for name, each in schema.properties().items()
    }
    nothing: dict[str, SearchStrategy[Any]] = {}
    some, all_ = (declared, nothing) if partial else (nothing, declared)
    objects = st.fixed_dictionaries(all_, optional=some)
    if not schema.is_open:
        return objects
    taken = declared.keys() | schema.navigation
    dynamic = _DYNAMIC.map(
        lambda found: {name: each for name, each in found.items() if name not in taken}
    )
    return st.builds(lambda known, more: {**more, **known}, objects, dynamic)


def values_of_property(
    declared: edm.PropertyField, partial: bool = False, depth: int = 3
) -> SearchStrategy[Json]:
    """Values that may be sent for a property, null among them where the property takes it."""
    values = _values(declared, partial, depth)
    return st.none() | values if declared.allow_none else values


@st.composite
def instants(draw: st.DrawFn) -> str:
    """Instants as text, with an offset and 0 to 7 fraction digits."""
    moment = draw(
        st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))
    )
    digits = draw(st.text("0123456789", max_size=7))
    offset = draw(st.sampled_from(["Z", "+00:00", "+03:00", "-11:30", "+14:00"]))
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{digits}{offset}"


@singledispatch
def _values(declared: edm.PropertyField, _: bool, __: int) -> SearchStrategy[Json]:
    raise NotImplementedError(declared.type_name)


@_values.register
def _(declared: edm.String, _: bool, __: int) -> SearchStrategy[Json]:
    return st.text(max_size=min(8, declared.max_length or 8))


@_values.register
def _(_declared: edm.Boolean, _: bool, __: int) -> SearchStrategy[Json]:
    return st.booleans()


@_values.register
def _(declared: edm.Integer, _: bool, __: int) -> SearchStrategy[Json]:
    return st.integers(declared.least, declared.most)


@_values.register
def _(declared: edm.Double, _: bool, __: int) -> SearchStrategy[Json]:
    numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
    whole = numbers | st.integers(-(2**53), 2**53)
    return whole | st.sampled_from(declared.words) if declared.words else whole


@_values.register
def _(declared: primitives.Decimal, _: bool, __: int) -> SearchStrategy[Json]:
    if declared.precision is None and declared.scale is None:
        return st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
    scale = declared.scale or 0
    digits = scale + 6 if declared.precision is None else declared.precision
    most = 10**digits - 1 if digits >= scale else 0
    return st.integers(-most, most).map(lambda number: number / 10**scale if scale else number)


@_values.register
def _(_declared: primitives.Guid, _: bool, __: int) -> SearchStrategy[Json]:
    return st.uuids().map(str)


@_values.register
def _(_declared: primitives.Date, _: bool, __: int) -> SearchStrategy[Json]:
    return st.dates().map(str)


@_values.register
def _(_declared: primitives.TimeOfDay, _: bool, __: int) -> SearchStrategy[Json]:
    return st.times().map(lambda time: f"{time:%H:%M:%S.%f}")


@_values.register
def _(_declared: primitives.Duration, _: bool, __: int) -> SearchStrategy[Json]:
    return st.builds("P{}DT{}H{}M{}S".format, *[st.integers(0, 99)] * 4)


@_values.register
def _(declared: primitives.Binary, _: bool, __: int) -> SearchStrategy[Json]:
    octets = st.binary(max_size=min(6, declared.max_length or 6))
    return octets.map(lambda each: base64.urlsafe_b64encode(each).decode())


@_values.register
def _(_declared: primitives.Untyped, _: bool, __: int) -> SearchStrategy[Json]:
    return _SCALARS.filter(lambda value: value is not None)


@_values.register
def _(_declared: edm.DateTimeOffset, _: bool, __: int) -> SearchStrategy[Json]:
    return instants()


@_values.register
def _(declared: edm.Enum, _: bool, __: int) -> SearchStrategy[Json]:
    members = list(declared.values.members)
    return st.sampled_from(members) if members else st.nothing()


@_values.register
def _(declared: primitives.Geography, _: bool, __: int) -> SearchStrategy[Json]:
    shape = re.sub("^Edm.Geo(graphy|metry)", "", declared.type_name) or "Point"
    if shape == "Collection":
        return st.just({"type": "GeometryCollection", "geometries": []})
    return st.just({"type": shape, "coordinates": []})


@_values.register
def _(declared: edm.Complex, partial: bool, depth: int) -> SearchStrategy[Json]:
    if depth == 1:
        return st.nothing()
    return st.deferred(lambda: values_of(declared.schema, partial, depth - 1))


@_values.register
def _(declared: edm.Collection, _: bool, depth: int) -> SearchStrategy[Json]:
    most = 1 if isinstance(declared.item, edm.Complex) else 2
    items = _values(declared.item, declared.partial, depth)
    return st.deferred(lambda: st.just([]) if items.is_empty else st.lists(items, max_size=most))
