"""Threat indicators (`/tiIndicators`)."""

from __future__ import annotations

from mockgraph.errors import BadRequest
from mockgraph.metadata import (
    Boolean,
    Collection,
    Complex,
    DateTimeOffset,
    EntityType,
    Enum,
    Enumeration,
    Int32,
    Int64,
    String,
)
from mockgraph.metadata.declarations import (
    Action,
    ActionResult,
    EntitySet,
    Permissions,
)
from mockgraph.metadata.names import Properties
from mockgraph.service.bulk import BulkParameters, answer, changes_by_key, failed, succeeded
from mockgraph.service.shared_types import FileHashType, ResultInfo
from mockgraph.state.transactions import Transaction

_SET = "tiIndicators"
_TABLE = f"security/{_SET}"

# Microsoft's page for the type: at most 100 in one submitTiIndicators.
_MOST_SUBMITTED = 100


class DiamondModel(Enumeration):
    """The corner of the Diamond Model that an indicator speaks of."""

    unknown = 0
    adversary = 1
    capability = 2
    infrastructure = 3
    victim = 4
    unknownFutureValue = 127


class TiAction(Enumeration):
    """What a product does where an indicator matches."""

    unknown = 0
    allow = 1
    block = 2
    alert = 3
    unknownFutureValue = 127


class TlpLevel(Enumeration):
    """How far an indicator may be passed on: the Traffic Light Protocol."""

    unknown = 0
    white = 1
    green = 2
    amber = 3
    red = 4
    unknownFutureValue = 127


class TiIndicator(EntityType):
    """A threat indicator that a tenant shares with its products.

    The service stamps ``ingestedDateTime``, says Microsoft's page; those of ``localtest`` leave
    only createdDateTime and lastModifiedDateTime to the service and show every other instant
    as it was sent, so it is not computed here.
    """

    is_open = True

    action = Enum(TiAction)
    activityGroupNames = Collection(String())
    additionalInformation = String()
    azureTenantId = String()
    confidence = Int32()
    description = String()
    diamondModel = Enum(DiamondModel)
    domainName = String()
    emailEncoding = String()
    emailLanguage = String()
    emailRecipient = String()
    emailSenderAddress = String()
    emailSenderName = String()
    emailSourceDomain = String()
    emailSourceIpAddress = String()
    emailSubject = String()
    emailXMailer = String()
    expirationDateTime = DateTimeOffset()
    externalId = String()
    fileCompileDateTime = DateTimeOffset()
    fileCreatedDateTime = DateTimeOffset()
    fileHashType = Enum(FileHashType)
    fileHashValue = String()
    fileMutexName = String()
    fileName = String()
    filePacker = String()
    filePath = String()
    fileSize = Int64()
    fileType = String()
    ingestedDateTime = DateTimeOffset()
    isActive = Boolean()
    killChain = Collection(String())
    knownFalsePositives = String()
    lastReportedDateTime = DateTimeOffset()
    malwareFamilyNames = Collection(String())
    networkCidrBlock = String()
    networkDestinationAsn = Int32()
    networkDestinationCidrBlock = String()
    networkDestinationIPv4 = String()
    networkDestinationIPv6 = String()
    networkDestinationPort = Int32()
    networkIPv4 = String()
    networkIPv6 = String()
    networkPort = Int32()
    networkProtocol = Int32()
    networkSourceAsn = Int32()
    networkSourceCidrBlock = String()
    networkSourceIPv4 = String()
    networkSourceIPv6 = String()
    networkSourcePort = Int32()
    passiveOnly = Boolean()
    severity = Int32()
    tags = Collection(String())
    targetProduct = String(nullable=False)
    threatType = String()
    tlpLevel = Enum(TlpLevel)
    url = String()
    userAgent = String()


class TiIndicatorsParameters(BulkParameters):
    """Indicators to create."""

    value = Collection(Complex(TiIndicator))


class TiIndicatorChangesParameters(BulkParameters):
    """Indicators to change, each with its id and what changes."""

    value = Collection(Complex(TiIndicator), partial=True)


class TiIndicatorKeysParameters(BulkParameters):
    """Ids, or external ids, of indicators to delete."""

    value = Collection(String())


def _submit(transaction: Transaction, _: str | None, parameters: Properties) -> ActionResult:
    indicators = parameters["value"]
    if len(indicators) > _MOST_SUBMITTED:
        raise BadRequest(f"value: At most {_MOST_SUBMITTED} indicators can be submitted at once.")
    results, created = [], []
    for indicator in indicators:
        key = indicator["id"]
        if key and transaction.get(_TABLE, key) is not None:
            results.append(failed(409, f"An indicator with the id '{key}' exists already."))
            continue
        created.append(transaction.create(_TABLE, indicator))
        results.append(succeeded())
    return answer(results, created)


def _update(transaction: Transaction, _: str | None, parameters: Properties) -> ActionResult:
    results, updated = [], []
    for key, changes in changes_by_key(parameters["value"]):
        if transaction.get(_TABLE, key) is None:
            results.append(_unknown("id", key))
            continue
        updated.append(transaction.update(_TABLE, key, changes))
        results.append(succeeded())
    return answer(results, updated)


def _delete(transaction: Transaction, _: str | None, parameters: Properties) -> ActionResult:
    results = []
    for key in parameters["value"]:
        if transaction.get(_TABLE, key) is None:
            results.append(_unknown("id", key))
            continue
        transaction.delete(_TABLE, key)
        results.append(succeeded())
    return answer(results, results)


def _delete_by_external_id(
    transaction: Transaction, _: str | None, parameters: Properties
) -> ActionResult:
    carriers: dict[str, list[str]] = {}
    for indicator in transaction.having(_TABLE, "externalId", set(parameters["value"])):
        carriers.setdefault(indicator["externalId"], []).append(indicator["id"])
    results = []
    for external_id in parameters["value"]:
        keys = carriers.pop(external_id, [])
        for key in keys:
            transaction.delete(_TABLE, key)
        results.append(succeeded() if keys else _unknown("externalId", external_id))
    return answer(results, results)


def _unknown(name: str, value: str) -> Properties:
    return failed(404, f"No indicator has the {name} '{value}'.")


TI_INDICATORS = EntitySet(
    name=_SET,
    type=TiIndicator,
    permissions=Permissions(
        read=("ThreatIndicators.ReadWrite.OwnedBy",),
        write=("ThreatIndicators.ReadWrite.OwnedBy",),
    ),
    actions=(
        Action(
            "submitTiIndicators",
            _submit,
            creates=True,
            parameters=TiIndicatorsParameters,
            returns=TiIndicator,
        ),
        Action(
            "updateTiIndicators",
            _update,
            parameters=TiIndicatorChangesParameters,
            returns=TiIndicator,
        ),
        Action(
            "deleteTiIndicators",
            _delete,
            parameters=TiIndicatorKeysParameters,
            returns=ResultInfo,
        ),
        Action(
            "deleteTiIndicatorsByExternalId",
            _delete_by_external_id,
            parameters=TiIndicatorKeysParameters,
            returns=ResultInfo,
        ),
    ),
)
