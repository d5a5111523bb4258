"""The addresses, domains and cloud applications that the stories mention."""

from __future__ import annotations

from dataclasses import dataclass

from demo_tenant.machines import HEADQUARTERS, WAREHOUSE, Host
from demo_tenant.world import DOMAIN, Json, Properties, stamp


@dataclass(frozen=True)
class Address:
    """An address on the Internet: where it is and whose."""

    address: str
    city: str
    country: str
    asn: int
    organization: str
    risk: float
    category: str

    @property
    def place(self) -> str:
        return f"{self.city}, {self.country}"


OFFICE_EXIT = Address(HEADQUARTERS, "Bergen", "NO", 64496, "Tidewell AS", 0.0, "Corporate")
WAREHOUSE_EXIT = Address(WAREHOUSE, "Rotterdam", "NL", 64496, "Tidewell AS", 0.0, "Corporate")
VPN_EXIT = Address("192.0.2.20", "Amsterdam", "NL", 64496, "Tidewell AS", 0.0, "Corporate VPN")
WEB_FRONT = Address("192.0.2.80", "Amsterdam", "NL", 64497, "Tidewell web", 0.4, "Corporate")
LURE_HOST = Address("203.0.113.24", "Riga", "LV", 64499, "Amberline Hosting", 0.88, "Phishing")
LURE_LOGON = Address("203.0.113.45", "Lagos", "NG", 64500, "Palmway Mobile", 0.84, "Suspicious")
SPRAY_A = Address("2001:db8:51:7::1a", "Chisinau", "MD", 64501, "Nistru Cloud", 0.93, "Brute force")
SPRAY_B = Address("2001:db8:51:7::2b", "Chisinau", "MD", 64501, "Nistru Cloud", 0.93, "Brute force")
ANONYMISER = Address("198.51.100.88", "Zurich", "CH", 64502, "Veilnet", 0.79, "Anonymiser")
DOWNLOAD_HOST = Address("198.51.100.61", "Sofia", "BG", 64503, "Driftpack CDN", 0.7, "Malware")
CONTROL = Address("198.51.100.23", "Tallinn", "EE", 64504, "Slatepost Servers", 0.98, "C2")
CONTROL_6 = Address("2001:db8:a11:9::53", "Tallinn", "EE", 64504, "Slatepost Servers", 0.95, "C2")
BRUTE_A = Address("198.51.100.140", "Jakarta", "ID", 64505, "Selat Fibre", 0.9, "Brute force")
BRUTE_B = Address("198.51.100.141", "Jakarta", "ID", 64505, "Selat Fibre", 0.87, "Brute force")
POOL = Address("203.0.113.199", "Reykjavik", "IS", 64506, "Coinreef", 0.81, "Crypto mining")
STORAGE = Address("203.0.113.110", "Dublin", "IE", 64507, "Dropfold", 0.25, "File sharing")
SURVEY = Address("198.51.100.200", "Portland", "US", 64508, "Openwater Survey", 0.2, "Scanner")

ADDRESSES = (
    OFFICE_EXIT,
    WAREHOUSE_EXIT,
    VPN_EXIT,
    WEB_FRONT,
    LURE_HOST,
    LURE_LOGON,
    SPRAY_A,
    SPRAY_B,
    ANONYMISER,
    DOWNLOAD_HOST,
    CONTROL,
    CONTROL_6,
    BRUTE_A,
    BRUTE_B,
    POOL,
    STORAGE,
    SURVEY,
)
BY_ADDRESS = {each.address: each for each in ADDRESSES}


@dataclass(frozen=True)
class Domain:
    """A domain, and when it was registered."""

    name: str
    registered: str
    organization: str
    country: str
    category: str
    risk: float


LURE = Domain(
    "tidewell-invoices.example", "2026-09-03T11:20:00Z", "Private person", "LV", "Phishing", 0.96
)
CONVERT = Domain("quickconvert.example", "2026-08-19T06:45:00Z", "Driftpack", "BG", "Malware", 0.77)
C2 = Domain(
    "updates.slatepost.example",
    "2026-10-27T22:10:00Z",
    "Slatepost",
    "EE",
    "Command and control",
    0.98,
)
MINING = Domain(
    "pool.coinreef.example", "2024-02-11T00:00:00Z", "Coinreef", "IS", "Crypto mining", 0.8
)
DROPFOLD = Domain(
    "dropfold.example", "2017-05-30T00:00:00Z", "Dropfold Ltd", "IE", "File sharing", 0.25
)
MAILNOOK = Domain("mailnook.example", "2009-10-01T00:00:00Z", "Mailnook", "CH", "Web mail", 0.15)
HOME = Domain(DOMAIN, "2001-03-14T00:00:00Z", "Tidewell AS", "NO", "Business", 0.0)

