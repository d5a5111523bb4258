"""Redaction of credentials, which are kept nowhere: tokens, cookies, secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_REDACTED = "***"
_HEADERS = (
    "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_PROXY_AUTHORIZATION",
    "HTTP_X_MOCKGRAPH_TOKEN",
    "HTTP_SECRET",  # of a managed identity's App Service, until 2019
    "HTTP_X_IDENTITY_HEADER",  # and since
)
_MEMBERS = frozenset(
    {
        b"access_token",
        b"assertion",
        b"client_assertion",
        b"client_secret",
        b"code",
        b"code_verifier",
        b"device_code",
        b"id_token",
        b"id_token_hint",
        b"password",
        b"refresh_token",
        b"secret",
    }
)

# A member "Authorization" in JSON, up to the end of the text that is its value.
_ITEM_HEADER = re.compile(
    rb'("authorization"\s*:\s*"(?:bearer )?)(?:[^"\\]++|\\.?)*+("|\Z)', re.IGNORECASE | re.DOTALL
)


def redact(variables: dict[str, str]) -> None:
    """Take what is secret out of the headers in a WSGI environment."""
    for name in _HEADERS:
        if name in variables:
            bearer = variables[name][:7].lower() == "bearer "
            variables[name] = f"Bearer {_REDACTED}" if bearer else _REDACTED
    if "HTTP_REFERER" in variables:
        variables["HTTP_REFERER"] = masked_url(variables["HTTP_REFERER"])


def masked(pairs: bytes) -> bytes:
    """A form or a query without the values that are secret, however their names are written."""
    return b"&".join(map(_masked, pairs.split(b"&"))) if b"=" in pairs else pairs


def masked_batch(body: bytes) -> bytes:
    """The JSON of a batch, whose items have headers, without the tokens that they bear."""
    return _ITEM_HEADER.sub(rb"\1***\2", body)


def masked_url(url: str) -> str:
    """A URL without what is secret in its query and its fragment."""
    if "=" not in url:
        return url
    url, hash_mark, fragment = url.partition("#")
    url, question_mark, query = url.partition("?")
    return f"{url}{question_mark}{_masked_text(query)}{hash_mark}{_masked_text(fragment)}"


def shown(name: str, value: str) -> str:
    """An answer's header without what is secret in it."""
    match name.lower():
        case "set-cookie":
            return _REDACTED
        case "location":
            return masked_url(value)
    return value


def _masked(pair: bytes) -> bytes:
    name, equals, _ = pair.partition(b"=")
    is_secret = unquote_to_bytes(name).strip(b"+ ").lower() in _MEMBERS
    return name + equals + _REDACTED.encode() if equals and is_secret else pair


def _masked_text(pairs: str) -> str:
    return masked(pairs.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
