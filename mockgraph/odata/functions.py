"""The canonical functions (OData 4.01, part 2, 5.1.1.4 to 5.1.1.11), by name.

A function of null is null, and so is one of a dynamic value of the wrong type. Instants are
kept in UTC, so their parts are those in UTC and their offset is 0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from mockgraph import instants, work
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.ast import ValueKind, quoted
from mockgraph.odata.types import CompiledExpression, Evaluate, Type, constant, dynamic_as

Kinds = frozenset[ValueKind]

_STRING: Kinds = frozenset({ValueKind.STRING})
_INTEGER: Kinds = frozenset({ValueKind.INTEGER})
_NUMBER: Kinds = frozenset({ValueKind.DOUBLE, ValueKind.INTEGER})
_INSTANT: Kinds = frozenset({ValueKind.INSTANT})
_DAY: Kinds = frozenset({ValueKind.INSTANT, ValueKind.DATE})
_CLOCK: Kinds = frozenset({ValueKind.INSTANT, ValueKind.TIME})

_LONG = 1024  # characters of a text from which on the work on it is counted
NOT_EMULATED = frozenset(
    {"case", "cast", "isof", "matchespattern", "totalseconds", "hassubset", "hassubsequence"}
    | {"geo.distance", "geo.intersects", "geo.length"}
)


class Function(NamedTuple):
    """A function: what it takes, what it gives (None: what it took), and how it is applied."""

    parameters: tuple[Kinds, ...]
    result: ValueKind | None
    apply: Callable[..., Any]
    optional: int = 0


def compile_call(
    name: str, given: Iterable[CompiledExpression], now: str | None = None
) -> CompiledExpression:
    """Compile a call; ``now`` is the instant of ``now()``, the present one if left out.

    Raises BadRequest for an unknown function, and for what it cannot take.
    """
    function = _FUNCTIONS.get(name.lower())
    if function is None:
        if name.lower() in NOT_EMULATED:
            raise NotEmulated(f"the function {quoted(name)} in expressions")
        raise BadRequest(f"There is no function {quoted(name)}.")
    arguments = list(given)
    most = len(function.parameters)
    if not most - function.optional <= len(arguments) <= most:
        expected = f"{most - function.optional} or {most}" if function.optional else f"{most}"
        raise BadRequest(
            f"The function '{name}' takes {expected} arguments, {len(arguments)} were given."
        )
    if not arguments:
        result: ValueKind = function.result or ValueKind.NULL
        return constant(result, function.apply(now or instants.now()))
    values = [
        _argument(name, index, argument, kinds)
        for index, (argument, kinds) in enumerate(zip(arguments, function.parameters, strict=False))
    ]
    return CompiledExpression(
        _result(function, arguments[0]), _applied(function, arguments, values)
    )


def _argument(name: str, index: int, argument: CompiledExpression, kinds: Kinds) -> Evaluate:
    value = argument.evaluate
    if argument.kind is ValueKind.UNTYPED:
        # JSON has no dates and no times: a text may spell an instant, of these.
        wanted = next(kind for kind in ValueKind if kind in kinds and kind is not ValueKind.DATE)
        checked = dynamic_as(ValueKind.DOUBLE if kinds == _NUMBER else wanted)
        return lambda scope: checked(value(scope))
    is_member = argument.kind is ValueKind.ENUMERATION and ValueKind.STRING in kinds
    if is_member and argument.type.of.any_case:
        # The live service takes the name of a member for a text.
        name_of = argument.type.of.name_of
        return lambda scope: None if (held := value(scope)) is None else name_of(held)
    if argument.kind not in kinds and argument.kind is not ValueKind.NULL:
        wanted_names = " or ".join(sorted(kind.value for kind in kinds))
        raise BadRequest(
            f"The function '{name}' takes {wanted_names} as argument {index + 1}, "
            f"not {argument.type.name}."
        )
    return value


def _result(function: Function, argument: CompiledExpression) -> Type:
    if function.result is not None:
        return Type(function.result)
    return Type(ValueKind.INTEGER if argument.kind is ValueKind.INTEGER else ValueKind.DOUBLE)


def _applied(
    function: Function, arguments: Sequence[CompiledExpression], values: Sequence[Evaluate]
) -> Evaluate:
    apply = function.apply
    first, *rest = values
    if function.parameters[0] == _STRING:
        return _of_text(function, arguments, values)

    def unary(scope: Any) -> Any:
        a = first(scope)
        return None if a is None else apply(a)

    def with_constants(scope: Any) -> Any:
        a = first(scope)
        return None if a is None else apply(a, *constants)

    def general(scope: Any) -> Any:
        given = [value(scope) for value in values]
        return None if None in given else apply(*given)

    if not rest:
        return unary
    constants = [argument.value for argument in arguments[1:]]
    if all(argument.constant for argument in arguments[1:]):
        return (lambda _: None) if None in constants else with_constants
    return general


def _of_text(
    function: Function, arguments: Sequence[CompiledExpression], values: Sequence[Evaluate]
) -> Evaluate:
    """As :func:`_applied`, for functions of a text, which may be long."""
    apply, done = function.apply, work.current()
    first = values[0]
    constants = [argument.value for argument in arguments[1:]]

    def with_constants(scope: Any) -> Any:
        text = first(scope)
        if text is None:
            return None
        if len(text) > _LONG:
            done.read(len(text))
        return apply(text, *constants)

    def general(scope: Any) -> Any:
        given = [value(scope) for value in values]
        if None in given:
            return None
        length = sum(len(each) for each in given if type(each) is str)
        if length > _LONG:
            note(length)
        return apply(*given)

    note = done.make if function.apply is operator.add else done.read
    if note == done.read and all(argument.constant for argument in arguments[1:]):
        return (lambda _: None) if None in constants else with_constants
    return general


def _substring(text: str, start: int, length: int | None = None) -> str:
    """A negative start counts from the end, as the standard lets it."""
    if length is None:
        return text[start:]
    if length < 0:
        raise BadRequest("The function 'substring' takes no negative length.")
    return text[start:][:length]


def _clock(text: str) -> str:
    """The time of day of an instant or of a time."""
    return text[text.find("T") + 1 :]


def _whole(rounding: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding that leaves INF, -INF, NaN and integers as they are."""

    def rounded(number: float) -> float:
        if type(number) is int or not math.isfinite(number):
            return number
        return float(rounding(number))

    return rounded


