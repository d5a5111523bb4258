"""The string operators: ``has`` and its kin, ``contains``, ``startswith``, ``matches regex``."""

from __future__ import annotations

import re

from mockgraph.service.hunting.kql.kinds import Kind
from mockgraph.service.hunting.kql.sqlvalues import Value, quoted_sql, text

_ALNUM = r"[\pL\pN]"
_OTHER = r"[^\pL\pN]"
_SPECIAL = re.compile(r"([\\.^$|?*+()\[\]{}])")


def escaped(literal: str) -> str:
    """Return a pattern of RE2 that matches a text itself."""
    return _SPECIAL.sub(r"\\\1", literal).replace("\0", r"\x00")


def term(literal: str, prefix: bool = True, suffix: bool = True) -> str:
    """Return a pattern for a text that begins, or ends, where a term does.

    A term is a maximal run of letters and digits; where the text begins with another character
    it begins a term by itself.
    """
    found = escaped(literal)
    if prefix and literal[:1].isalnum():
        found = f"(?:^|{_OTHER}){found}"
    if suffix and literal[-1:].isalnum():
        found = f"{found}(?:{_OTHER}|$)"
    return found


def text_operator(sign: str, left: Value, right: Value) -> Value:
    """Return ``left sign right`` for a string operator, negated or not."""
    negated = sign.startswith(("!", "not"))
    name = sign.removeprefix("!").removeprefix("not")
    subject, sought = text(left), text(right)
    exact = name.endswith(("_cs", "cs"))
    base = name.removesuffix("_cs").removesuffix("cs") if exact else name
    sql = _sql(base, exact, subject.sql, sought)
    return Value(f"(NOT {sql})" if negated else sql, Kind.BOOL)


def _sql(base: str, exact: bool, subject: str, sought: Value) -> str:
    def folded(sql: str) -> str:
        return sql if exact else f"lower({sql})"

    match base:
        case "contains":
            return f"contains({folded(subject)}, {folded(sought.sql)})"
        case "startswith":
            return f"starts_with({folded(subject)}, {folded(sought.sql)})"
        case "endswith":
            return f"ends_with({folded(subject)}, {folded(sought.sql)})"
        case "like":
            pattern = f"replace(replace({sought.sql}, '*', '%'), '?', '_')"
            return f"({folded(subject)} LIKE {folded(pattern)})"
    prefix, suffix = base in ("has", "hasprefix"), base in ("has", "hassuffix")
    flags = "(?s)" if exact else "(?is)"
    if sought.is_constant:
        pattern = term(sought.constant, prefix, suffix)
        return f"regexp_matches({subject}, {quoted_sql(flags + pattern)})"
    if base == "has":
        return f"regexp_matches({subject}, '{flags}' || kql_term({sought.sql}))"
    begin = f"'(?:^|{_OTHER})' || " if prefix else ""
    end = f" || '(?:{_OTHER}|$)'" if suffix else ""
    return f"regexp_matches({subject}, '{flags}' || {begin}regexp_escape({sought.sql}){end})"


def any_term(subject: Value, sought: list[str]) -> str:
    """Return SQL that tells whether one of constant texts is among the terms of a value."""
    if not sought:
        return "FALSE"
    pattern = "|".join(f"(?:{term(each)})" for each in sought)
    return f"regexp_matches({text(subject).sql}, {quoted_sql('(?is)' + pattern)})"
