"""What an alert consists of: its enumerations and complex types."""

from __future__ import annotations

from mockgraph.metadata import (
    Boolean,
    Collection,
    Complex,
    ComplexType,
    DateTimeOffset,
    Enum,
    Enumeration,
    Int32,
    String,
)
from mockgraph.service.shared_types import FileHash, LogonType, UserAccountSecurityType


class AlertFeedback(Enumeration):
    """An analyst's verdict on an alert."""

    unknown = 0
    truePositive = 1
    falsePositive = 2
    benignPositive = 3
    unknownFutureValue = 127


class AlertSeverity(Enumeration):
    """How much an alert matters, as its provider judged it."""

    unknown = 0
    informational = 1
    low = 2
    medium = 3
    high = 4
    unknownFutureValue = 127


class AlertStatus(Enumeration):
    """Where an alert stands in its handling."""

    unknown = 0
    newAlert = 1
    inProgress = 2
    resolved = 3
    dismissed = 4
    unknownFutureValue = 127


class ConnectionDirection(Enumeration):
    """Which way a connection was opened."""

    unknown = 0
    inbound = 1
    outbound = 2
    unknownFutureValue = 127


class ConnectionStatus(Enumeration):
    """What became of a connection."""

    unknown = 0
    attempted = 1
    succeeded = 2
    blocked = 3
    failed = 4
    unknownFutureValue = 127


class EmailRole(Enumeration):
    """The part that a user had in an e-mail."""

    unknown = 0
    sender = 1
    recipient = 2
    unknownFutureValue = 127


class ProcessIntegrityLevel(Enumeration):
    """The integrity level that Windows gave a process."""

    unknown = 0
    untrusted = 1
    low = 2
    medium = 3
    high = 4
    system = 5
    unknownFutureValue = 127


class RegistryHive(Enumeration):
    """A hive of the Windows registry."""

    unknown = 0
    currentConfig = 1
    currentUser = 2
    localMachineSam = 3
    localMachineSecurity = 4
    localMachineSoftware = 5
    localMachineSystem = 6
    usersDefault = 7
    unknownFutureValue = 127


class RegistryOperation(Enumeration):
    """What was done to a registry key."""

    unknown = 0
    create = 1
    modify = 2
    delete = 3
    unknownFutureValue = 127


class RegistryValueType(Enumeration):
    """The type of a registry value."""

    unknown = 0
    binary = 1
    dword = 2
    dwordLittleEndian = 3
    dwordBigEndian = 4
    expandSz = 5
    link = 6
    multiSz = 7
    none = 8
    qword = 9
    qwordlittleEndian = 10
    sz = 11
    unknownFutureValue = 127


class SecurityNetworkProtocol(Enumeration):
    """A protocol, by its number as assigned by IANA or Winsock."""

    ip = 0
    icmp = 1
    igmp = 2
    ggp = 3
    ipv4 = 4
    tcp = 6
    pup = 12
    udp = 17
    idp = 22
    ipv6 = 41
    ipv6RoutingHeader = 43
    ipv6FragmentHeader = 44
    ipSecEncapsulatingSecurityPayload = 50
    ipSecAuthenticationHeader = 51
    icmpV6 = 58
    ipv6NoNextHeader = 59
    ipv6DestinationOptions = 60
    nd = 77
    raw = 255
    ipx = 1000
    spx = 1256
    spxII = 1257
    unknownFutureValue = 32767
    unknown = -1


class CloudAppSecurityState(ComplexType):
    """A cloud application that an alert is about."""

    destinationServiceIp = String()
    destinationServiceName = String()
    riskScore = String()


class FileSecurityState(ComplexType):
    """A file that an alert is about."""

    fileHash = Complex(FileHash)
    name = String()
    path = String()
    riskScore = String()


class AlertHistoryState(ComplexType):
    """One past change of an alert."""

    appId = String()
    assignedTo = String()
    comments = Collection(String())
    feedback = Enum(AlertFeedback)
    status = Enum(AlertStatus)
    updatedDateTime = DateTimeOffset()
    user = String()


class HostSecurityState(ComplexType):
    """A host that an alert is about."""

    fqdn = String()
    isAzureAdJoined = Boolean()
    isAzureAdRegistered = Boolean()
    isHybridAzureDomainJoined = Boolean()
    netBiosName = String()
    os = String()
    privateIpAddress = String()
    publicIpAddress = String()
    riskScore = String()


class NetworkConnection(ComplexType):
    """A connection that an alert is about."""

    applicationName = String()
    destinationAddress = String()
    destinationDomain = String()
    destinationPort = String()
    destinationUrl = String()
    direction = Enum(ConnectionDirection)
    domainRegisteredDateTime = DateTimeOffset()
    localDnsName = String()
    natDestinationAddress = String()
    natDestinationPort = String()
    natSourceAddress = String()
    natSourcePort = String()
    protocol = Enum(SecurityNetworkProtocol)
    riskScore = String()
    sourceAddress = String()
    sourcePort = String()
    status = Enum(ConnectionStatus)
    urlParameters = String()


class Process(ComplexType):
    """A process that an alert is about."""

    accountName = String()
    commandLine = String()
    createdDateTime = DateTimeOffset()
    fileHash = Complex(FileHash)
    integrityLevel = Enum(ProcessIntegrityLevel)
    isElevated = Boolean()
    name = String()
    parentProcessCreatedDateTime = DateTimeOffset()
    parentProcessId = Int32()
    parentProcessName = String()
    path = String()
    processId = Int32()


class RegistryKeyState(ComplexType):
    """A change of the registry that an alert is about."""

    hive = Enum(RegistryHive)
    key = String()
    oldKey = String()
    oldValueData = String()
    oldValueName = String()
    operation = Enum(RegistryOperation)
    processId = Int32()
    valueData = String()
    valueName = String()
    valueType = Enum(RegistryValueType)


class AlertTrigger(ComplexType):
    """A property that made a provider raise an alert."""

    name = String()
    type = String()
    value = String()


class UserSecurityState(ComplexType):
    """A user that an alert is about."""

    aadUserId = String()
    accountName = String()
    domainName = String()
    emailRole = Enum(EmailRole)
    isVpn = Boolean()
    logonDateTime = DateTimeOffset()
    logonId = String()
    logonIp = String()
    logonLocation = String()
    logonType = Enum(LogonType)
    onPremisesSecurityIdentifier = String()
    riskScore = String()
    userAccountType = Enum(UserAccountSecurityType)
    userPrincipalName = String()
