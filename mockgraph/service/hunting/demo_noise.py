"""A month of plain work on devices that nobody attacks: what detections must not find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from mockgraph.service.hunting.demo_world import DemoDevice, DemoUser, Row, digest, event

_DAYS = 30

_WINDOWS_PROCESSES = (
    ("chrome.exe", "chrome.exe --type=renderer --lang=en-GB", "explorer.exe"),
    ("msedge.exe", "msedge.exe --profile-directory=Default", "explorer.exe"),
    ("OUTLOOK.EXE", "OUTLOOK.EXE", "explorer.exe"),
    ("EXCEL.EXE", "EXCEL.EXE /dde", "explorer.exe"),
    ("Teams.exe", "Teams.exe --system-initiated", "explorer.exe"),
    ("svchost.exe", "svchost.exe -k netsvcs -p -s Schedule", "services.exe"),
    ("taskhostw.exe", "taskhostw.exe", "svchost.exe"),
    ("MsMpEng.exe", "MsMpEng.exe", "services.exe"),
    ("cmd.exe", "cmd.exe /c ver", "explorer.exe"),
    ("powershell.exe", "powershell.exe -File C:\\IT\\inventory.ps1", "svchost.exe"),
    ("conhost.exe", "conhost.exe 0x4", "cmd.exe"),
    ("OneDrive.exe", "OneDrive.exe /background", "explorer.exe"),
)
_LINUX_PROCESSES = (
    ("bash", "bash -c /usr/local/bin/backup-check", "cron"),
    ("sshd", "sshd: jonas [priv]", "sshd"),
    ("nginx", "nginx: worker process", "nginx"),
    ("apt", "apt update", "bash"),
    ("python3", "python3 /opt/scan/run.py --quiet", "cron"),
)
_SITES = (
    "outlook.office365.example",
    "login.microsoftonline.example",
    "intranet.tidewell.example",
    "updates.vendor.example",
    "news.example",
    "maps.example",
)
_SENDERS = (
    "rates@carrier.example",
    "orders@shipyard.example",
    "news@harbour.example",
    "invoices@steelworks.example",
)


def rows(
    devices: Sequence[DemoDevice], users: Sequence[DemoUser], end: datetime
) -> Iterator[tuple[str, Row]]:
    """Return what devices and users did in the thirty days before ``end``."""
    if not devices or not users:
        return
    chance = Random("noise")
    for back in range(_DAYS, 0, -1):
        day = end - timedelta(days=back)
        at_work = day.weekday() < 5
        for number, device in enumerate(devices):
            user = users[number % len(users)]
            yield from _device_day(device, user, day, at_work, chance)
        if at_work:
            for user in users:
                yield from _user_day(user, users, day, chance)


def _moment(day: datetime, chance: Random) -> datetime:
    return day + timedelta(
        seconds=chance.randint(7 * 3600, 18 * 3600), milliseconds=chance.randint(0, 999)
    )


def _device_day(
    device: DemoDevice, user: DemoUser, day: datetime, at_work: bool, chance: Random
) -> Iterator[tuple[str, Row]]:
    kinds = _WINDOWS_PROCESSES if device.is_windows else _LINUX_PROCESSES
    for _ in range(28 if at_work else 6):
        name, command, parent = chance.choice(kinds)
        yield (
            "DeviceProcessEvents",
            event(
                _moment(day, chance),
                device,
                user,
                "ProcessCreated",
                FileName=name,
                FolderPath=_folder(device, name),
                ProcessCommandLine=command,
                ProcessId=chance.randint(1000, 30000),
                SHA1=digest("sha1", name)[:40],
                SHA256=digest("sha256", name),
                ProcessVersionInfoOriginalFileName=name if device.is_windows else "",
                ProcessIntegrityLevel="Medium" if device.is_windows else "",
                InitiatingProcessFileName=parent,
                InitiatingProcessCommandLine=parent,
                InitiatingProcessId=chance.randint(500, 5000),
            ),
        )
    for _ in range(20 if at_work else 5):
        site = chance.choice(_SITES)
        yield (
            "DeviceNetworkEvents",
            event(
                _moment(day, chance),
                device,
                user,
                "ConnectionSuccess",
                RemoteUrl=site,
                RemoteIP=f"192.0.2.{100 + _SITES.index(site)}",
                RemoteIPType="Public",
                RemotePort=443,
                LocalIP=device.address,
                LocalPort=chance.randint(49152, 65535),
                Protocol="Tcp",
                InitiatingProcessFileName=chance.choice(
                    ("chrome.exe", "msedge.exe", "svchost.exe")
                ),
            ),
        )
    for _ in range(8 if at_work else 1):
        name = f"report-{chance.randint(1, 400)}.docx"
        yield (
            "DeviceFileEvents",
            event(
                _moment(day, chance),
                device,
                user,
                chance.choice(("FileCreated", "FileModified", "FileRenamed")),
                FileName=name,
                PreviousFileName=name,
                FolderPath=f"C:\\Users\\{user.name}\\Documents\\{name}",
                FileSize=chance.randint(10_000, 900_000),
                SHA256=digest(name),
                InitiatingProcessFileName="WINWORD.EXE",
            ),
        )
    yield (
        "DeviceLogonEvents",
        event(
            _moment(day, chance),
            device,
            user,
            "LogonSuccess",
            LogonType="Interactive",
            Protocol="Negotiate",
            IsLocalAdmin=False,
        ),
    )
    yield (
        "DeviceInfo",
        {
            "Timestamp": day,
            "DeviceId": device.id,
            "DeviceName": device.name,
            "OSPlatform": device.system,
            "DeviceType": "Server" if "Server" in device.system else "Workstation",
            "OnboardingStatus": "Onboarded",
        },
    )
    if at_work and device.is_windows:
        yield (
            "DeviceRegistryEvents",
            event(
                _moment(day, chance),
                device,
                user,
                "RegistryValueSet",
                RegistryKey="HKEY_CURRENT_USER\\Software\\Microsoft\\Office\\16.0\\Common",
                RegistryValueName="LastUse",
                RegistryValueData=str(chance.randint(1, 99)),
                InitiatingProcessFileName="OUTLOOK.EXE",
            ),
        )
        yield (
            "DeviceImageLoadEvents",
            event(
                _moment(day, chance),
                device,
                user,
                "ImageLoaded",
                FileName="kernel32.dll",
                FolderPath="C:\\Windows\\System32\\kernel32.dll",
                SHA1=digest("kernel32")[:40],
                InitiatingProcessFileName="svchost.exe",
            ),
        )
        query = f'{{"DnsQueryString":"{chance.choice(_SITES)}"}}'
        yield (
            "DeviceEvents",
            event(_moment(day, chance), device, user, "DnsQueryResponse", AdditionalFields=query),
        )


def _user_day(
    user: DemoUser, users: Sequence[DemoUser], day: datetime, chance: Random
) -> Iterator[tuple[str, Row]]:
    for _ in range(4):
        yield (
            "AADSignInEventsBeta",
            {
                "Timestamp": _moment(day, chance),
                "AccountUpn": user.principal,
                "AccountObjectId": user.id,
                "AccountDisplayName": user.display,
                "IPAddress": "192.0.2.10",
                "Country": "NL",
                "City": "Rotterdam",
                "ErrorCode": 0 if chance.random() > 0.03 else 50126,
                "Application": chance.choice(("Office 365 Exchange Online", "Microsoft Teams")),
                "LogonType": '["interactiveUser"]',
                "Browser": "Edge",
                "SessionId": digest(user.name, str(day))[:16],
            },
        )
    yield (
        "IdentityLogonEvents",
        {
            "Timestamp": _moment(day, chance),
            "ActionType": "LogonSuccess",
            "AccountUpn": user.principal,
            "AccountName": user.name,
            "Protocol": chance.choice(("Kerberos", "Kerberos", "Kerberos", "Ntlm")),
            "LogonType": "Network",
            "TargetDeviceName": "fs-02.corp.tidewell.example",
        },
    )
    for _ in range(3):
        yield from _mail(user, users, day, chance)
    for _ in range(3):
        yield (
            "CloudAppEvents",
            {
                "Timestamp": _moment(day, chance),
                "ActionType": chance.choice(("FileAccessed", "FileDownloaded", "FileUploaded")),
                "Application": "Microsoft SharePoint Online",
                "AccountObjectId": user.id,
                "AccountDisplayName": user.display,
                "ObjectName": f"Shared documents/{chance.randint(1, 80)}.xlsx",
                "IPAddress": "192.0.2.10",
                "CountryCode": "NL",
                "RawEventData": {"Operation": "FileAccessed"},
            },
        )


def _folder(device: DemoDevice, name: str) -> str:
    return f"C:\\Windows\\System32\\{name}" if device.is_windows else f"/usr/bin/{name}"


def _mail(
    user: DemoUser, users: Sequence[DemoUser], day: datetime, chance: Random
) -> Iterator[tuple[str, Row]]:
    """Return a mail to a user: from a colleague, or from those the company deals with."""
    outside = chance.random() < 0.4
    sender = chance.choice(_SENDERS) if outside else chance.choice(users).principal
    verdict = "Spam" if outside and chance.random() < 0.1 else ""
    mail = {
        "Timestamp": _moment(day, chance),
        "NetworkMessageId": digest(user.name, sender, str(chance.random()))[:32],
        "SenderFromAddress": sender,
        "RecipientEmailAddress": user.principal,
        "RecipientObjectId": user.id,
    }
    attached = chance.random() < 0.3
    told = {
        "Subject": chance.choice(("Minutes", "Rates of this week", "Lunch", "Re: drawings")),
        "SenderFromDomain": sender.partition("@")[2],
        "SenderMailFromAddress": sender,
        "SenderMailFromDomain": sender.partition("@")[2],
        "EmailDirection": "Inbound" if outside else "Intra-org",
        "ThreatTypes": verdict,
        "DeliveryAction": "Junked" if verdict else "Delivered",
        "DeliveryLocation": "Junk folder" if verdict else "Inbox/folder",
        "AttachmentCount": int(attached),
        "AuthenticationDetails": '{"SPF":"pass","DKIM":"pass","DMARC":"pass"}',
    }
    yield "EmailEvents", mail | told
    if attached:
        yield "EmailAttachmentInfo", mail | {"FileName": "minutes.pdf", "FileType": "pdf"}
