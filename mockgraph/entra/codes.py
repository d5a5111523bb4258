"""Authorization codes, refresh tokens and device codes: opaque to clients, kept until redeemed."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from hmac import compare_digest
from typing import Generic, NamedTuple, TypeVar

from mockgraph.clock import Clock
from mockgraph.entra.access_tokens import Grant
from mockgraph.entra.directory import App, Directory, SignInAuthority, User
from mockgraph.entra.oauth_errors import (
    BadDeviceCode,
    CodeRedeemed,
    DeviceDeclined,
    DevicePending,
    ExpiredDeviceCode,
)
from mockgraph.entra.scopes import RequestedScope
from mockgraph.errors import BadRequest, NotFound

# The lifetime of a device code, and the time between polls, in seconds. Entra says five; here
# nobody has to type the code.
DEVICE_CODE_LIFETIME = 900
POLLING_INTERVAL = 1
_MOST_DEVICES = 1000
# Letters and digits that cannot be mistaken for each other.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

_PENDING, _APPROVED, _DECLINED, _REDEEMED = "pending", "approved", "declined", "redeemed"

T = TypeVar("T")


class AuthorizationCode(NamedTuple):
    """The grant that a code stands for, and the values that redeeming it takes.

    ``challenge`` is that of PKCE with its method, None where the app sent none.
    """

    grant: Grant
    redirect_uri: str
    challenge: tuple[str, str] | None
    redeemed: bool = False


class RefreshToken(NamedTuple):
    """The grant that a refresh token renews, its number among all tokens, its time of issue."""

    grant: Grant
    number: int
    issued: str


class CodeStore(Generic[T]):
    """A bounded number of values, each under a random code. Safe under threads.

    ``lifetime`` is in seconds. Beyond ``most`` values the oldest is forgotten.
    """

    def __init__(self, clock: Clock, lifetime: float, most: int):
        self.lifetime = lifetime
        self._clock = clock
        self._most = most
        self._kept: dict[str, tuple[float, T]] = {}
        self._lock = threading.Lock()

    def issue(self, value: T, code: str | None = None) -> str:
        """Keep a value under a code, a new one where none is given; return the code."""
        code = code or secrets.token_urlsafe(48)
        expires = self._clock.now().timestamp() + self.lifetime
        with self._lock:
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[code] = (expires, value)
        return code

    def find(self, code: str) -> T | None:
        """Return the value of a code, expired or not; None for an unknown code."""
        with self._lock:
            kept = self._kept.get(code)
        return kept[1] if kept else None

    def is_expired(self, code: str) -> bool:
        """Tell whether a code has expired, or is unknown."""
        with self._lock:
            kept = self._kept.get(code)
        return kept is None or kept[0] <= self._clock.now().timestamp()

    def replace(self, code: str, change: Callable[[T], T]) -> T | None:
        """Change a value atomically; return the one before, None for an unknown code."""
        with self._lock:
            kept = self._kept.get(code)
            if kept is None:
                return None
            self._kept[code] = (kept[0], change(kept[1]))
            return kept[1]

    def clear(self) -> None:
        """Forget all values."""
        with self._lock:
            self._kept.clear()


class WaitingDevice(NamedTuple):
    """A device that waits for a sign-in (RFC 8628): what it requested, and what came of it."""

    code: str
    user_code: str
    app: App
    requested: RequestedScope
    authority: SignInAuthority
    user: User | None = None
    state: str = _PENDING
    polls: int = 0


class Devices:
    """The devices that wait for a sign-in, a bounded number of them. Safe under threads."""

    def __init__(self, clock: Clock):
        self._waiting: CodeStore[WaitingDevice] = CodeStore(
            clock, DEVICE_CODE_LIFETIME, _MOST_DEVICES
        )

    def add(self, app: App, requested: RequestedScope, authority: SignInAuthority) -> WaitingDevice:
        """Keep a new device with codes of its own."""
        user_code = "".join(secrets.choice(_ALPHABET) for _ in range(9))
        code = f"{user_code}.{secrets.token_urlsafe(48)}"
        device = WaitingDevice(code, user_code, app, requested, authority)
        self._waiting.issue(device, user_code)
        return device

    def poll(self, code: str, app: App, directory: Directory) -> WaitingDevice:
        """Return the device once it is approved; a second time is refused. Raises EntraError.

        The directory may say that a device is approved without a user.
        """
        user_code = code.partition(".")[0]
        device = self._waiting.find(user_code)
        if device is None or not compare_digest(device.code.encode(), code.encode()):
            raise BadDeviceCode
        if device.app.app_id != app.app_id:
            raise BadDeviceCode
        if self._waiting.is_expired(user_code):
            raise ExpiredDeviceCode

        def polled(before: WaitingDevice) -> WaitingDevice:
            now = _approved_without_user(before, directory)
            state = _REDEEMED if now.state == _APPROVED else now.state
            return now._replace(state=state, polls=before.polls + 1)

        before = self._waiting.replace(user_code, polled) or device
        device = _approved_without_user(before, directory)
        if device.state == _PENDING:
            raise DevicePending
        if device.state == _DECLINED:
            raise DeviceDeclined
        if device.state == _REDEEMED:
            raise CodeRedeemed
        return device

    def waiting(self, user_code: str) -> WaitingDevice:
        """Return the device with this user code, in any letter case. Raises NotFound."""
        code = user_code.strip().upper()
        device = self._waiting.find(code)
        if device is None or self._waiting.is_expired(code):
            raise NotFound(f"No device waits under the code '{user_code[:20]}'.")
        return device

    def approve(self, user_code: str, user: User) -> None:
        """Sign a device in. Raises NotFound, BadRequest where it was decided before."""
        self._decide(user_code, _APPROVED, user)

    def decline(self, user_code: str) -> None:
        """Refuse to sign a device in. Raises NotFound, BadRequest where it was decided before."""
        self._decide(user_code, _DECLINED, None)

    def clear(self) -> None:
        """Forget all devices."""
        self._waiting.clear()

    def _decide(self, user_code: str, state: str, user: User | None) -> None:
        device = self.waiting(user_code)

        def decided(before: WaitingDevice) -> WaitingDevice:
            if before.state != _PENDING:
                return before
            return before._replace(state=state, user=user)

        before = self._waiting.replace(device.user_code, decided)
        if before is None or before.state != _PENDING:
            raise BadRequest(f"The device under the code '{device.user_code}' was decided on.")


def _approved_without_user(device: WaitingDevice, directory: Directory) -> WaitingDevice:
    approval = directory.device_approval
    due = approval == "immediate" or (approval == "automatic" and device.polls > 0)
    if device.state != _PENDING or not due or directory.default_user is None:
        return device
    return device._replace(state=_APPROVED, user=directory.default_user)