DOMAINS = (LURE, CONVERT, C2, MINING, DROPFOLD, MAILNOOK, HOME)
BY_DOMAIN = {each.name: each for each in DOMAINS}


@dataclass(frozen=True)
class App:
    """A cloud application: ``asks`` is whose consent it takes."""

    name: str
    service: str
    publisher: str
    kind: str
    asks: str
    risk: float
    sanctioned: bool
    permissions: str


MAIL = App(
    "Tidewell mail", "Exchange Online", "Microsoft", "SaaS", "user", 0.05, True, "Mail.ReadWrite"
)
SHARED_FILES = App(
    "Tidewell files", "SharePoint Online", "Microsoft", "SaaS", "user", 0.05, True, "Files.Read.All"
)
CRM = App(
    "Harbourlight CRM", "Harbourlight", "Harbourlight Inc", "SaaS", "user", 0.3, True, "User.Read"
)
CONSENT_APP = App(
    "Mail Merge Pro+",
    "Microsoft Entra ID",
    "Unverified publisher",
    "OAuth",
    "administrator",
    0.92,
    False,
    "Mail.Read offline_access Files.Read.All",
)
STORAGE_APP = App(
    "Dropfold", "Dropfold", "Dropfold Ltd", "SaaS", "user", 0.4, False, "Files.Upload"
)

APPS = (MAIL, SHARED_FILES, CRM, CONSENT_APP, STORAGE_APP)
BY_SERVICE = {each.service: each for each in APPS}


def app_state(app: App, address: Address | None = None) -> Properties:
    """A cloud application as an alert mentions it."""
    state: Properties = {
        "destinationServiceName": app.service,
        "riskScore": str(app.risk),
    }
    return {"destinationServiceIp": address.address, **state} if address else state


def outbound(
    host: Host,
    to: Address,
    domain: Domain | None,
    port: int,
    *,
    source_port: int,
    url: str | None = None,
    status: str = "succeeded",
) -> Properties:
    """A connection that a host opened, through its site's address."""
    connection: Properties = {
        "applicationName": "HTTPS" if port == 443 else "HTTP" if port == 80 else "TCP",
        "destinationAddress": to.address,
        "destinationPort": str(port),
        "direction": "outbound",
        "natSourceAddress": host.public,
        "protocol": "tcp",
        "riskScore": str(to.risk),
        "sourceAddress": host.address,
        "sourcePort": str(source_port),
        "status": status,
    }
    if domain:
        connection["destinationDomain"] = domain.name
        connection["domainRegisteredDateTime"] = domain.registered
    return {**connection, "destinationUrl": url} if url else connection


def inbound(
    source: Address, host: Host, port: int, *, source_port: int, status: str = "succeeded"
) -> Properties:
    """A connection that somebody outside opened to a host."""
    return {
        "destinationAddress": host.public,
        "destinationPort": str(port),
        "direction": "inbound",
        "natDestinationAddress": host.address,
        "natDestinationPort": str(port),
        "protocol": "tcp",
        "riskScore": str(source.risk),
        "sourceAddress": source.address,
        "sourcePort": str(source_port),
        "status": status,
    }


def between(source: Host, target: Host, port: int, *, source_port: int) -> Properties:
    """A connection within the tenant."""
    return {
        "destinationAddress": target.address,
        "destinationPort": str(port),
        "direction": "outbound",
        "localDnsName": target.fqdn,
        "protocol": "tcp",
        "sourceAddress": source.address,
        "sourcePort": str(source_port),
        "status": "succeeded",
    }


def signed_in(address: Address, moment: str, kind: str = "network") -> Properties:
    """From where and when a user signed in, for ``user_state``."""
    seen: dict[str, Json] = {
        "isVpn": address.category == "Corporate VPN",
        "logonDateTime": stamp(moment),
        "logonIp": address.address,
        "logonLocation": address.place,
        "logonType": kind,
    }
    return seen
