"""Functions of KQL that look for one of several addresses, prefixes or ranges."""

from __future__ import annotations

from mockgraph.service.hunting.kql import nodes
from mockgraph.service.hunting.kql.call_arguments import Special, values_of
from mockgraph.service.hunting.kql.context import Context, NameScope
from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.sqlvalues import Value, text

_BEFORE, _BEHIND = "'(?:^|[^0-9A-Za-z.])'", "'(?:[^0-9A-Za-z.]|$)'"


def _any_of(test: str) -> Special:
    """Return a function of a text and of others, given as arguments or as an array.

    ``test`` is SQL with the text as ``{0}`` and one of the others as ``e``.
    """

    def special(context: Context, node: nodes.FunctionCallExpression, scope: NameScope) -> Value:
        subject, *others = values_of(context, node, scope, 2)
        lists = [
            f"kql_texts({each.sql})" if each.kind is Kind.DYNAMIC else f"[{text(each).sql}]"
            for each in others
        ]
        tests = test.format(text(subject).sql)
        sql = " OR ".join(f"len(list_filter({each}, lambda e: {tests})) > 0" for each in lists)
        return Value(f"({sql})", Kind.BOOL)

    return special


NETWORK_FUNCTIONS: dict[str, Special] = {
    "has_any_ipv4": _any_of(f"regexp_matches({{0}}, {_BEFORE} || regexp_escape(e) || {_BEHIND})"),
    "has_any_ipv4_prefix": _any_of(f"regexp_matches({{0}}, {_BEFORE} || regexp_escape(e))"),
    "ipv4_is_in_any_range": _any_of("kql_ipv4_in({0}, e)"),
    "ipv6_is_in_any_range": _any_of("kql_ipv6_in({0}, e)"),
}
