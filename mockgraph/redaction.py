"""What proves who somebody is, and is therefore kept nowhere: tokens, cookies, secrets."""

from __future__ import annotations

import re

_REDACTED = "***"
_HEADERS = (
    "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_PROXY_AUTHORIZATION",
    "HTTP_X_MOCKGRAPH_TOKEN",
    "HTTP_X_IDENTITY_HEADER",  # of a managed identity's App Service
)
_MEMBERS = re.compile(
    rb"(?i)((?:^|&)(?:client_secret|client_assertion|password|refresh_token|access_token|id_token"
    rb"|assertion|device_code|code|code_verifier)=)[^&]*"
)


def redact(variables: dict[str, str]) -> None:
    """Take what is secret out of the headers in a WSGI environment."""
    for name in _HEADERS:
        if name in variables:
            bearer = variables[name][:7].lower() == "bearer "
            variables[name] = f"Bearer {_REDACTED}" if bearer else _REDACTED


def masked(pairs: bytes) -> bytes:
    """A form or a query without the values that are secret."""
    return _MEMBERS.sub(rb"\g<1>***", pairs)


def shown(name: str, value: str) -> str:
    """An answer's header without what is secret in it."""
    return _REDACTED if name.lower() == "set-cookie" else value
