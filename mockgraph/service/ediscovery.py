"""eDiscovery cases: closed and reopened; who and what is in them, held, indexed and released.

Pages "Close eDiscoveryCase", "Reopen eDiscoveryCase", "ediscoveryCustodian: activate", "release",
"applyHold", "removeHold" and "updateIndex", the same of "ediscoveryNoncustodialDataSource",
"ediscoveryCaseSettings: resetToDefault", "ediscoveryReviewTag: asHierarchy". Closing a case turns
its holds off, and reopening it does not bring them back (Purview, "Close or delete a case").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from mockgraph.errors import NotFound
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import SINGLE, ResourceKind
from mockgraph.service.case_operations import CASES, accepted, begin, progress
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity, join_key, owner_key, split_key
from mockgraph.state.runs import Run
from mockgraph.state.transactions import Transaction

CUSTODIANS = f"{CASES}/custodians"
NONCUSTODIAL = f"{CASES}/noncustodialDataSources"
SETTINGS = f"{CASES}/settings"
TAGS = f"{CASES}/tags"

_SECURITY = "microsoft.graph.security."
_SOURCES = {
    CUSTODIANS: ("userSources", "siteSources", "unifiedGroupSources"),
    NONCUSTODIAL: ("dataSource",),
}
_HOLD_OPERATION = f"{_SECURITY}ediscoveryHoldOperation"
_INDEX_OPERATION = f"{_SECURITY}ediscoveryIndexOperation"
_ON_HOLD = ("applied", "applying", "partial")

# Page "Get ediscoveryCaseSettings", whose example shows a case's settings untouched.
_DEFAULT_SETTINGS = {
    "caseType": "premium",
    "redundancyDetection": {
        "isEnabled": True,
        "similarityThreshold": 65,
        "minWords": 10,
        "maxWords": 500_000,
    },
    "topicModeling": {
        "isEnabled": False,
        "ignoreNumbers": True,
        "topicCount": 100,
        "dynamicallyAdjustTopicCount": True,
    },
    "ocr": {"isEnabled": False, "maxImageSize": 24_576, "timeout": "PT1M"},
    "reviewSetSettings": "none",
}


# -- cases ---------------------------------------------------------------------------------------


def _close(transaction: Transaction, call: Invocation) -> None:
    case = _entity(transaction, call.table, call.key)
    if case["status"] == "closed":
        return
    for table in _SOURCES:
        for held in _members(transaction, table, case.key):
            if held["holdStatus"] != "notApplied":
                _set_hold(transaction, table, held.key, "notApplied")
    closed = {"status": "closed", "closedBy": transaction.identity}
    transaction.compute(call.table, case.key, closed)


def _reopen(transaction: Transaction, call: Invocation) -> None:
    case = _entity(transaction, call.table, call.key)
    if case["status"] != "active":
        transaction.compute(call.table, case.key, {"status": "active", "closedBy": None})


def _created(transaction: Transaction, call: Invocation) -> None:
    """Give a new case its settings, unless they came with it."""
    assert call.key is not None
    key = join_key(call.key, SINGLE)
    if call.before is None and transaction.get(SETTINGS, key) is None:
        transaction.compute(SETTINGS, key, {"id": call.key, **_DEFAULT_SETTINGS})


def _reset_settings(transaction: Transaction, call: Invocation) -> Result:
    assert call.key is not None
    transaction.compute(SETTINGS, call.key, _DEFAULT_SETTINGS)
    return Result(status=200)


# -- custodians and other sources ------------------------------------------------------------------


def activate_custodian(transaction: Transaction, call: Invocation) -> Result:
    """Make a custodian who was released part of the case again, and index what is theirs anew."""
    custodian = _entity(transaction, call.table, call.key)
    if custodian["status"] != "active":
        transaction.compute(call.table, custodian.key, {"status": "active"})
    return _index(transaction, call)


def _release(transaction: Transaction, call: Invocation) -> Result:
    """Release a source from the case; a hold on it is removed by the operation."""
    source = _entity(transaction, call.table, call.key)
    transaction.compute(call.table, source.key, {"status": "released"})
    held = [source] if source["holdStatus"] in _ON_HOLD else []
    return _begin_hold(transaction, call, held, "removing", split_key(source.key)[0])


def _hold(transaction: Transaction, call: Invocation, status: str) -> Result:
    """Begin to change the hold of one source, of those with the ids, or of all in the case."""
    if "ids" not in call.parameters:
        source = _entity(transaction, call.table, call.key)
        return _begin_hold(transaction, call, [source], status, split_key(source.key)[0])
    # Where a search refers to its sources, the collection is the search's and the case is above.
    case = (call.key or "").partition("/")[0]
    ids = call.parameters["ids"]
    if ids:
        keys = [join_key(case, each) for each in dict.fromkeys(ids)]
        sources = [_entity(transaction, call.table, key) for key in keys]
    else:
        sources = _all_of(transaction, call, case)
    return _begin_hold(transaction, call, sources, status, case)


def _begin_hold(
    transaction: Transaction,
    call: Invocation,
    sources: Sequence[Entity],
    status: str,
    case: str,
) -> Result:
    for source in sources:
        _set_hold(transaction, call.table, source.key, status)
    about = {
        "table": call.table,
        "keys": [source.key for source in sources],
        "from": status,
        "to": "applied" if status == "applying" else "notApplied",
    }
    name = f"{_SECURITY}applyHold"
    return accepted(begin(transaction, name, case, _HOLD_OPERATION, "holdUpdate", about=about))


def _hold_changed(transaction: Transaction, run: Run) -> None:
    progress(transaction, run)
    if not run.is_over:
        return
    table = run.about["table"]
    # An operation that failed leaves some of the sources on hold and others not, for all one knows.
    status = run.about["to"] if run.has_succeeded else "partial"
    for key in run.about["keys"]:
        source = transaction.get(table, key)
        if source is not None and source["holdStatus"] == run.about["from"]:
            _set_hold(transaction, table, key, status)


def _set_hold(transaction: Transaction, table: str, key: str, status: str) -> None:
    """Give a source, and what it consists of, the status of a hold."""
    transaction.compute(table, key, {"holdStatus": status})
    for name in _SOURCES[table]:
        path = f"{table}/{name}"
        for source in transaction.rows(path).owned_by(owner_key(key)):
            transaction.compute(path, source.key, {"holdStatus": status})


def _index(transaction: Transaction, call: Invocation) -> Result:
    """Begin to make what belongs to a source searchable."""
    source = _entity(transaction, call.table, call.key)
    case = split_key(source.key)[0]
    operation = begin(transaction, f"{_SECURITY}updateIndex", case, _INDEX_OPERATION, "index")
    transaction.link(f"{call.table}/lastIndexOperation", source.key, *operation)
    return accepted(operation)


# -- tags ------------------------------------------------------------------------------------------


def _as_hierarchy(transaction: Transaction, call: Invocation) -> list[Properties]:
    """Return the tags of a case, or those below a tag, each with those below it."""
    assert call.key is not None
    case = call.key.partition("/")[0]
    tags = {tag.key: tag for tag in transaction.rows(TAGS).owned_by(case)}
    below: dict[str, dict[str, None]] = {key: {} for key in tags}
    for key in tags:
        for child in transaction.referred(f"{TAGS}/childTags", key):
            below[key][child.key] = None
        for parent in transaction.referred(f"{TAGS}/parent", key):
            below.get(parent.key, {})[key] = None
    if call.key in tags:
        return [_branch(tags, below, key, (call.key,)) for key in below[call.key]]
    children = {key for keys in below.values() for key in keys}
    return [_branch(tags, below, key, ()) for key in tags if key not in children]


def _branch(
    tags: dict[str, Entity], below: dict[str, dict[str, None]], key: str, above: tuple[str, ...]
) -> dict[str, Json]:
    """A tag with those below it; one that is above itself is passed over."""
    path = (*above, key)
    children = [each for each in below.get(key, ()) if each in tags and each not in path]
    return {**tags[key], "childTags": [_branch(tags, below, each, path) for each in children]}


def _all_of(transaction: Transaction, call: Invocation, case: str) -> list[Entity]:
    """Return the sources in the collection that an action is bound to."""
    resource = call.resource
    if resource is not None and resource.kind is ResourceKind.REFERENCE:
        return list(transaction.referred(resource.path, call.key or ""))
    return list(_members(transaction, call.table, case))


def _members(transaction: Transaction, table: str, case: str) -> Iterator[Entity]:
    return iter(transaction.rows(table).owned_by(case))


def _entity(transaction: Transaction, table: str, key: str | None) -> Entity:
    """Return the entity that is meant. Raise 404."""
    entity = transaction.get(table, key or "")
    if entity is None:
        own = split_key(key or "")[1]
        raise NotFound(f"'{table.rpartition('/')[2]}' has nothing with the id '{own}'.")
    return entity


BEHAVIOURS = {
    f"{_SECURITY}ediscoveryCase": Behaviour(_created),
    f"{_SECURITY}close": Behaviour(_close),
    f"{_SECURITY}reopen": Behaviour(_reopen),
    f"{_SECURITY}resetToDefault": Behaviour(_reset_settings),
    f"{_SECURITY}release": Behaviour(_release),
    f"{_SECURITY}applyHold": Behaviour(partial(_hold, status="applying"), progress=_hold_changed),
    f"{_SECURITY}removeHold": Behaviour(partial(_hold, status="removing")),
    f"{_SECURITY}updateIndex": Behaviour(_index, progress=progress),
    f"{_SECURITY}asHierarchy": Behaviour(_as_hierarchy),
}
