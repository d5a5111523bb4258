"""Sign-in on a device without a browser: codes that are approved elsewhere (RFC 8628)."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import NamedTuple

from mockgraph.clock import Clock
from mockgraph.entra.directory import App, Directory, User
from mockgraph.entra.forms import Authority
from mockgraph.entra.scopes import Asked
from mockgraph.entra.sign_in_errors import (
    BadDeviceCode,
    CodeRedeemed,
    DeviceDeclined,
    DevicePending,
    ExpiredDeviceCode,
)
from mockgraph.entra.tickets import Tickets
from mockgraph.errors import BadRequest, NotFound

LIFETIME = 900
# Entra asks for polls five seconds apart; here nobody has to type the code.
INTERVAL = 1
_MOST = 1000
# Letters and digits that are not taken for one another.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

_PENDING, _APPROVED, _DECLINED, _REDEEMED = "pending", "approved", "declined", "redeemed"


class Device(NamedTuple):
    """A device that waits to be signed in: what it asked for, and what came of it."""

    code: str
    user_code: str
    app: App
    asked: Asked
    authority: Authority
    user: User | None = None
    state: str = _PENDING
    polls: int = 0


class Devices:
    """The devices that wait, a bounded number of them. Safe under threads."""

    def __init__(self, clock: Clock):
        self._waiting: Tickets[Device] = Tickets(clock, LIFETIME, _MOST)

    def add(self, app: App, asked: Asked, authority: Authority) -> Device:
        """A new device, with codes of its own."""
        user_code = "".join(secrets.choice(_ALPHABET) for _ in range(9))
        code = f"{user_code}.{secrets.token_urlsafe(48)}"
        device = Device(code, user_code, app, asked, authority)
        self._waiting.issue(device, user_code)
        return device

    def poll(self, code: str, app: App, directory: Directory) -> Device:
        """The device, once it is approved; that is told once. Raises EntraError.

        Where nobody does it, the directory may say that it is approved by itself.
        """
        user_code = code.partition(".")[0]
        device = self._waiting.find(user_code)
        if device is None or not compare_digest(device.code.encode(), code.encode()):
            raise BadDeviceCode
        if device.app.app_id != app.app_id:
            raise BadDeviceCode
        if self._waiting.expired(user_code):
            raise ExpiredDeviceCode

        def polled(before: Device) -> Device:
            now = _approved_by_itself(before, directory)
            state = _REDEEMED if now.state == _APPROVED else now.state
            return now._replace(state=state, polls=before.polls + 1)

        before = self._waiting.replace(user_code, polled) or device
        device = _approved_by_itself(before, directory)
        if device.state == _PENDING:
            raise DevicePending
        if device.state == _DECLINED:
            raise DeviceDeclined
        if device.state == _REDEEMED:
            raise CodeRedeemed
        return device

    def waiting(self, user_code: str) -> Device:
        """The device that waits under this code. Raises NotFound."""
        device = self._waiting.find(_read(user_code))
        if device is None or self._waiting.expired(_read(user_code)):
            raise NotFound(f"No device waits under the code '{user_code[:20]}'.")
        return device

    def approve(self, user_code: str, user: User) -> None:
        """Sign the device in. Raises NotFound, BadRequest where it was decided before."""
        self._decide(user_code, _APPROVED, user)

    def decline(self, user_code: str) -> None:
        """Do not sign the device in. Raises NotFound, BadRequest where it was decided before."""
        self._decide(user_code, _DECLINED, None)

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()

    def _decide(self, user_code: str, state: str, user: User | None) -> None:
        device = self.waiting(user_code)

        def decided(before: Device) -> Device:
            if before.state != _PENDING:
                return before
            return before._replace(state=state, user=user)

        before = self._waiting.replace(device.user_code, decided)
        if before is None or before.state != _PENDING:
            raise BadRequest(f"The device under the code '{device.user_code}' was decided on.")


def _approved_by_itself(device: Device, directory: Directory) -> Device:
    approval = directory.device_approval
    due = approval == "immediate" or (approval == "automatic" and device.polls > 0)
    if device.state != _PENDING or not due or directory.default_user is None:
        return device
    return device._replace(state=_APPROVED, user=directory.default_user)


def _read(user_code: str) -> str:
    """A code as people type it."""
    return user_code.strip().upper()
