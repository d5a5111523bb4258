"""From syntax trees to closures: paths and types are checked here, once, and never per entity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from mockgraph import metadata as edm
from mockgraph import work
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.metadata.resources import Resource
from mockgraph.odata.ast import (
    Alias,
    BinaryOperation,
    FunctionCall,
    In,
    Lambda,
    List,
    Literal,
    Logical,
    Node,
    Path,
    SearchTerm,
    TypeCall,
    UnaryOperation,
    ValueKind,
    quoted,
    weight,
)
from mockgraph.odata.functions import compile_call
from mockgraph.odata.grammar import NO_ALIASES, Aliases
from mockgraph.odata.operators import (
    EQUALITY,
    ORDER,
    compile_among,
    compile_arithmetic,
    compile_comparison,
    contained,
    has,
    negate,
)
from mockgraph.odata.restrictions import check_count
from mockgraph.odata.types import (
    CompiledExpression,
    Evaluate,
    Type,
    dynamic_as,
    from_json,
    narrowed,
    of_literal,
    of_property,
    of_related,
)
from mockgraph.state.query import Relations

# Each level multiplies the work by the size of a collection.
MAX_LAMBDAS = 3

T = TypeVar("T")

_BOOLEAN = Type(ValueKind.BOOLEAN)
_NULL = Literal(ValueKind.NULL, None)
# Longer query options are compiled each time.
LONGEST_KEPT = 512


class Scope(NamedTuple):
    """The meaning of names: properties of the schema, lambda variables, aliases of parameters.

    ``resource`` is that of the entities, whose navigation properties an open type would take for
    dynamic ones; ``relations`` read what they lead to; ``now`` is what ``now()`` gives, an instant
    in UTC as Graph writes it, or the present one if left out. Variables stand in order, the
    outermost first.
    """

    schema: type[edm.StructuredSchema]
    variables: tuple[tuple[str, Type], ...] = ()
    resource: Resource | None = None
    relations: Relations | None = None
    now: str | None = None
    aliases: Aliases = NO_ALIASES

    def within(self, name: str, type_: Type) -> Scope:
        return self._replace(variables=(*self.variables, (name, type_)))


def kept_by_text(
    compile_for_any: Callable[[str, Scope], T | None],
) -> Callable[[str, Scope], T | None]:
    """Keep what a function makes of a query option for all requests; None for one made for one.

    The function is given the scope without what is a request's own.
    """

    @lru_cache(maxsize=256)
    def kept(text: str, schema: type[edm.StructuredSchema], resource: Resource | None) -> T | None:
        return compile_for_any(text, Scope(schema, resource=resource))

    def find(text: str, scope: Scope) -> T | None:
        if scope.aliases or len(text) > LONGEST_KEPT:
            return None
        return kept(text, scope.schema, scope.resource)

    return find


def compile_expression(node: Node, scope: Scope) -> CompiledExpression:
    """Compile a tree to an expression; raises BadRequest where it is ill-typed."""
    match node:
        case Literal():
            return of_literal(node)
        case Alias(name):
            # Null without a value (OData 4.01, part 1, 11.2.6.1.3).
            return compile_expression(scope.aliases.get(name, _NULL), scope)
        case Path():
            return resolve_path(node, scope)
        case FunctionCall(function, arguments):
            given = (compile_expression(each, scope) for each in arguments)
            return compile_call(function, given, scope.now)
        case UnaryOperation("not", operand):
            return CompiledExpression(_BOOLEAN, _not(_boolean(operand, scope)))
        case UnaryOperation(_, operand):
            return negate(compile_expression(operand, scope))
        case BinaryOperation(operator, left, right):
            return _binary(
                operator, compile_expression(left, scope), compile_expression(right, scope)
            )
        case In(left, List(items)):
            options = [compile_expression(item, scope) for item in items]
            return compile_among(compile_expression(left, scope), options)
        case In(left, right):
            return contained(compile_expression(left, scope), compile_expression(right, scope))
        case Logical(operator, operands):
            tests = [_boolean(each, scope) for each in operands]
            # What decides: false for "and", true for "or"; null only where nothing does.
            return CompiledExpression(_BOOLEAN, _three_valued(tests, decisive=operator == "or"))
        case Lambda():
            return CompiledExpression(_BOOLEAN, _lambda(node, scope))
        case TypeCall():
            return CompiledExpression(_BOOLEAN, _type_test(node, scope))
        case List():
            raise BadRequest("a list may only stand behind 'in'.")
        case SearchTerm():
            raise TypeError("a term of a search is no expression")


def compile_test(node: Node, scope: Scope) -> Evaluate:
    """Compile a condition to a closure, true where the tree is; null may come out as false."""
    if not isinstance(node, Logical):
        return _boolean(node, scope)
    return joined_tests(node.operator, [compile_test(each, scope) for each in node.operands])


def joined_tests(operator: str, tests: Sequence[Evaluate]) -> Evaluate:
    """Join tests, of which null may come out as false: as quick as Python's own and, or."""
    if len(tests) == 2:
        first, second = tests
        if operator == "and":
            return lambda scope: first(scope) and second(scope)
        return lambda scope: first(scope) or second(scope)
    if operator == "and":
        return lambda scope: all(test(scope) for test in tests)
    return lambda scope: any(test(scope) for test in tests)


