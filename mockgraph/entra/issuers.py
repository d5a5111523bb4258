"""The names that tokens are issued under."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

from mockgraph.errors import BadRequest

# Where Entra itself issues tokens; its tokens of version 1 bear another name.
MICROSOFT = "https://login.microsoftonline.com/"
_MICROSOFT_V1 = "https://sts.windows.net/"
_MOST = 1000
_NO_AUTHORITY = "An authority is a URL, such as https://localhost:8366/contoso.example."


def issuer_of(root: str, tenant: str, version: int) -> str:
    """The ``iss`` of a tenant's tokens; ``root`` is the URL, with its slash, it is reached at."""
    if version == 2:
        return f"{root}{tenant}/v2.0"
    return f"{_MICROSOFT_V1 if root == MICROSOFT else root}{tenant}/"


def split_authority(url: str) -> tuple[str, str | None]:
    """The root and the tenant, if any, of an authority, written as clients are given it:
    ``https://localhost:8366/contoso.example``. Raises BadRequest."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadRequest(_NO_AUTHORITY) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise BadRequest(_NO_AUTHORITY)
    above, _, tenant = parts.path.rstrip("/").rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{above}/", tenant or None


class Issuers:
    """The roots that tokens were issued under: a token of any other is none of ours.

    One server is reached by several names. Safe under threads.
    """

    def __init__(self) -> None:
        self._roots: dict[str, None] = {}
        self._lock = threading.Lock()

    def add(self, root: str) -> None:
        """Remember a root; of very many, the oldest are forgotten."""
        with self._lock:
            self._roots.pop(root, None)
            self._roots[root] = None
            if len(self._roots) > _MOST:
                del self._roots[next(iter(self._roots))]

    def know(self, issuer: str, tenant: str) -> bool:
        """Whether this is the issuer of a tenant, in either form, under one of the roots."""
        version = 2 if issuer.endswith("/v2.0") else 1
        root = issuer.removesuffix("v2.0").removesuffix(f"{tenant}/")
        root = MICROSOFT if root == _MICROSOFT_V1 else root
        return root in self._roots and issuer == issuer_of(root, tenant, version)
