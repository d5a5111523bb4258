"""Complex types and enumerations of microsoft.graph that several families share."""

from __future__ import annotations

from mockgraph.metadata import Boolean, ComplexType, Enum, Enumeration, Int32, String


class FileHashType(Enumeration):
    """The algorithm of a file hash."""

    unknown = 0
    sha1 = 1
    sha256 = 2
    md5 = 3
    authenticodeHash256 = 4
    lsHash = 5
    ctph = 6
    unknownFutureValue = 127


class LogonType(Enumeration):
    """How a user signed in to a host."""

    unknown = 0
    interactive = 1
    remoteInteractive = 2
    network = 3
    batch = 4
    service = 5
    unknownFutureValue = 127


class UserAccountSecurityType(Enumeration):
    """The rights of a user account on a host."""

    unknown = 0
    standard = 1
    power = 2
    administrator = 3
    unknownFutureValue = 127


class FileHash(ComplexType):
    """A hash of a file, and its algorithm."""

    hashType = Enum(FileHashType)
    hashValue = String()


class MalwareState(ComplexType):
    """Malware that was found."""

    category = String()
    family = String()
    name = String()
    severity = String()
    wasRunning = Boolean()


class SecurityVendorInformation(ComplexType):
    """The vendor and the product that something comes from."""

    provider = String()
    providerVersion = String()
    subProvider = String()
    vendor = String()


class VulnerabilityState(ComplexType):
    """A vulnerability that was found."""

    cve = String()
    severity = String()
    wasRunning = Boolean()


class ResultInfo(ComplexType):
    """What came of one part of an operation: code 0 is success."""

    code = Int32(nullable=False)
    subcode = Int32(nullable=False)
    message = String()

    @classmethod
    def edm_name(cls) -> str:
        # The one type of the metadata with a capital.
        return "ResultInfo"
