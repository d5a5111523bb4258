"""An exchange of the journal as a command of curl, to be sent again from a terminal."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from mockgraph.testing.exchange import Exchange

# The connection's own, and what curl says by itself.
_LEFT_OUT = frozenset(
    ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent"]
)
_SAFE = "/:@!$&'()*+,;=~"


def as_curl(exchange: Exchange, origin: str) -> str:
    """Return the command that sends a request again, to a server at ``http://HOST:PORT``.

    A bearer token, which the journal does not keep, is ``$TOKEN``; other secrets are ``***``.
    """
    path, question, query = exchange.url.partition("?")
    url = shlex.quote(f"{origin}{quote(path, safe=_SAFE)}{question}{query}")
    method = "" if exchange.method == "GET" else f"-X {shlex.quote(exchange.method)} "
    parts = [f"curl {method}{url}"]
    for name, value in exchange.headers:
        if name.lower() in _LEFT_OUT:
            continue
        if name.lower() == "authorization":
            parts.append('-H "Authorization: Bearer $TOKEN"')
        else:
            parts.append(f"-H {shlex.quote(f'{name}: {value}')}")
    if exchange.body:
        parts.append(f"--data-raw {shlex.quote(exchange.text)}")
    return " \\\n  ".join(parts)