def _half_away_from_zero(number: float) -> int:
    down = math.floor(abs(number))
    up = down + (abs(number) - down >= 0.5)
    return up if number > 0 else -up


_FUNCTIONS: dict[str, Function] = {
    "contains": Function((_STRING, _STRING), ValueKind.BOOLEAN, operator.contains),
    "startswith": Function((_STRING, _STRING), ValueKind.BOOLEAN, str.startswith),
    "endswith": Function((_STRING, _STRING), ValueKind.BOOLEAN, str.endswith),
    "length": Function((_STRING,), ValueKind.INTEGER, len),
    "indexof": Function((_STRING, _STRING), ValueKind.INTEGER, str.find),
    "substring": Function((_STRING, _INTEGER, _INTEGER), ValueKind.STRING, _substring, 1),
    "tolower": Function((_STRING,), ValueKind.STRING, str.lower),
    "toupper": Function((_STRING,), ValueKind.STRING, str.upper),
    "trim": Function((_STRING,), ValueKind.STRING, str.strip),
    "concat": Function((_STRING, _STRING), ValueKind.STRING, operator.add),
    "year": Function((_DAY,), ValueKind.INTEGER, lambda day: int(day[:4])),
    "month": Function((_DAY,), ValueKind.INTEGER, lambda day: int(day[5:7])),
    "day": Function((_DAY,), ValueKind.INTEGER, lambda day: int(day[8:10])),
    "hour": Function((_CLOCK,), ValueKind.INTEGER, lambda time: int(_clock(time)[:2])),
    "minute": Function((_CLOCK,), ValueKind.INTEGER, lambda time: int(_clock(time)[3:5])),
    "second": Function((_CLOCK,), ValueKind.INTEGER, lambda time: int(_clock(time)[6:8])),
    "fractionalseconds": Function(
        (_CLOCK,), ValueKind.DOUBLE, lambda time: float(f"0.{time.partition('.')[2] or '0'}")
    ),
    "date": Function((_INSTANT,), ValueKind.DATE, lambda instant: instant[:10]),
    "time": Function((_INSTANT,), ValueKind.TIME, _clock),
    "totalseconds": Function((frozenset({ValueKind.DURATION}),), ValueKind.DOUBLE, float),
    "totaloffsetminutes": Function((_INSTANT,), ValueKind.INTEGER, lambda _: 0),
    # The moment at which the expression was compiled: one and the same for all entities.
    "now": Function((), ValueKind.INSTANT, instants.sort_key),
    "mindatetime": Function((), ValueKind.INSTANT, lambda _: "0001-01-01T00:00:00"),
    "maxdatetime": Function((), ValueKind.INSTANT, lambda _: "9999-12-31T23:59:59.9999999"),
    "round": Function((_NUMBER,), None, _whole(_half_away_from_zero)),
    "floor": Function((_NUMBER,), None, _whole(math.floor)),
    "ceiling": Function((_NUMBER,), None, _whole(math.ceil)),
}
