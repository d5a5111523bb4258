"""Actions on many entities at once: what they have in common.

A request that cannot be read is refused whole; beyond that each item stands for itself, and
where some fail the answer is 206, as Microsoft documents for bulk actions
(security-error-codes, "Threat indicator bulk action errors").
"""

from __future__ import annotations

from collections.abc import Sequence

from mockgraph.errors import BadRequest
from mockgraph.metadata.names import Properties
from mockgraph.state.behaviours import Result

RESULT_INFO = "microsoft.graph.ResultInfo"


def succeeded() -> Properties:
    """Return a ResultInfo for an item that went well."""
    return {"code": 0, "message": None, "subcode": 0}


def failed(status: int, message: str) -> Properties:
    """Return a ResultInfo for an item that failed, with the status of a single request."""
    return {"code": status, "message": message, "subcode": 0}


def changes_by_key(items: Sequence[Properties]) -> list[tuple[str, Properties]]:
    """Return the key and the changes of each entity. Raise BadRequest where one has no id."""
    keyed: list[tuple[str, Properties]] = []
    for index, item in enumerate(items):
        key = item.get("id")
        if not key:
            raise BadRequest(f"value/{index}/id: Each entity must have the id that it changes.")
        keyed.append((key, {name: value for name, value in item.items() if name != "id"}))
    return keyed


def answer(results: Sequence[Properties], entities: Sequence[Properties]) -> Result:
    """Return the entities with 200 where all went well, else a ResultInfo for each with 206."""
    if any(result["code"] for result in results):
        return Result(list(results), 206, RESULT_INFO)
    return Result(list(entities), 200)
