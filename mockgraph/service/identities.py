"""Defender for Identity: sensors, the candidates for them, and actions on accounts.

Pages "sensorCandidate: activate", "sensor: getDeploymentAccessKey", "regenerateDeploymentAccessKey"
and "getDeploymentPackageUri", "identityAccounts: invokeAction".
"""

from __future__ import annotations

import base64
import os

from mockgraph.errors import BadRequest, NotFound
from mockgraph.guids import new_guid
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.behaviours import Behaviour, Invocation, Result
from mockgraph.state.entities import Entity
from mockgraph.state.runs import RUNNING, Run
from mockgraph.state.transactions import Transaction

SENSORS = "security/identities/sensors"
CANDIDATES = "security/identities/sensorCandidates"

_SECURITY = "microsoft.graph.security."
_SENSOR = f"{_SECURITY}sensor"
_ACCESS_KEY = f"{_SECURITY}deploymentAccessKeyType"

# A package of the service's own (page "sensor: getDeploymentPackageUri" has such a version); the
# name leads nowhere (RFC 2606).
_VERSION = "2.239.18124.58593"
_PACKAGE = {"downloadUrl": f"https://sensor.example/{_VERSION}/setup.zip", "version": _VERSION}

# Page "identityAccounts: invokeAction", the providers that each action is for. The last two are in
# the metadata beyond it, for accounts of the provider that has such things.
_PROVIDERS = {
    "disable": ("activeDirectory", "okta"),
    "enable": ("activeDirectory", "okta"),
    "forcePasswordReset": ("activeDirectory",),
    "revokeAllSessions": ("okta",),
    "requireUserToSignInAgain": ("entraID",),
    "markUserAsCompromised": ("entraID",),
}
_OPPOSITE = {"disable": "enable", "enable": "disable"}


# -- sensors ---------------------------------------------------------------------------------------


def activate_sensors(transaction: Transaction, call: Invocation) -> Result:
    """Make sensors of candidates, which take up their work by the clock. Raise 404."""
    candidates = [_candidate(transaction, each) for each in dict.fromkeys(_server_ids(call))]
    for candidate in candidates:
        transaction.delete(CANDIDATES, candidate.key)
        sensor = transaction.create(SENSORS, _sensor_of(candidate))
        transaction.run(_SENSOR, SENSORS, sensor.key)
    return Result(status=200)


def _server_ids(call: Invocation) -> list[str]:
    ids: list[str] = call.parameters["serverIds"]
    if not ids:
        raise BadRequest("serverIds: At least one server must be named.")
    return ids


def _candidate(transaction: Transaction, key: str) -> Entity:
    candidate = transaction.get(CANDIDATES, key)
    if candidate is None:
        raise NotFound(f"No sensor candidate has the id '{key}'.")
    return candidate


def _sensor_of(candidate: Properties) -> Properties:
    name: str = candidate["computerDnsName"] or ""
    return {
        "id": candidate["id"],
        "displayName": name.partition(".")[0],
        "domainName": candidate["domainName"] or name.partition(".")[2],
        "sensorType": "domainControllerIntegrated",
        "deploymentStatus": "syncing",
        "serviceStatus": "onboarding",
        "healthStatus": "healthy",
        "openHealthIssuesCount": 0,
        "version": candidate["senseClientVersion"] or _VERSION,
        "settings": {
            "description": "",
            "domainControllerDnsNames": [name] if name else [],
            "isDelayedDeploymentEnabled": False,
        },
    }


def _onboarded(transaction: Transaction, run: Run) -> None:
    if run.status == RUNNING:
        status = {"deploymentStatus": "updating", "serviceStatus": "starting"}
    elif run.has_succeeded:
        status = {"deploymentStatus": "upToDate", "serviceStatus": "running"}
    else:
        status = {"deploymentStatus": "startFailure", "serviceStatus": "stopped"}
    transaction.compute(SENSORS, run.key, status)


def _access_key(transaction: Transaction, _: Invocation) -> Properties:
    return transaction.kept(_ACCESS_KEY) or _new_access_key(transaction)


def _regenerate(transaction: Transaction, _: Invocation) -> Properties:
    return _new_access_key(transaction)


def _new_access_key(transaction: Transaction) -> Properties:
    key = {"deploymentAccessKey": base64.b64encode(os.urandom(64)).decode()}
    transaction.keep(_ACCESS_KEY, key)
    return key


def _package(_: Transaction, __: Invocation) -> Properties:
    return dict(_PACKAGE)


# -- accounts --------------------------------------------------------------------------------------


def _invoke(transaction: Transaction, call: Invocation) -> Properties:
    """Do an action on one of the accounts of an identity. Raise 400 and 404."""
    action, provider = call.parameters["action"], call.parameters["identityProvider"]
    account_id = call.parameters["accountId"]
    identity = transaction.get(call.table, call.key or "")
    if identity is None:
        raise NotFound(f"No identity has the id '{call.key}'.")
    if provider not in _PROVIDERS.get(action, ()):
        raise BadRequest(f"action: '{action}' is not supported for accounts of '{provider}'.")
    accounts: list[dict[str, Json]] = identity["accounts"]
    account = next((each for each in accounts if _is(each, account_id, provider)), None)
    if account is None:
        raise NotFound(f"The identity has no account '{account_id}' of '{provider}'.")
    if account["actions"] and action not in account["actions"]:
        raise BadRequest(f"action: '{action}' is not available for the account '{account_id}'.")
    if action in _OPPOSITE:
        left = [_OPPOSITE[action] if each == action else each for each in account["actions"]]
        after = [{**each, "actions": left} if each is account else each for each in accounts]
        changes = {"accounts": after, "isEnabled": action == "enable"}
        transaction.compute(call.table, identity.key, changes)
    return {
        "accountId": account_id,
        "action": action,
        "correlationId": new_guid(),
        "identityProvider": provider,
    }


def _is(account: Properties, identifier: str, provider: str) -> bool:
    return (account["identifier"], account["identityProvider"]) == (identifier, provider)


BEHAVIOURS = {
    _SENSOR: Behaviour(lambda *_: None, progress=_onboarded),
    f"{_SECURITY}getDeploymentAccessKey": Behaviour(_access_key),
    f"{_SECURITY}regenerateDeploymentAccessKey": Behaviour(_regenerate),
    f"{_SECURITY}getDeploymentPackageUri": Behaviour(_package),
    f"{_SECURITY}invokeAction": Behaviour(_invoke),
}
