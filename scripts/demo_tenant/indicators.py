"""The threat indicators that the tenant shares with its products."""

from __future__ import annotations

from dataclasses import dataclass

from demo_tenant import machines, network
from demo_tenant.machines import File
from demo_tenant.network import Address, Domain
from demo_tenant.world import TENANT_ID, Json, Properties, days_ago, digest, given, guid

_SIEM, _EDR = "Azure Sentinel", "Microsoft Defender ATP"


@dataclass(frozen=True)
class Campaign:
    """The common part of the indicators of one attack; ``age`` are the days since."""

    name: str
    age: int
    tlp: str = "amber"
    group: str | None = None
    tags: tuple[str, ...] = ()


_PORT = Campaign("exposed-port", 80, "green")
_LURE = Campaign("invoice-lure", 73, tags=("finance",))
_DOWNLOAD = Campaign("converter", 59, "green")
_SPRAY = Campaign("password-spray", 50, group="Gilded Heron")
_RANSOM = Campaign("ransomware", 2, "red", "Tin Cormorant", ("major-incident",))
_FEED = Campaign("feed", 120, "white", tags=("open-feed",))


def _indicator(
    campaign: Campaign,
    threat: str,
    description: str,
    observable: Properties,
    *,
    stage: str,
    days: int = 180,
    action: str = "block",
    severity: int = 3,
    product: str = _SIEM,
    active: bool = True,
    corner: str = "infrastructure",
    **more: Json,
) -> Properties:
    """An indicator that holds for some days from the day its campaign was seen."""
    (value,) = list(observable.values())[:1]
    external_id = f"TW-{campaign.name}-{digest('sha1', str(value))[:8]}"
    return given(
        id=guid("tiIndicator", external_id),
        action=action,
        activityGroupNames=[campaign.group] if campaign.group else [],
        azureTenantId=TENANT_ID,
        confidence=60 + severity * 8,
        description=description,
        diamondModel=corner,
        expirationDateTime=days_ago(campaign.age - days),
        externalId=external_id,
        ingestedDateTime=days_ago(campaign.age, 15),
        isActive=active,
        killChain=[stage],
        lastReportedDateTime=days_ago(campaign.age, 14),
        passiveOnly=action == "alert",
        severity=severity,
        tags=campaign.tags,
        targetProduct=product,
        threatType=threat,
        tlpLevel=campaign.tlp,
        **observable,
        **more,
    )


def _file(campaign: Campaign, file: File, threat: str = "Malware", **facets: Json) -> Properties:
    assert file.malware is not None
    family, _ = file.malware
    return _indicator(
        campaign,
        threat,
        f"{file.name}, a part of {family}.",
        {"fileHashValue": file.sha256, "fileHashType": "sha256"},
        stage=facets.pop("stage", "Installation"),
        product=_EDR,
        corner="capability",
        fileName=file.name,
        fileSize=file.size,
        fileType=file.kind,
        malwareFamilyNames=[family],
        **facets,
    )


def _address(campaign: Campaign, address: Address, threat: str, **facets: Json) -> Properties:
    name = "networkIPv6" if ":" in address.address else "networkIPv4"
    description = f"{address.category}: an address of {address.organization}."
    return _indicator(campaign, threat, description, {name: address.address}, **facets)


def _domain(campaign: Campaign, domain: Domain, threat: str, **facets: Json) -> Properties:
    description = f"{domain.category}: a domain of {domain.organization}."
    return _indicator(campaign, threat, description, {"domainName": domain.name}, **facets)


def _url(campaign: Campaign, url: str, threat: str, description: str, **facets: Json) -> Properties:
    return _indicator(campaign, threat, description, {"url": url}, **facets)


def indicators() -> list[Properties]:
    """The indicators, those of the oldest campaign first."""
    return [*_from_feeds(), *_from_port(), *_from_lure(), *_from_download(), *_from_later()]


