"""Functions of KQL that make, join and sort arrays and bags."""

from __future__ import annotations

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.call_arguments import Special, values_of
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.sqlvalues import (
    Value,
    converted,
    dynamic,
    literal,
    quoted_sql,
    text,
)
from mockgraph.service.hunting.refusal import SemanticQueryError


def _pack(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 0, 128)
    if len(values) % 2:
        raise SemanticQueryError(f"{node.name}() takes names and values in pairs.")
    parts = [
        f"{text(value).sql if not number % 2 else dynamic(value).sql}"
        for number, value in enumerate(values)
    ]
    return Value(f"json_object({', '.join(parts)})", Kind.DYNAMIC)


def _pack_array(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    if len(node.arguments) == 1 and isinstance(node.arguments[0], nodes.StarExpression):
        values = list(scope.columns.values())
    else:
        values = values_of(context, node, scope, 0, 128)
    plain = (Kind.STRING, Kind.LONG, Kind.BOOL, Kind.REAL)
    if values and all(each.is_constant and each.kind in plain for each in values):
        return literal([each.constant for each in values], Kind.DYNAMIC)
    return Value(f"json_array({', '.join(dynamic(each).sql for each in values)})", Kind.DYNAMIC)


def _pack_all(_context: Context, _node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    parts = [f"{quoted_sql(name)}, {dynamic(value).sql}" for name, value in scope.columns.items()]
    return Value(f"json_object({', '.join(parts)})", Kind.DYNAMIC)


def _bag_merge(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    first, *others = (dynamic(each) for each in values_of(context, node, scope, 1))
    sql = first.sql
    for each in others:  # of two values of one name the leftmost is taken
        sql = f"json_merge_patch(coalesce({each.sql}, '{{}}'::JSON), coalesce({sql}, '{{}}'::JSON))"
    return Value(sql, Kind.DYNAMIC)


def _bag_remove_keys(
    context: Context, node: nodes.FunctionCallExpression, scope: NameScope
) -> Value:
    bag, keys = (dynamic(each) for each in values_of(context, node, scope, 2, 2))
    kept = (
        f"list_filter(json_keys({bag.sql}), lambda k: NOT list_contains(kql_texts({keys.sql}), k))"
    )
    sql = (
        f"coalesce((SELECT json_group_object(k, kql_member({bag.sql}, k))"
        f" FROM unnest({kept}) t(k)), '{{}}'::JSON)"
    )
    return Value(sql, Kind.DYNAMIC)


def _array_sort(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    array = dynamic(values_of(context, node, scope, 1, 2)[0])
    order = "DESC" if node.name.endswith("desc") else "ASC"
    numbers = f"list_transform(kql_texts({array.sql}), lambda e: TRY_CAST(e AS DOUBLE))"
    numeric = f"(len(list_filter({numbers}, lambda n: n IS NULL)) = 0)"
    elements = f"kql_elements({array.sql})"
    sql = (
        f"to_json(list_transform(list_sort(list_transform(range(1, len({elements}) + 1), lambda i:"
        f" {{'n': CASE WHEN {numeric} THEN ({numbers})[i] END,"
        f" 's': json_extract_string(({elements})[i], '$'),"
        f" 'v': CAST(({elements})[i] AS VARCHAR)}}),"
        f" '{order}', 'NULLS LAST'), lambda e: CAST(e.v AS JSON)))"
    )
    return Value(sql, Kind.DYNAMIC)


def _array_concat(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    arrays = [dynamic(each).sql for each in values_of(context, node, scope, 1)]
    sql = f"kql_elements({arrays[0]})"
    for each in arrays[1:]:
        sql = f"list_concat({sql}, kql_elements({each}))"
    return Value(f"to_json({sql})", Kind.DYNAMIC)


def _sets(template: str) -> Special:
    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        arrays = [dynamic(each).sql for each in values_of(context, node, scope, 2)]
        sql = _json_texts(arrays[0])
        for each in arrays[1:]:
            sql = template.format(sql, _json_texts(each))
        found = f"list_transform(list_sort(list_distinct({sql})), lambda e: CAST(e AS JSON))"
        return Value(f"to_json({found})", Kind.DYNAMIC)

    return special


def _json_texts(array: str) -> str:
    """Return the elements of an array as the JSON that they are, to be compared."""
    return f"list_transform(kql_elements({array}), lambda e: CAST(e AS VARCHAR))"


def _array_iff(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    tests, yes, no = (dynamic(each).sql for each in values_of(context, node, scope, 3, 3))
    sql = (
        f"to_json(list_transform(range(0, len(kql_elements({tests}))), lambda i:"
        f" CASE WHEN kql_to_bool(json_extract_string({tests}, i)) THEN json_extract({yes}, i)"
        f" ELSE json_extract({no}, i) END))"
    )
    return Value(sql, Kind.DYNAMIC)


def _zip(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    arrays = [dynamic(each).sql for each in values_of(context, node, scope, 2)]
    longest = ", ".join(f"len(kql_elements({each}))" for each in arrays)
    row = ", ".join(f"json_extract({each}, i)" for each in arrays)
    sql = f"to_json(list_transform(range(0, greatest({longest})), lambda i: [{row}]))"
    return Value(sql, Kind.DYNAMIC)


def _range(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 2, 3)
    start, stop, *step = values
    if start.kind is Kind.DATETIME:
        span = step[0] if step else literal(3_600_000_000, Kind.TIMESPAN)
        numbers = [f"epoch_us({start.sql})", f"epoch_us({stop.sql})", span.sql]
        item = "to_json(kql_instant(make_timestamp({0})))"
    else:
        longs = [converted(each, Kind.LONG) for each in values]
        numbers = [each.sql for each in longs] + ([] if step else ["1"])
        item = "to_json({0})"
    count = f"least(({numbers[1]} - {numbers[0]}) // {numbers[2]} + 1, 1048576)"
    sql = (
        f"to_json(list_transform(range(0, {count}),"
        f" lambda i: {item.format(f'{numbers[0]} + i * {numbers[2]}')}))"
    )
    return Value(sql, Kind.DYNAMIC)


def _repeat(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    value, number = values_of(context, node, scope, 2, 2)
    count = f"least({converted(number, Kind.LONG).sql}, 1048576)"
    sql = f"to_json(list_transform(range(0, {count}), lambda i: {dynamic(value).sql}))"
    return Value(sql, Kind.DYNAMIC)


def _geo(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    """Return an empty bag: there is no map of addresses here, as for one that no country has."""
    values_of(context, node, scope, 1, 1)
    return Value("'{}'::JSON", Kind.DYNAMIC)


BAG_FUNCTIONS: dict[str, Special] = {
    "pack": _pack,
    "bag_pack": _pack,
    "pack_dictionary": _pack,
    "pack_array": _pack_array,
    "pack_all": _pack_all,
    "bag_merge": _bag_merge,
    "bag_remove_keys": _bag_remove_keys,
    "array_sort_asc": _array_sort,
    "array_sort_desc": _array_sort,
    "array_concat": _array_concat,
    "array_iff": _array_iff,
    "array_iif": _array_iff,
    "set_union": _sets("list_concat({0}, {1})"),
    "set_intersect": _sets("list_intersect({0}, {1})"),
    "set_difference": _sets("list_filter({0}, lambda e: NOT list_contains({1}, e))"),
    "zip": _zip,
    "range": _range,
    "repeat": _repeat,
    "geo_info_from_ip_address": _geo,
}