def _binary(
    operator: str, left: CompiledExpression, right: CompiledExpression
) -> CompiledExpression:
    if operator in EQUALITY or operator in ORDER:
        return compile_comparison(operator, left, right)
    if operator == "has":
        return has(left, right)
    return compile_arithmetic(operator, left, right)


def _boolean(node: Node, scope: Scope) -> Evaluate:
    expression = compile_expression(node, scope)
    if expression.kind is ValueKind.UNTYPED:
        value, checked = expression.evaluate, dynamic_as(ValueKind.BOOLEAN)
        return lambda scope: checked(value(scope))
    if expression.kind not in (ValueKind.BOOLEAN, ValueKind.NULL):
        raise BadRequest(f"A condition is expected, not a value of type {expression.type.name}.")
    return expression.evaluate


def _not(test: Evaluate) -> Evaluate:
    def evaluate(scope: Any) -> bool | None:
        value: bool | None = test(scope)
        return None if value is None else not value

    return evaluate


def _three_valued(tests: Sequence[Evaluate], *, decisive: bool) -> Evaluate:
    def evaluate(scope: Any) -> bool | None:
        result: bool | None = not decisive
        for test in tests:
            value: bool | None = test(scope)
            if value is decisive:
                return decisive
            if value is None:
                result = None
        return result

    return evaluate


def _type_test(node: TypeCall, scope: Scope) -> Evaluate:
    """``isof`` of a structured value: null is of no type."""
    operand = compile_expression(node.operand or Path(("$it",)), scope)
    if node.function == "cast" or operand.kind is not ValueKind.COMPLEX:
        raise NotEmulated(f"the function '{node.function}' in expressions")
    value = operand.evaluate
    _, test = narrowed(operand.type, node.type_name)
    return lambda scope: test(value(scope))


def _listed(value: Evaluate) -> Evaluate:
    """A dynamic value as the items of a collection: none where it is no array."""

    def evaluate(scope: Any) -> Any:
        items = value(scope)
        return items if isinstance(items, list) else ()

    return evaluate


def _lambda(node: Lambda, scope: Scope) -> Evaluate:
    collection = resolve_path(node.path, scope)
    items = collection.evaluate
    shown = quoted(str(node.path))
    if collection.kind is ValueKind.UNTYPED:
        of, items = collection.type, _listed(items)
    elif collection.kind is ValueKind.COLLECTION:
        of = collection.type.of
    else:
        raise BadRequest(f"'{node.quantifier}' takes a collection, which {shown} is not.")
    if node.variable is None or node.body is None:
        return lambda scope: bool(items(scope))
    if len(scope.variables) == MAX_LAMBDAS:
        raise BadRequest(f"more than {MAX_LAMBDAS} any or all inside one another.")
    if any(node.variable == name for name, _ in scope.variables):
        raise BadRequest(f"The variable {quoted(node.variable)} is named twice.")
    body = compile_test(node.body, scope.within(node.variable, of))
    step, steps = work.current().step, 1 + weight(node.body)

    # Loops, since a generator costs as much as the work in it.
    def some(scope: Any) -> bool:
        held = items(scope) or ()
        step(4 + len(held) * steps)
        for item in held:  # noqa: SIM110
            if body((item, scope)):
                return True
        return False

    def every(scope: Any) -> bool:
        held = items(scope) or ()
        step(4 + len(held) * steps)
        for item in held:  # noqa: SIM110
            if not body((item, scope)):
                return False
        return True

    return some if node.quantifier == "any" else every


# -- paths --------------------------------------------------------------------------------


def own_names(node: Node, scope: Scope) -> tuple[str, ...] | None:
    """Return the names on the way to a value of the entity itself; None for anything else."""
    if not isinstance(node, Path):
        return None
    names = node.names[1:] if node.names[0] == "$it" else node.names
    if not names or names[-1] == "$count" or any("." in name for name in names):
        return None
    if scope.resource is not None and scope.resource.led_to(scope.schema.type_name, names):
        return None
    return names


def resolve_path(path: Path, scope: Scope) -> CompiledExpression:
    """Compile a path to an expression that reads it; null where anything on the way is null.

    Raises BadRequest where a property does not exist on a closed type, or where a segment
    leads nowhere.
    """
    own = None if scope.variables else _own_value(path, scope.schema, scope.resource)
    return own or _resolved(path, scope)


@lru_cache(maxsize=256)
def _own_value(
    path: Path, schema: type[edm.StructuredSchema], resource: Resource | None
) -> CompiledExpression | None:
    """Compile a path to a value of the entity itself, the same for any request; None for others."""
    scope = Scope(schema, resource=resource)
    return _resolved(path, scope) if own_names(path, scope) else None


