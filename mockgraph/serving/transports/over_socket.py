"""The patch of sockets: no call leaves the machine through a client that is not patched."""

from __future__ import annotations

import socket
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mockgraph.serving.hosts import is_address
from mockgraph.serving.transports.patches import Attempt, CallRefused

if TYPE_CHECKING:
    from mockgraph.serving.transports.patches import Patches

__tracebackhide__ = True  # pytest shows the frames of the client, not those in between

_INTERNET = (socket.AF_INET, socket.AF_INET6)


def patch(module: ModuleType, patches: Patches) -> None:
    """Refuse connections to other machines, and look-ups of their names."""
    for name in ("connect", "connect_ex", "sendto"):
        _guard_address(module.socket, name, patches)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        _guard_name(module, name, patches)


def _guard_address(owner: Any, name: str, patches: Patches) -> None:
    original = getattr(owner, name)

    def guarded(sock: Any, *args: Any) -> Any:
        address = args[-1] if args else None
        if sock.family in _INTERNET and isinstance(address, tuple) and len(address) >= 2:
            try:
                patches.check(_attempt(*address[:2]))
            except CallRefused:
                sock.close()  # its owner expects errors of the network only, and would not
                raise
        return original(sock, *args)

    patches.replace(owner, name, guarded)


def _guard_name(owner: Any, name: str, patches: Patches) -> None:
    original = getattr(owner, name)

    def guarded(host: Any, port: Any = None, *args: Any, **options: Any) -> Any:
        given = (host,) if port is None and not args else (host, port, *args)
        asked = _attempt(host, port)
        if is_address(asked.host):
            return original(*given, **options)
        patches.check(asked)
        found = original(*given, **options)
        patches.resolved(_addresses(found))
        return found

    patches.replace(owner, name, guarded)


def _attempt(host: Any, port: Any) -> Attempt:
    name = host.decode("latin-1") if isinstance(host, (bytes, bytearray)) else str(host or "")
    return Attempt(name, f"a call to {name} port {port}" if port else f"a call to {name}")


def _addresses(found: Any) -> list[str]:
    """Return the addresses in the result of any of socket's look-ups."""
    if isinstance(found, str):
        return [found]
    if isinstance(found, tuple):
        addresses: list[str] = found[2]
        return addresses
    return [entry[4][0] for entry in found]
