"""What the actions on many entities at once have in common.

A request that cannot be read is refused whole; beyond that each item stands for itself, and
where some fail the answer is 206, as Microsoft documents for bulk actions
(security-error-codes, "Threat indicator bulk action errors").
"""

from __future__ import annotations

from collections.abc import Sequence

from marshmallow import ValidationError, pre_load

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata import ComplexType
from mockgraph.metadata.declarations import ActionResult
from mockgraph.metadata.names import Json, Properties
from mockgraph.service.shared_types import ResultInfo


class BulkParameters(ComplexType):
    """The parameters of a bulk action: a collection ``value``, which must be sent."""

    @pre_load
    def _check_value(self, data: dict[str, Json], **_: object) -> dict[str, Json]:
        if "value" not in data:
            raise ValidationError("The parameter 'value' is missing.")
        return data


def succeeded() -> Properties:
    """A ResultInfo for an item that went well."""
    return edm.whole(ResultInfo, {"code": 0, "subcode": 0})


def failed(status: int, message: str) -> Properties:
    """A ResultInfo for an item that failed, with the status a single request would have had."""
    return edm.whole(ResultInfo, {"code": status, "subcode": 0, "message": message})


def changes_by_key(items: Sequence[Properties]) -> list[tuple[str, Properties]]:
    """The key and the changes of each entity. Raises BadRequest where one has no id."""
    keyed: list[tuple[str, Properties]] = []
    for index, item in enumerate(items):
        key = item.get("id")
        if not key:
            raise BadRequest(f"value/{index}/id: Each entity must have the id that it changes.")
        keyed.append((key, {name: value for name, value in item.items() if name != "id"}))
    return keyed


def answer(results: Sequence[Properties], entities: Sequence[Properties]) -> ActionResult:
    """The entities with 200 where all went well, else a ResultInfo for each item with 206."""
    if any(result["code"] for result in results):
        return ActionResult(206, list(results), ResultInfo)
    return ActionResult(200, list(entities))