def _resolved(path: Path, scope: Scope) -> CompiledExpression:
    value, type_, names = _start(path, scope)
    counted = bool(names) and names[-1] == "$count"
    left = list(names[:-1] if counted else names)
    while left:
        name = left[0]
        related, length = _related(type_, left)
        del left[:length]
        if related is not None:
            if counted and not left:
                check_count(related)
            value = _followed(value or _itself, related, scope.relations)
            type_ = of_related(related)
        elif "." in name:
            type_, value = _narrowed(value or _itself, type_, name)
        else:
            type_ = property_type(type_, name)
            value = _step(value, name) if value else _property(name)
    value = value or _itself
    if counted:
        return CompiledExpression(Type(ValueKind.INTEGER), _count(value, path, type_))
    convert = from_json(type_)
    own = () if scope.variables else own_names(path, scope) or ()
    return CompiledExpression(type_, _converted(value, convert) if convert else value, names=own)


def property_type(type_: Type, name: str) -> Type:
    """Return the type of a property of a value; raises BadRequest where it can have none."""
    if type_.kind is ValueKind.UNTYPED:
        return type_
    if type_.kind is ValueKind.COLLECTION:
        raise BadRequest(
            f"{quoted(name)} is asked of a collection, which takes any, all or $count."
        )
    if type_.kind is not ValueKind.COMPLEX:
        raise BadRequest(f"{quoted(name)} is asked of a value of type {type_.name}.")
    declared = type_.of.properties().get(name)
    if declared is not None:
        return of_property(declared)
    if name in type_.of.navigation:
        raise NotEmulated(f"paths through the navigation property {quoted(name)} of values")
    if not type_.of.is_open or name.startswith("$") or "." in name:
        raise BadRequest(f"The property {quoted(name)} does not exist on type '{type_.name}'.")
    return Type(ValueKind.UNTYPED)


def _start(path: Path, scope: Scope) -> tuple[Evaluate | None, Type, tuple[str, ...]]:
    """Find where a path begins (None: at the scope itself), its type, and the rest of it."""
    depth = len(scope.variables)
    first, *rest = path.names
    for hops, (name, type_) in enumerate(reversed(scope.variables)):
        if name == first:
            return _outwards(hops, itemgetter(0)), type_, tuple(rest)
    entity = _outwards(depth - 1, itemgetter(1)) if depth else None
    if first == "$root":
        raise NotEmulated("$root in expressions")
    names = tuple(rest) if first == "$it" else path.names
    return entity, Type(ValueKind.COMPLEX, scope.schema, scope.resource), names


def _related(type_: Type, names: Sequence[str]) -> tuple[Resource | None, int]:
    """The resource that a path leads to from an entity first, and how many names that takes."""
    if type_.resource is None or "." in names[0]:
        return None, 1
    return type_.resource.led_to(type_.of.type_name, names) or (None, 1)


def _followed(value: Evaluate, related: Resource, relations: Relations | None) -> Evaluate:
    """Read the entities that a navigation property leads to, one, or null."""
    if relations is None:
        raise NotEmulated(f"paths through the navigation property {quoted(related.name)} here")
    relations.resources.append(related)

    def evaluate(scope: Any) -> Any:
        entity = value(scope)
        return None if entity is None else relations.follow(entity, related)

    return evaluate


def _outwards(hops: int, last: Evaluate) -> Evaluate:
    for _ in range(hops):
        last = _after(itemgetter(1), last)
    return last


def _after(first: Evaluate, second: Evaluate) -> Evaluate:
    return lambda scope: second(first(scope))


def _itself(scope: Any) -> Any:
    return scope


def _narrowed(value: Evaluate, type_: Type, name: str) -> tuple[Type, Evaluate]:
    """A cast: null for a value of another type, a collection without the items of other types."""
    narrow, test = narrowed(type_, name)
    step = work.current().step

    def evaluate(scope: Any) -> Any:
        held = value(scope)
        if isinstance(held, list):
            step(len(held))
            return [item for item in held if test(item)]
        return held if test(held) else None

    return narrow, evaluate


def _property(name: str) -> Evaluate:
    return lambda entity: entity.get(name)


def _step(value: Evaluate, name: str) -> Evaluate:
    def evaluate(scope: Any) -> Any:
        outer = value(scope)
        # A dynamic value may be no object at all.
        return outer.get(name) if isinstance(outer, dict) else None

    return evaluate


def _converted(value: Evaluate, convert: Evaluate) -> Evaluate:
    def evaluate(scope: Any) -> Any:
        stored = value(scope)
        return None if stored is None else convert(stored)

    return evaluate


def _count(value: Evaluate, path: Path, type_: Type) -> Evaluate:
    if type_.kind not in (ValueKind.COLLECTION, ValueKind.UNTYPED):
        raise BadRequest(f"{quoted(str(path))}: only a collection has a $count.")

    def evaluate(scope: Any) -> int | None:
        items = value(scope)
        return len(items) if isinstance(items, list) else None

    return evaluate
