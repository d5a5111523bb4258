"""The parts of the demo tenant's telemetry: devices, users and events."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class DemoDevice:
    """A device: its id and name, its address within, and its system."""

    id: str
    name: str
    address: str
    system: str

    @classmethod
    def of(cls, evidence: Mapping[str, Any]) -> DemoDevice:
        """Return the device that evidence shows."""
        addresses = evidence.get("ipInterfaces") or [""]
        return cls(
            evidence.get("mdeDeviceId") or "",
            evidence.get("deviceDnsName") or "",
            addresses[0],
            (evidence.get("osPlatform") or "").replace(" ", ""),
        )

    @property
    def is_windows(self) -> bool:
        return self.system.startswith("Windows")


@dataclass(frozen=True)
class DemoUser:
    """A user: names, security id, id in the directory."""

    name: str
    principal: str
    display: str
    sid: str
    id: str

    @classmethod
    def of(cls, account: Mapping[str, Any]) -> DemoUser:
        """Return the user of a ``userAccount``."""
        return cls(
            account.get("accountName") or "",
            account.get("userPrincipalName") or "",
            account.get("displayName") or "",
            account.get("userSid") or "",
            account.get("azureAdUserId") or "",
        )


def event(moment: datetime, device: DemoDevice, user: DemoUser, action: str, **columns: Any) -> Row:
    """Return a row of one of the tables of devices."""
    row: Row = {
        "Timestamp": moment,
        "ActionType": action,
        "DeviceId": device.id,
        "DeviceName": device.name,
        "ReportId": int(digest(device.name, str(moment), action)[:12], 16),
    }
    if user.name:
        # The account that acts is in other columns where the table is of accounts itself.
        row["InitiatingProcessAccountName"] = user.name
        if action.startswith(("Process", "Logon")):
            row |= {"AccountName": user.name, "AccountSid": user.sid}
    return row | columns


def digest(*words: str) -> str:
    """Return a made-up hash: the same for the same words."""
    return hashlib.sha256("/".join(words).encode()).hexdigest()
