"""Functions of KQL over texts that take more than one expression of SQL."""

from __future__ import annotations

import re

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.call_arguments import Special, values_of
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.signatures import signatures
from mockgraph.service.hunting.kql.sqlvalues import (
    Value,
    converted,
    literal,
    quoted_sql,
    text,
)
from mockgraph.service.hunting.refusal import SemanticQueryError


def _strcat(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = [text(each) for each in values_of(context, node, scope, 1)]
    if all(each.is_constant for each in values):
        return literal("".join(each.constant for each in values), Kind.STRING)
    return Value("(" + " || ".join(each.sql for each in values) + ")", Kind.STRING)


def _strcat_delim(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    delimiter, *values = values_of(context, node, scope, 2)
    sql = f"concat_ws({text(delimiter).sql}, {', '.join(text(each).sql for each in values)})"
    return Value(sql, Kind.STRING)


def _split(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    source, delimiter, *index = values_of(context, node, scope, 2, 3)
    sql = f"string_split({text(source).sql}, {text(delimiter).sql})"
    if index:
        position = f"{converted(index[0], Kind.LONG).sql} + 1"
        sql = f"list_slice({sql}, {position}, {position})"
    return Value(f"to_json({sql})", Kind.DYNAMIC)


def _trim(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    pattern, source = (text(each) for each in values_of(context, node, scope, 2, 2))
    if not pattern.is_constant:
        raise SemanticQueryError(f"{node.name}() wants a constant pattern.")
    sql = source.sql
    if node.name != "trim_end":
        sql = f"regexp_replace({sql}, {quoted_sql(f'^(?:{pattern.constant})+')}, '')"
    if node.name != "trim_start":
        sql = f"regexp_replace({sql}, {quoted_sql(f'(?:{pattern.constant})+$')}, '')"
    return Value(sql, Kind.STRING)


def _replace_regex(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    if node.name == "replace":
        pattern, rewrite, source = (text(each) for each in values_of(context, node, scope, 3, 3))
    else:
        source, pattern, rewrite = (text(each) for each in values_of(context, node, scope, 3, 3))
    # KQL writes a group as \1 or $1; RE2 as \1.
    if rewrite.is_constant:
        group = re.sub(r"\$(\d)", r"\\\1", rewrite.constant)
        rewrite = literal(re.sub(r"\\(?!\d)", r"\\\\", group), Kind.STRING)
    replaced = f"regexp_replace({source.sql}, {pattern.sql}, {rewrite.sql}, 'g')"
    sql = f"kql_bounded({replaced}, length({source.sql}) * length({rewrite.sql}))"
    return Value(sql, Kind.STRING)


def _extract(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    if len(node.arguments) not in (3, 4):
        raise SemanticQueryError("extract() takes a pattern, a group and a text.")
    pattern = context.scalar(node.arguments[0], scope)
    group = context.scalar(node.arguments[1], scope)
    source = context.scalar(node.arguments[2], scope)
    sql = (
        f"coalesce(regexp_extract({text(source).sql}, {text(pattern).sql},"
        f" CAST({converted(group, Kind.LONG).sql} AS INTEGER)), '')"
    )
    found = Value(sql, Kind.STRING)
    if len(node.arguments) == 4:
        found = converted(found, _type_of(node.arguments[3]))
    return found


def _extract_json(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    if len(node.arguments) not in (2, 3):
        raise SemanticQueryError(f"{node.name}() takes a path, a text and perhaps a type.")
    path, source = (text(context.scalar(each, scope)) for each in node.arguments[:2])
    found = f"json_extract_string(kql_parse_json({source.sql}), {path.sql})"
    value = Value(f"coalesce({found}, '')", Kind.STRING)
    return converted(value, _type_of(node.arguments[2])) if len(node.arguments) == 3 else value


def _type_of(node: nodes.ExpressionNode) -> Kind:
    if not isinstance(node, nodes.TypeOfExpression):
        raise SemanticQueryError("typeof(...) is due here.")
    return node.kind


def _extract_all(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 2, 3)
    pattern, source = text(values[0]), text(values[-1])
    if not pattern.is_constant:
        raise SemanticQueryError("extract_all() wants a constant pattern.")
    groups = _groups(pattern.constant)
    if len(values) == 3 and isinstance(values[1].constant, list):
        wanted = [each for each in values[1].constant if isinstance(each, int)]
    else:
        wanted = list(range(1, groups + 1))
    if not wanted:
        raise SemanticQueryError("extract_all() wants a pattern with groups.")
    lists = [f"regexp_extract_all({source.sql}, {pattern.sql}, {group})" for group in wanted]
    if len(lists) == 1:
        return Value(f"to_json({lists[0]})", Kind.DYNAMIC)
    each = ", ".join(f"({one})[i]" for one in lists)
    sql = f"to_json(list_transform(range(1, len({lists[0]}) + 1), lambda i: [{each}]))"
    return Value(sql, Kind.DYNAMIC)


def _groups(pattern: str) -> int:
    """Return how many groups of a pattern capture."""
    plain = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]", "", pattern)
    return len(re.findall(r"\((?!\?)|\(\?P?<[A-Za-z]", plain))


def _countof(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    source, sought, *kind = (text(each) for each in values_of(context, node, scope, 2, 3))
    if kind and kind[0].constant == "regex":
        return Value(f"len(regexp_extract_all({source.sql}, {sought.sql}))", Kind.LONG)
    sql = signatures()["countof"][2].sql.format(source.sql, sought.sql)
    return Value(f"CAST({sql} AS BIGINT)", Kind.LONG)


def _format_bytes(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
    values = values_of(context, node, scope, 1, 3)
    number = converted(values[0], Kind.REAL).sql
    digits = values[1].constant if len(values) > 1 else 0
    if not isinstance(digits, int):
        raise SemanticQueryError("format_bytes() wants a constant number of digits.")
    units = ("Bytes", "KB", "MB", "GB", "TB", "PB", "EB")

    def written(power: int) -> str:
        rounded = f"round({number} / {1024**power}.0, {digits})"
        bare = f"rtrim(rtrim(printf('%.{digits}f', {rounded}), '0'), '.')"
        return f"({bare if digits else f'printf({chr(39)}%.0f{chr(39)}, {rounded})'}" + (
            f" || ' {units[power]}')"
        )

    wanted = values[2].constant if len(values) == 3 else None
    if wanted in units:
        return Value(f"coalesce({written(units.index(wanted))}, '')", Kind.STRING)
    cases = " ".join(
        f"WHEN {number} < {1024 ** (power + 1)} THEN {written(power)}" for power in range(6)
    )
    return Value(f"coalesce(CASE {cases} ELSE {written(6)} END, '')", Kind.STRING)


TEXT_FUNCTIONS: dict[str, Special] = {
    "strcat": _strcat,
    "strcat_delim": _strcat_delim,
    "split": _split,
    "trim": _trim,
    "trim_start": _trim,
    "trim_end": _trim,
    "replace": _replace_regex,
    "replace_regex": _replace_regex,
    "extract": _extract,
    "extract_all": _extract_all,
    "extractall": _extract_all,
    "extract_json": _extract_json,
    "extractjson": _extract_json,
    "countof": _countof,
    "format_bytes": _format_bytes,
}
