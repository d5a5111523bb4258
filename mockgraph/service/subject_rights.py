"""Subject rights requests: they go through their stages by the clock, to the final report.

Pages "subjectRightsRequest resource type" (its stages, and those of its example),
"subjectRightsRequest: getFinalReport" and "getFinalAttachment". On the live service people review
what was found; here each stage takes as long as other work that runs on, and finds nothing.
"""

from __future__ import annotations

import io
import zipfile

from mockgraph.errors import NotFound
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Behaviour, Invocation
from mockgraph.state.entities import Entity
from mockgraph.state.runs import FAILED, RUNNING, SUCCEEDED, Run
from mockgraph.state.transactions import Transaction

REQUESTS = "security/subjectRightsRequests"

_REQUEST = "microsoft.graph.subjectRightsRequest"
_STAGES = ("contentRetrieval", "contentReview", "generateReport", "caseResolved")
_DELETION = "contentDeletion"
# The status of a stage by that of its run.
_STATUSES = {RUNNING: "current", SUCCEEDED: "completed", FAILED: "failed"}
_ERROR = {"code": "InternalError", "message": "The stage failed."}
_NOTHING_FOUND = {
    "excludedItemCount": 0,
    "insightCounts": [],
    "itemCount": 0,
    "itemNeedReview": 0,
    "productItemCounts": [],
    "signedOffItemCount": 0,
    "totalItemSize": 0,
}


def _created(transaction: Transaction, call: Invocation) -> None:
    if call.before is not None or call.key is None:
        return
    names = [*_STAGES]
    if call.parameters["type"] == "delete":
        names.insert(2, _DELETION)
    stages = [{"stage": name, "status": "notStarted", "error": None} for name in names]
    transaction.compute(call.table, call.key, {"stages": stages})
    _run_stage(transaction, call.key, names[0])


def _run_stage(transaction: Transaction, key: str, stage: str) -> None:
    transaction.run(_REQUEST, REQUESTS, key, {"stage": stage})


def _progressed(transaction: Transaction, run: Run) -> None:
    request = transaction.get(REQUESTS, run.key)
    if request is None:
        return
    status, stage = _STATUSES[run.status], run.about["stage"]
    error = _ERROR if status == "failed" else None
    stages = [
        {**each, "status": status, "error": error} if each["stage"] == stage else each
        for each in request["stages"]
    ]
    event = {
        "changedBy": transaction.identity,
        "eventDateTime": transaction.now(),
        "stage": stage,
        "stageStatus": status,
        "type": "stageStatusChanged",
    }
    changes: dict[str, Json] = {"stages": stages, "history": [*request["history"], event]}
    if status == "completed":
        waiting = [each["stage"] for each in stages if each["status"] == "notStarted"]
        if stage == _STAGES[0]:
            changes["insight"] = _NOTHING_FOUND
        if waiting:
            _run_stage(transaction, run.key, waiting[0])
        else:
            changes["status"] = "closed"
    transaction.compute(REQUESTS, run.key, changes)


def _final_report(transaction: Transaction, call: Invocation) -> bytes:
    request = _reported(transaction, call)
    insight = request["insight"] or {}
    lines = [
        f"Subject rights request: {request['displayName'] or request['id']}",
        f"Type: {request['type']}",
        f"Created: {request['createdDateTime']}",
        f"Items included: {insight.get('itemCount', 0)}",
        f"Items excluded: {insight.get('excludedItemCount', 0)}",
    ]
    return "\r\n".join([*lines, ""]).encode()


def _final_attachment(transaction: Transaction, call: Invocation) -> bytes:
    """Return an archive of the files that were included: none, as the state holds none."""
    _reported(transaction, call)
    archive = io.BytesIO()
    zipfile.ZipFile(archive, "w").close()
    return archive.getvalue()


def _reported(transaction: Transaction, call: Invocation) -> Entity:
    """Return a request whose report is there. Raise 404."""
    request = transaction.get(call.table, call.key or "")
    if request is None or not _is_reported(request):
        raise NotFound("The final report of the subject rights request is not there yet.")
    return request


def _is_reported(request: Properties) -> bool:
    done = {each["stage"] for each in request["stages"] if each["status"] == "completed"}
    return "generateReport" in done or request["status"] == "closed"


BEHAVIOURS = {
    _REQUEST: Behaviour(_created, progress=_progressed),
    "microsoft.graph.getFinalReport": Behaviour(_final_report),
    "microsoft.graph.getFinalAttachment": Behaviour(_final_attachment),
}
