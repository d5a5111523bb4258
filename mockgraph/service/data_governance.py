"""Data security and governance: what a tenant's labels and policies have to say of content.

Pages "sensitivityLabel: computeInheritance", "computeRightsAndInheritance",
"tenantProtectionScopeContainer: compute" and "tenantDataSecurityAndGovernance:
processContentAsync". The labels are those of the state; policies have no place in the metadata, so
the tenant has none, and content is accepted without any action on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from mockgraph.errors import BadRequest, NotFound
from mockgraph.metadata.names import Properties
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity, split_key
from mockgraph.state.transactions import Transaction

LABELS = "security/dataSecurityAndGovernance/sensitivityLabels"

_GRAPH = "microsoft.graph."


def _inherited(transaction: Transaction, call: Invocation) -> Properties:
    """Return the label that what is made of content with these labels inherits. Raise 404."""
    return dict(_highest(transaction, call.parameters["labelIds"], "labelIds"))


def _rights_and_inheritance(transaction: Transaction, call: Invocation) -> Properties:
    """Return the labels of protected contents, and the one that is inherited. Raise 404."""
    contents = call.parameters["protectedContents"]
    if not contents:
        raise BadRequest("protectedContents: At least one content must be given.")
    keys = [content["labelId"] for content in contents]
    labels = {key: _label(transaction, key, "protectedContents") for key in keys}
    return {
        "contentRights": [
            {
                "cid": content["cid"],
                "format": content["format"],
                "label": dict(labels[content["labelId"]]),
            }
            for content in contents
        ],
        "inheritedLabel": dict(_highest(transaction, keys, "protectedContents")),
        "sensitivityLabels": [dict(label) for label in labels.values()],
    }


def _highest(transaction: Transaction, keys: list[str], parameter: str) -> Entity:
    """Return the label with the highest priority of several. Raise 400 and 404."""
    if not keys:
        raise BadRequest(f"{parameter}: At least one label must be given.")
    labels = [_label(transaction, key, parameter) for key in keys]
    return max(labels, key=lambda label: label["priority"] or 0)


def _label(transaction: Transaction, key: str, parameter: str) -> Entity:
    found = next((each for each in _labels(transaction) if split_key(each.key)[1] == key), None)
    if found is None:
        raise NotFound(f"{parameter}: No sensitivity label has the id '{key}'.")
    return found


def _labels(transaction: Transaction) -> Iterator[Entity]:
    """Give the labels of the tenant, and those below them at any depth."""
    table = LABELS
    while rows := transaction.rows(table):
        yield from rows.in_order
        table = f"{table}/sublabels"


def _protection_scopes(_: Transaction, __: Invocation) -> list[Properties]:
    """Return the scopes of the tenant's policies, of which there are none."""
    return []


def _process_content(_: Transaction, call: Invocation) -> Result:
    """Take content in to be processed; no policy has anything to do with it."""
    if not call.parameters["processContentRequests"]:
        raise BadRequest("processContentRequests: At least one request must be given.")
    return Result(status=204)


BEHAVIOURS = {
    f"{_GRAPH}computeInheritance": Behaviour(_inherited),
    f"{_GRAPH}computeRightsAndInheritance": Behaviour(_rights_and_inheritance),
    f"{_GRAPH}compute": Behaviour(_protection_scopes),
    f"{_GRAPH}processContentAsync": Behaviour(_process_content),
}
