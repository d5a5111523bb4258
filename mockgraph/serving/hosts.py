"""Host names: those of Microsoft, those of this machine, and patterns of names."""

from __future__ import annotations

import ipaddress
import socket
from fnmatch import fnmatchcase
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Graph in each of Microsoft's clouds: page "National cloud deployments".
GRAPH_HOSTS = (
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
)

# Those that issue tokens: the authorities that MSAL knows, its regional ones, and the address of
# managed identities on Azure's machines.
SIGN_IN_HOSTS = (
    "login.microsoftonline.com",
    "login.microsoft.com",
    "*.login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "login.microsoftonline.us",
    "login.usgovcloudapi.net",
    "login-us.microsoftonline.com",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "169.254.169.254",
)


@lru_cache(maxsize=256)
def host_matches(host: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a host is one of these names, in which ``*`` stands for anything."""
    host = _plain(host)
    return any(fnmatchcase(host, _plain(pattern)) for pattern in patterns)


def is_local(host: str) -> bool:
    """Return whether a host is this machine, without asking a name server."""
    name = _plain(host)
    return name == "" or is_loopback(name) or name == _plain(socket.gethostname())


@lru_cache(maxsize=256)
def is_address(host: str) -> bool:
    """Return whether a host is an IP address."""
    return _address(host) is not None


@lru_cache(maxsize=256)
def is_loopback(name: str) -> bool:
    """Return whether a name, in lower case, is the loopback's: ``localhost``, ``127.0.0.1``."""
    address = _address(name)
    if address is None:
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _address(host: str) -> Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _plain(host: str) -> str:
    return host.lower().strip("[]").removesuffix(".")
