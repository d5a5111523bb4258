"""Queries of the audit log: created, run by the tenant's clock, answered from the state.

Page "Create auditLogQuery". The log itself is kept where queries have their results: the records
that a query finds are those that the state holds of other queries, those of seeds among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mockgraph.instants import sort_key
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Behaviour, Invocation
from mockgraph.state.entities import Entity, join_key
from mockgraph.state.runs import Run
from mockgraph.state.transactions import Transaction, take_status

QUERIES = "security/auditLog/queries"
RECORDS = f"{QUERIES}/records"

_QUERY = "microsoft.graph.security.auditLogQuery"

# What a query asks for, and the property of a record that it is about.
_ONE_OF = {
    "recordTypeFilters": "auditLogRecordType",
    "serviceFilters": "service",
    "operationFilters": "operation",
    "userPrincipalNameFilters": "userPrincipalName",
    "ipAddressFilters": "clientIp",
    "objectIdFilters": "objectId",
}


def _created(transaction: Transaction, call: Invocation) -> None:
    if call.before is None and call.key is not None:
        transaction.run(_QUERY, QUERIES, call.key)


def _ran(transaction: Transaction, run: Run) -> None:
    take_status(transaction, run)
    query = transaction.get(QUERIES, run.key)
    if not run.has_succeeded or query is None:
        return
    for record in _log(transaction, run.key):
        if is_asked_for(query, record):
            transaction.storage.store(RECORDS, join_key(run.key, record["id"]), record)


def _log(transaction: Transaction, query: str) -> Iterable[Entity]:
    """Return the records of the log, each once, but for those that the query has already."""
    rows = transaction.rows(RECORDS)
    own = {record["id"] for record in rows.owned_by(query)}
    return {each["id"]: each for each in rows.in_order if each["id"] not in own}.values()


def is_asked_for(query: Properties, record: Properties) -> bool:
    """Return whether a record is one that a query asks for; what it leaves out, it does not ask."""
    return all(is_met(query, record) for is_met in _CONDITIONS)


def _is_in_time(query: Properties, record: Properties) -> bool:
    start, end = query["filterStartDateTime"], query["filterEndDateTime"]
    created = record["createdDateTime"]
    if created is None:
        return not start and not end
    at = sort_key(created)
    return (not start or sort_key(start) <= at) and (not end or at <= sort_key(end))


def _is_one_of(query: Properties, record: Properties) -> bool:
    return all(
        not query[asked] or _folded(record[name]) in {_folded(each) for each in query[asked]}
        for asked, name in _ONE_OF.items()
    )


def _is_of_unit(query: Properties, record: Properties) -> bool:
    asked = {_folded(each) for each in query["administrativeUnitIdFilters"]}
    return not asked or any(_folded(each) in asked for each in record["administrativeUnits"])


def _has_keyword(query: Properties, record: Properties) -> bool:
    keyword = _folded(query["keywordFilter"])
    return not keyword or any(keyword in text for text in _texts(record))


_CONDITIONS: tuple[Callable[[Properties, Properties], bool], ...] = (
    _is_in_time,
    _is_one_of,
    _is_of_unit,
    _has_keyword,
)


def _texts(value: Json) -> Iterable[str]:
    """Give all texts in a value, in small letters."""
    if isinstance(value, str):
        yield value.casefold()
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _folded(text: str | None) -> str:
    return (text or "").casefold()


BEHAVIOURS = {_QUERY: Behaviour(_created, progress=_ran)}
