"""Searches and review sets of eDiscovery: estimated, purged, exported, added, tagged.

Pages "ediscoverySearch: estimateStatistics", "purgeData", "exportReport", "exportResult",
"ediscoveryReviewSet: addToReviewSet" and "export", "ediscoveryReviewSetQuery: applyTags" and
"export". The state holds no mail and no files, so estimates count the places that are searched and
find nothing in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mockgraph.errors import BadRequest, NotFound
from mockgraph.metadata.names import Json, Properties
from mockgraph.service.case_operations import CASES, accepted, begin, progress
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity, join_key, owner_key, split_key
from mockgraph.state.intent import Target
from mockgraph.state.runs import Run
from mockgraph.state.transactions import Transaction

SEARCHES = f"{CASES}/searches"
REVIEW_SETS = f"{CASES}/reviewSets"

_SECURITY = "microsoft.graph.security."
_SITE = f"#{_SECURITY}siteSource"
_NOTHING_FOUND = {
    "indexedItemCount": 0,
    "indexedItemsSize": 0,
    "unindexedItemCount": 0,
    "unindexedItemsSize": 0,
}
# A name that leads nowhere (RFC 2606): a test that downloads answers for it by a stub.
_DOWNLOADS = "https://ediscovery.example/exports"
_OF_EXPORTS = (
    "displayName",
    "description",
    "exportCriteria",
    "exportLocation",
    "additionalOptions",
    "exportFormat",
    "exportSingleItems",
    "cloudAttachmentVersion",
    "documentVersion",
)


# -- searches --------------------------------------------------------------------------------------


def _estimate(transaction: Transaction, call: Invocation) -> Result:
    search, case = _bound(call)
    operation = begin(
        transaction,
        call.name,
        case,
        f"{_SECURITY}ediscoveryEstimateOperation",
        "estimateStatistics",
        call.parameters,
        links={"search": search},
        about={"search": search.key},
    )
    path = f"{SEARCHES}/lastEstimateStatisticsOperation"
    transaction.link(path, search.key, *operation)
    return accepted(operation)


def _estimated(transaction: Transaction, run: Run) -> None:
    sources = _sources(transaction, run.about["search"])
    sites = sum(source.get("@odata.type") == _SITE for source in sources)
    places = {"mailboxCount": len(sources) - sites, "siteCount": sites}
    progress(transaction, run, {**_NOTHING_FOUND, **places})


def _sources(transaction: Transaction, search: str) -> Sequence[Entity]:
    """Return the sources of a search: its own, and those of custodians and others in its case."""
    found = {
        source.key: source
        for source in (
            *transaction.rows(f"{SEARCHES}/additionalSources").owned_by(search),
            *transaction.referred(f"{SEARCHES}/custodianSources", search),
        )
    }
    for other in transaction.referred(f"{SEARCHES}/noncustodialSources", search):
        table = f"{CASES}/noncustodialDataSources/dataSource"
        found |= {each.key: each for each in transaction.rows(table).owned_by(other.key)}
    return list(found.values())


def _purge(transaction: Transaction, call: Invocation) -> Result:
    type_name = f"{_SECURITY}ediscoveryPurgeDataOperation"
    return accepted(begin(transaction, call.name, _bound(call)[1], type_name, "purgeData"))


def _export_search(transaction: Transaction, call: Invocation, action: str) -> Result:
    search, case = _bound(call)
    sent = {name: call.parameters[name] for name in _OF_EXPORTS if name in call.parameters}
    operation = begin(
        transaction,
        call.name,
        case,
        f"{_SECURITY}ediscoverySearchExportOperation",
        action,
        sent,
        links={"search": search},
    )
    return accepted(operation)


# -- review sets -----------------------------------------------------------------------------------


def _add_to_review_set(transaction: Transaction, call: Invocation) -> Result:
    review_set, case = _bound(call)
    parameters = dict(call.parameters)
    search = Target(SEARCHES, join_key(case, _id_of(parameters.pop("search"), "search")))
    if transaction.get(*search) is None:
        raise NotFound(f"The case has no search with the id '{split_key(search.key)[1]}'.")
    operation = begin(
        transaction,
        call.name,
        case,
        f"{_SECURITY}ediscoveryAddToReviewSetOperation",
        "addToReviewSet",
        parameters,
        links={"reviewSet": review_set, "search": search},
    )
    transaction.link(f"{SEARCHES}/addToReviewSetOperation", search.key, *operation)
    return accepted(operation)


def _export_review_set(transaction: Transaction, call: Invocation) -> Result:
    bound, case = _bound(call)
    links = {"reviewSet": bound}
    if bound.table != REVIEW_SETS:
        review_set = Target(REVIEW_SETS, split_key(bound.key)[0])
        links = {"reviewSet": review_set, "reviewSetQuery": bound}
    operation = begin(
        transaction,
        call.name,
        case,
        f"{_SECURITY}ediscoveryExportOperation",
        "contentExport",
        call.parameters,
        links=links,
    )
    return accepted(operation)


def _apply_tags(transaction: Transaction, call: Invocation) -> Result:
    case = _bound(call)[1]
    tags = [*call.parameters["tagsToAdd"], *call.parameters["tagsToRemove"]]
    for key in [_id_of(tag, "tags") for tag in tags]:
        if transaction.get(f"{CASES}/tags", join_key(case, key)) is None:
            raise NotFound(f"The case has no tag with the id '{key}'.")
    type_name = f"{_SECURITY}ediscoveryTagOperation"
    return accepted(begin(transaction, call.name, case, type_name, "applyTags"))


def _exported(transaction: Transaction, run: Run) -> None:
    """Give an export its file once it is done."""
    own = split_key(owner_key(run.key))[1]
    name = f"{own}.zip"
    file = {"fileName": name, "downloadUrl": f"{_DOWNLOADS}/{own}/{name}", "size": 0}
    progress(transaction, run, {"exportFileMetadata": [file]})


def _bound(call: Invocation) -> tuple[Target, str]:
    """Return the entity that an action is bound to, and the key of its case."""
    assert call.key is not None
    return Target(call.table, call.key), call.key.partition("/")[0]


def _id_of(sent: Properties | None, parameter: str) -> str:
    key: Json = (sent or {}).get("id")
    if not key:
        raise BadRequest(f"{parameter}/id: The id must be given.")
    return str(key)


BEHAVIOURS = {
    f"{_SECURITY}estimateStatistics": Behaviour(_estimate, progress=_estimated),
    f"{_SECURITY}purgeData": Behaviour(_purge, progress=progress),
    f"{_SECURITY}exportReport": Behaviour(
        partial(_export_search, action="exportReport"), progress=_exported
    ),
    f"{_SECURITY}exportResult": Behaviour(
        partial(_export_search, action="exportResult"), progress=_exported
    ),
    f"{_SECURITY}addToReviewSet": Behaviour(_add_to_review_set, progress=progress),
    f"{_SECURITY}export": Behaviour(_export_review_set, progress=_exported),
    f"{_SECURITY}applyTags": Behaviour(_apply_tags, progress=progress),
}
