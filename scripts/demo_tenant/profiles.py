"""The profiles of the users, hosts, addresses, domains, files and applications."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from demo_tenant.machines import FILES, HOSTS, File, Host, join_state, malware_state
from demo_tenant.network import ADDRESSES, APPS, DOMAINS, Address, App, Domain
from demo_tenant.people import USERS, User
from demo_tenant.stories import alerts
from demo_tenant.world import (
    CLOUD_APPS,
    ENDPOINT,
    NETBIOS_DOMAIN,
    SENTINEL,
    SIGN_INS,
    SUBSCRIPTION_ID,
    TENANT_ID,
    Json,
    Properties,
    days_ago,
    digest,
    given,
    guid,
)

_YEAR_START = "2026-01-12T08:00:00Z"
_LAST_MORNING = days_ago(0, 8)


class Sightings:
    """When the alerts mentioned what, by the text that they mention it with."""

    def __init__(self) -> None:
        self._moments: defaultdict[str, list[str]] = defaultdict(list)
        self._groups: defaultdict[str, set[str]] = defaultdict(set)
        self._hosts: defaultdict[str, set[str]] = defaultdict(set)
        for alert in alerts():
            legacy = alert.legacy()
            for text in set(_texts(legacy)):
                self._moments[text].append(legacy["eventDateTime"])
                self._hosts[text].update(host["fqdn"] for host in alert.hosts)
                self._groups[text].update([alert.group] if alert.group else [])

    def count(self, text: str) -> int:
        return len(self._moments[text])

    def hosts(self, text: str) -> int:
        return len(self._hosts[text])

    def groups(self, text: str) -> list[str]:
        return sorted(self._groups[text])

    def first(self, text: str) -> str:
        return min(self._moments[text], default=_YEAR_START)

    def last(self, text: str) -> str:
        return max(self._moments[text], default=_LAST_MORNING)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def users() -> list[Properties]:
    seen = Sightings()
    return [_user(each, seen) for each in USERS]


def _user(user: User, seen: Sightings) -> Properties:
    last = seen.last(user.principal) if user.status == "suspended" else _LAST_MORNING
    account = {"displayName": user.name, "lastSeenDateTime": last, "riskScore": str(user.risk)}
    return {
        "id": user.id,
        "accounts": [
            {
                **account,
                "service": "Microsoft Entra ID",
                "signinName": user.principal,
                "status": user.status,
            },
            {
                **account,
                "service": "Active Directory",
                "signinName": f"{NETBIOS_DOMAIN}\\{user.account}",
                "status": user.status,
            },
        ],
        "azureTenantId": TENANT_ID,
        "createdDateTime": _YEAR_START,
        "displayName": user.name,
        "lastModifiedDateTime": seen.last(user.principal),
        "riskScore": str(user.risk),
        "tags": [user.job],
        "userPrincipalName": user.principal,
        "vendorInformation": SIGN_INS.information,
    }


def hosts() -> list[Properties]:
    return [_host(each) for each in HOSTS]


def _host(host: Host) -> Properties:
    hexes = digest("sha1", host.name)
    logons = [
        {
            "accountDomain": NETBIOS_DOMAIN,
            "accountName": user.account,
            "accountType": user.rights,
            "firstSeenDateTime": _YEAR_START,
            "lastSeenDateTime": _LAST_MORNING,
            "logonId": str(int(hexes[:5], 16) + user.rid),
            "logonTypes": ["interactive"] if host.role == "workstation" else ["network", "service"],
        }
        for user in host.users
    ]
    # 02 at the front: a locally administered address, which no maker assigns.
    mac = ":".join(["02", *(hexes[index : index + 2] for index in range(0, 10, 2))])
    neighbours = [each.id for each in HOSTS if each is not host and {*each.users} & {*host.users}]
    return given(
        id=host.id,
        azureSubscriptionId=SUBSCRIPTION_ID if host.role == "webServer" else None,
        azureTenantId=TENANT_ID,
        firstSeenDateTime=_YEAR_START,
        fqdn=host.fqdn,
        **join_state(host),
        lastSeenDateTime=_LAST_MORNING,
        logonUsers=logons,
        netBiosName=host.name,
        networkInterfaces=[
            {"description": "Ethernet", "ipV4Address": host.address, "macAddress": mac}
        ],
        os=host.system,
        osVersion=host.build,
        relatedHostIds=neighbours,
        riskScore=str(host.risk),
        tags=[host.role],
        vendorInformation=ENDPOINT.information,
    )


def addresses() -> list[Properties]:
    """The addresses on the Internet, then those of the hosts within."""
    seen = Sightings()
    inner = (
        Address(host.address, "", "", 0, "Tidewell AS", host.risk, "Internal") for host in HOSTS
    )
    return [_address(each, seen) for each in (*ADDRESSES, *inner)]


def _address(address: Address, seen: Sightings) -> Properties:
    text = address.address
    ours = address.organization.startswith("Tidewell")
    place = given(
        asn=address.asn or None,
        city=address.city or None,
        countryOrRegionCode=address.country or None,
        organization=address.organization,
        vendor=SENTINEL.vendor,
    )
    return given(
        id=guid("ipSecurityProfile", text),
        activityGroupNames=[] if ours else seen.groups(text),
        address=text,
        azureTenantId=TENANT_ID,
        countHits=seen.count(text),
        countHosts=seen.hosts(text),
        firstSeenDateTime=_YEAR_START if ours else seen.first(text),
        ipCategories=[{"name": address.category, "vendor": SENTINEL.vendor}],
        ipReferenceData=[place],
        lastSeenDateTime=_LAST_MORNING if ours else seen.last(text),
        riskScore=str(address.risk),
        tags=["own"] if ours else [],
        vendorInformation=SENTINEL.information,
    )


def domains() -> list[Properties]:
    seen = Sightings()
    return [_domain(each, seen) for each in DOMAINS]


def _domain(domain: Domain, seen: Sightings) -> Properties:
    return given(
        id=guid("domainSecurityProfile", domain.name),
        activityGroupNames=seen.groups(domain.name),
        azureTenantId=TENANT_ID,
        countHits=seen.count(domain.name),
        countInOrg=seen.hosts(domain.name),
        domainCategories=[{"name": domain.category, "vendor": SENTINEL.vendor}],
        domainRegisteredDateTime=domain.registered,
        firstSeenDateTime=seen.first(domain.name),
        lastSeenDateTime=seen.last(domain.name),
        name=domain.name,
        registrant={
            "countryOrRegionCode": domain.country,
            "organization": domain.organization,
            "url": f"https://whois.example/{domain.name}",
            "vendor": SENTINEL.vendor,
        },
        riskScore=str(domain.risk),
        vendorInformation=SENTINEL.information,
    )


def files() -> list[Properties]:
    seen = Sightings()
    return [_file(each, seen) for each in FILES]


def _file(file: File, seen: Sightings) -> Properties:
    algorithms = ("sha256", "sha1", "md5")
    return given(
        id=guid("fileSecurityProfile", file.name),
        activityGroupNames=seen.groups(file.sha256) if file.malware else [],
        azureTenantId=TENANT_ID,
        certificateThumbprint=digest("sha1", f"signer of {file.name}") if file.signed else None,
        extensions=[file.kind] if "." in file.name else [],
        fileType=file.kind,
        firstSeenDateTime=_YEAR_START if file.signed else seen.first(file.sha256),
        hashes=[{"hashType": each, "hashValue": digest(each, file.name)} for each in algorithms],
        lastSeenDateTime=seen.last(file.sha256),
        malwareStates=[malware_state(file, running=False)] if file.malware else [],
        names=[file.name],
        riskScore=str(file.risk),
        size=file.size,
        tags=["signed"] if file.signed else [],
        vendorInformation=ENDPOINT.information,
    )


def apps() -> list[Properties]:
    seen = Sightings()
    return [_app(each, seen) for each in APPS]


def _app(app: App, seen: Sightings) -> Properties:
    return {
        "id": guid("cloudAppSecurityProfile", app.service),
        "azureTenantId": TENANT_ID,
        "createdDateTime": _YEAR_START if app.sanctioned else seen.first(app.service),
        "destinationServiceName": app.service,
        "isSigned": app.sanctioned,
        "lastModifiedDateTime": seen.last(app.service),
        "manifest": app.permissions,
        "name": app.name,
        "permissionsRequired": app.asks,
        "platform": "Web",
        "policyName": "Approved applications" if app.sanctioned else "Unapproved applications",
        "publisher": app.publisher,
        "riskScore": str(app.risk),
        "tags": ["sanctioned" if app.sanctioned else "unsanctioned"],
        "type": app.kind,
        "vendorInformation": CLOUD_APPS.information,
    }
