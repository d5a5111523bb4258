"""The errors of advanced hunting, as a caller sees them."""

from __future__ import annotations

from collections.abc import Iterable

from mockgraph.errors import BadRequest
from mockgraph.spelling import nearest


class HuntingError(BadRequest):
    """A query, a row or a seed that hunting refuses."""


class QuerySyntaxError(HuntingError):
    """A text that is no KQL, with the place and the word where the reading stopped."""

    def __init__(self, text: str, offset: int, problem: str):
        self.line = text.count("\n", 0, offset) + 1
        self.column = offset - (text.rfind("\n", 0, offset) + 1) + 1
        self.word = word_at(text, offset)
        found = f"'{self.word}'" if self.word else "the end of the query"
        super().__init__(
            f"Syntax error at line {self.line}, column {self.column}, near {found}: {problem}"
        )


class UnresolvedNameError(HuntingError):
    """A table, column or function that is not there; programs look for the first sentence."""

    def __init__(self, name: str, known: Iterable[str] = (), noun: str = "table or column"):
        self.name = name
        message = f"Failed to resolve {noun} expression named '{name}'"
        if near := nearest(name, known):
            message += f". Names near it: {', '.join(near)}"
        super().__init__(message)


class UnsupportedQueryError(HuntingError):
    """KQL that hunting has and MockGraph has not, by its name."""

    def __init__(self, name: str, advice: str = ""):
        self.name = name
        message = f"MockGraph does not emulate {name} in hunting queries."
        super().__init__(f"{message} {advice}" if advice else message)


class SemanticQueryError(HuntingError):
    """A query that can be read, and means nothing."""

    def __init__(self, problem: str):
        super().__init__(f"Semantic error: {problem}")


class QueryLimitError(HuntingError):
    """A query that needs more than hunting lends it."""

    def __init__(self, problem: str):
        super().__init__(f"The query exceeds a limit: {problem}")


class QueryTimeoutError(HuntingError):
    """A query that ran longer than it may."""

    status = 504
    code = "GatewayTimeout"

    def __init__(self, seconds: float):
        super().__init__(f"The query was ended: it ran for longer than {seconds:g} seconds.")


class HuntingNotInstalledError(HuntingError):
    """No engine: the extra that brings it is not installed."""

    status = 501
    code = "notImplemented"

    def __init__(self) -> None:
        super().__init__(
            "MockGraph runs hunting queries on DuckDB, which is not installed: "
            "pip install 'mockgraph[hunting]'."
        )


def word_at(text: str, offset: int) -> str:
    """Return the word, or the sign, that begins at an offset; nothing at the end."""
    rest = text[offset : offset + 80]
    if not rest:
        return ""
    end = 0
    while end < len(rest) and (rest[end].isalnum() or rest[end] in "_-"):
        end += 1
    return rest[: max(end, 1)]
