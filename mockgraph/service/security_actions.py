"""Security actions (`/securityActions`)."""

from __future__ import annotations

from mockgraph import metadata as edm
from mockgraph.errors import Conflict, NotFound
from mockgraph.metadata import (
    Collection,
    Complex,
    ComplexType,
    DateTimeOffset,
    EntityType,
    Enum,
    Enumeration,
    String,
)
from mockgraph.metadata.declarations import (
    Action,
    ActionResult,
    EntitySet,
    Permissions,
)
from mockgraph.metadata.names import Properties
from mockgraph.service.shared_types import ResultInfo, SecurityVendorInformation
from mockgraph.state.transactions import Transaction

_SET = "securityActions"
_TABLE = f"security/{_SET}"

# The status that Azure gives to what its client cancelled.
_CANCELLED = {"code": 499, "subcode": 0, "message": "The action was cancelled."}


class OperationStatus(Enumeration):
    """How far a security action has come."""

    NotStarted = 0
    Running = 1
    Completed = 2
    Failed = 3


_OVER = (OperationStatus.Completed.name, OperationStatus.Failed.name)


class KeyValuePair(ComplexType):
    """A named parameter of a security action."""

    name = String(nullable=False)
    value = String()


class SecurityActionState(ComplexType):
    """One past change of a security action."""

    appId = String()
    status = Enum(OperationStatus)
    updatedDateTime = DateTimeOffset()
    user = String()


class SecurityAction(EntityType):
    """An action that a provider is asked to take.

    ``completedDateTime``, ``lastActionDateTime``, ``status`` and ``states`` are not computed:
    providers write them through the same API, and the pages of ``localtest`` show them as they
    were sent.
    """

    is_open = True

    actionReason = String()
    appId = String()
    azureTenantId = String()
    clientContext = String()
    completedDateTime = DateTimeOffset()
    createdDateTime = DateTimeOffset(computed=True)
    errorInfo = Complex(ResultInfo)
    lastActionDateTime = DateTimeOffset()
    name = String()
    parameters = Collection(Complex(KeyValuePair))
    states = Collection(Complex(SecurityActionState))
    status = Enum(OperationStatus)
    user = String()
    vendorInformation = Complex(SecurityVendorInformation)


def _cancel(transaction: Transaction, key: str | None, _: Properties) -> ActionResult:
    action = transaction.get(_TABLE, key) if key else None
    if action is None or key is None:
        raise NotFound(f"No security action has the id '{key}'.")
    if action["status"] in _OVER:
        # The request is in order; it is the state of the action that forbids it.
        raise Conflict(f"The action cannot be cancelled: its status is '{action['status']}'.")
    # operationStatus has no member for cancelled: what will never complete has failed.
    now, status = transaction.now(), OperationStatus.Failed.name
    past = edm.whole(SecurityActionState, {"status": status, "updatedDateTime": now})
    changes = {
        "status": status,
        "lastActionDateTime": now,
        "states": [*action["states"], past],
        "errorInfo": edm.whole(ResultInfo, _CANCELLED),
    }
    transaction.update(_TABLE, key, changes)
    return ActionResult(204)


SECURITY_ACTIONS = EntitySet(
    name=_SET,
    type=SecurityAction,
    permissions=Permissions(
        read=("SecurityActions.Read.All", "SecurityActions.ReadWrite.All"),
        write=("SecurityActions.ReadWrite.All",),
    ),
    actions=(Action("cancelSecurityAction", _cancel, on_entity=True),),
)