def _from_feeds() -> list[Properties]:
    return [
        _indicator(
            _FEED,
            "Malware",
            "A hash from an open feed.",
            {"fileHashValue": digest("sha1", "feed sample"), "fileHashType": "sha1"},
            stage="Delivery",
            days=90,
            product=_EDR,
            corner="capability",
            active=False,
        ),
        _url(
            _FEED,
            "http://parcel-tracking.example/status.php",
            "MaliciousUrl",
            "A lure about a parcel.",
            stage="Delivery",
            days=60,
        ),
        _indicator(
            _FEED,
            "Botnet",
            "A network that bots reported to in spring.",
            {"networkCidrBlock": "203.0.113.128/27"},
            stage="C2",
            days=100,
            severity=2,
        ),
        _indicator(
            _FEED,
            "Phishing",
            "A sender of false parcel notes.",
            {
                "emailSenderAddress": "notice@parcel-tracking.example",
                "emailSubject": "Your parcel is waiting",
            },
            stage="Delivery",
            active=False,
        ),
        _address(
            _FEED,
            network.SURVEY,
            "WatchList",
            stage="Reconnaissance",
            action="allow",
            severity=0,
            days=365,
            knownFalsePositives="A yearly survey of the Internet; harmless.",
        ),
    ]


def _from_port() -> list[Properties]:
    return [
        _address(_PORT, network.BRUTE_A, "WatchList", stage="Delivery", days=60, networkPort=22),
        _address(_PORT, network.BRUTE_B, "WatchList", stage="Delivery", days=60, networkPort=22),
        _file(_PORT, machines.MINER, "CryptoMining", stage="Actions"),
        _domain(_PORT, network.MINING, "CryptoMining", stage="Actions", severity=2),
        _address(_PORT, network.POOL, "CryptoMining", stage="Actions", severity=2),
    ]


def _from_lure() -> list[Properties]:
    lure_url = f"https://{network.LURE.name}/remittance/0908"
    return [
        _domain(_LURE, network.LURE, "Phishing", stage="Delivery", severity=4),
        _url(_LURE, lure_url, "Phishing", "The copied sign-in page.", stage="Delivery", severity=4),
        _address(_LURE, network.LURE_HOST, "Phishing", stage="Delivery", days=45),
        _address(_LURE, network.LURE_LOGON, "WatchList", stage="Actions", days=45, action="alert"),
        _indicator(
            _LURE,
            "Phishing",
            "The sender of the lure.",
            {
                "emailSenderAddress": f"accounts@{network.LURE.name}",
                "emailSenderName": "Accounts",
                "emailSourceDomain": network.LURE.name,
                "emailSourceIpAddress": network.LURE_HOST.address,
                "emailSubject": "Overdue: remittance 0908 for your approval",
            },
            stage="Delivery",
            severity=4,
        ),
    ]


def _from_download() -> list[Properties]:
    return [
        _file(_DOWNLOAD, machines.CONVERTER, stage="Delivery"),
        _domain(_DOWNLOAD, network.CONVERT, "MaliciousUrl", stage="Delivery"),
        _url(
            _DOWNLOAD,
            f"http://{network.CONVERT.name}/get/QuickConvert-Setup.exe",
            "MaliciousUrl",
            "Where the converter was to be had.",
            stage="Delivery",
            active=False,
        ),
    ]


def _from_later() -> list[Properties]:
    beacon = f"https://{network.C2.name}/v2/check"
    return [
        _address(_SPRAY, network.SPRAY_A, "WatchList", stage="Delivery", severity=4),
        _address(_SPRAY, network.SPRAY_B, "WatchList", stage="Delivery", severity=4),
        _indicator(
            _SPRAY,
            "WatchList",
            "The network that the spray came from.",
            {"networkCidrBlock": "2001:db8:51:7::/64"},
            stage="Delivery",
            severity=4,
        ),
        _address(_SPRAY, network.ANONYMISER, "Proxy", stage="Actions", action="alert"),
        _file(_RANSOM, machines.RATES, stage="Delivery", severity=5),
        _file(_RANSOM, machines.UPDATER, severity=5),
        _file(_RANSOM, machines.DUMPER, stage="Actions", severity=4),
        _file(_RANSOM, machines.RELAY, severity=5),
        _domain(_RANSOM, network.C2, "C2", stage="C2", severity=5),
        _url(_RANSOM, beacon, "C2", "Where Quillmoth asks for orders.", stage="C2", severity=5),
        _address(_RANSOM, network.CONTROL, "C2", stage="C2", severity=5, networkPort=443),
        _address(_RANSOM, network.CONTROL_6, "C2", stage="C2", severity=5, networkPort=443),
    ]
