"""Redaction of credentials, which are shown nowhere: tokens, cookies, secrets.

There is one list of names, for headers, query options, members of forms and of JSON alike,
however they are written: letter case, ``-`` for ``_``, percent-encoding, escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

_REDACTED = "***"

# Names in small letters with "_": the whole of one, or what it ends with behind "_".
_SECRET = re.compile(
    r"(?:.*_)?(?:token|secret|password|passwd|pwd|assertion|signature|sig|cookie|api_?key"
    r"|functions_key|authorization(?:_auxiliary)?|identity_header|subscription_key|access_?key|id_token_hint"
    r"|code_verifier|device_code|credentials?)"
    r"|(?:access|auth|refresh|id|bearer|session|sas|security)token|client_?secret|set_cookie2?"
)
# In queries and forms alone: in JSON an error has a code, which is no secret.
_OF_PARAMETERS = frozenset({"code"})
# Headers whose values are URLs.
_OF_URLS = ("HTTP_REFERER", "HTTP_ORIGIN")

# What is in each name of a secret, in small letters, as the texts are that are searched for it.
_WORDS = rb"token|secret|passw|pwd|assertion|sig|cookie|key|authorization|identity|code|cred"
# Whether a body may hold a secret at all, escaped names included.
_MAYBE = re.compile(_WORDS + rb"|bearer|\\u|%|@")
# Whether pairs may: as it is written, or where letters of a name are percent-encoded, or are of
# Unicode, which has one more letter that is a small ``k`` (U+212A).
_MAYBE_PAIRS = re.compile(_WORDS + rb"|%[46][1-9a-f]|%[57][0-9a]|%e2|\xe2")
_BEARER = re.compile(rb"\b(bearer\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
# A member of JSON whose value is a text, up to the end of that, or of what there is.
_MEMBER = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:\s*+)"((?:[^"\\]++|\\.?)*+)("|\Z)', re.DOTALL)
_SEPARATOR = re.compile(rb"([&;])")  # of pairs, the latter in older forms and in URLs by hand
# Where the query of a URL begins, be it percent-encoded by mistake.
_QUERY = re.compile(r"\?|%3f", re.IGNORECASE)
_PART = re.compile(
    rb"""\bname\s*=\s*"?([^"\r\n;]*)"?[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n""", re.IGNORECASE
)
_USER_INFO = re.compile(r"(?:^|(?<=[\s\"'(<]))([a-z][a-z0-9+.-]*:)?//[^/?#\s]*@", re.IGNORECASE)
# That of an authority alone, as CONNECT has it, and as what began with "//" is kept.
_BARE_USER_INFO = re.compile(r"(/?)[^/?#\s:@]*:[^/?#\s]*@")


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    """Return whether the value of this name is secret, in whatever it stands."""
    return _SECRET.fullmatch(name.strip().lower().replace("-", "_")) is not None


def is_guarded(variable: str) -> bool:
    """Return whether something may be secret in this variable of a WSGI environment, a header."""
    return variable in _OF_URLS or is_secret(variable.removeprefix("HTTP_"))


def redacted(environ: Mapping[str, Any], guarded: Iterable[str]) -> list[str]:
    """Return guarded variables of a WSGI environment in turn, without what is secret in them."""
    return [_redacted(name, str(environ[name])) for name in guarded]


def _redacted(variable: str, value: str) -> str:
    return masked_url(value) if variable in _OF_URLS else masked_credentials(value)


def masked_credentials(value: str) -> str:
    """Return the value of a header that is secret without all but its scheme, ``Bearer``."""
    return f"Bearer {_REDACTED}" if value[:7].lower() == "bearer " else _REDACTED


def masked_pairs(pairs: bytes) -> bytes:
    """Return a form or a query without what is secret, however the names are written."""
    if b"=" not in pairs or _MAYBE_PAIRS.search(pairs.lower()) is None:
        return pairs
    return b"".join(map(_masked, _SEPARATOR.split(pairs)))


def masked_body(body: bytes) -> bytes:
    """Return a body without its secrets: of JSON, broken or whole, a form, or one of many parts.

    What it is is seen by itself: what a client says of it need not be so.
    """
    if _MAYBE.search(body.lower()) is None:
        return body
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"[", b'"'):
        return _masked_json(body)
    if b"form-data" in body:
        body = _masked_parts(body)
    return _BEARER.sub(rb"\1***", masked_pairs(body))


def masked_url(url: str) -> str:
    """Return a URL without the user, and without what is secret in its query and its fragment."""
    if "@" in url:
        url = _USER_INFO.sub(rf"\1//{_REDACTED}@", url)
        if bare := _BARE_USER_INFO.match(url):
            url = f"{bare[1]}{_REDACTED}@{url[bare.end() :]}"
    if "=" not in url:
        return url
    url, hash_mark, fragment = url.partition("#")
    if begin := _QUERY.search(url):
        url = url[: begin.end()] + _masked_text(url[begin.end() :])
    return f"{url}{hash_mark}{_masked_text(fragment)}"


def shown_header(name: str, value: str) -> str:
    """Return an answer's header without what is secret in it."""
    if is_secret(name):
        return _REDACTED
    return masked_url(value) if name.lower() in ("location", "content-location") else value


@lru_cache(maxsize=1024)
def _is_secret_parameter(name: bytes) -> bool:
    text = unquote_to_bytes(name).decode(errors="replace").strip("+ ").lower()
    return text in _OF_PARAMETERS or is_secret(text)


def _masked(pair: bytes) -> bytes:
    name, equals, _ = pair.partition(b"=")
    return name + equals + _REDACTED.encode() if equals and _is_secret_parameter(name) else pair


def _masked_text(pairs: str) -> str:
    return masked_pairs(pairs.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")


def _masked_parts(body: bytes) -> bytes:
    """A body of many parts (RFC 7578) without the contents of those whose names are secret."""
    kept, at = [], 0
    for found in _PART.finditer(body):
        if found.start() < at or not _is_secret_parameter(found[1]):
            continue
        end = body.find(b"\r\n--", found.end())
        kept += [body[at : found.end()], _REDACTED.encode()]
        at = len(body) if end < 0 else end
    return b"".join([*kept, body[at:]])


def _masked_json(body: bytes) -> bytes:
    """JSON, which need not be whole, as it was written but for what is secret."""
    text = _BEARER.sub(rb"\1***", _MEMBER.sub(_masked_member, body))
    # Secrets that are no texts, or of which a member beside them tells that they are.
    with suppress(orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        value = orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
        return orjson.dumps(_without_secrets(value)) if _has_secrets(value) else text
    return text


def _masked_member(found: re.Match[bytes]) -> bytes:
    name, gap, value, end = found.groups()
    if is_secret(_unescaped(name)):
        value = b"Bearer ***" if value[:7].lower() == b"bearer " else b"***"
    elif b"=" in value or b"@" in value:
        url = value.decode("utf-8", "surrogateescape")
        masked_value = masked_url(url) if "?" in url or "://" in url else _masked_pairs(url)
        value = masked_value.encode("utf-8", "surrogateescape")
    return b'"%b"%b"%b%b' % (name, gap, value, end)


def _masked_pairs(text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    return masked_pairs(data).decode("utf-8", "surrogateescape")


def _unescaped(name: bytes) -> str:
    if b"\\" in name:
        with suppress(orjson.JSONDecodeError):
            name = str(orjson.loads(b'"%b"' % name)).encode(errors="replace")
    return name.decode(errors="replace")


def _is_secret_member(name: str, value: Any, beside: Mapping[str, Any]) -> bool:
    if value is None or value in (_REDACTED, f"Bearer {_REDACTED}") or isinstance(value, bool):
        return False
    return is_secret(name) or (name.lower() in _OF_PARAMETERS and "grant_type" in beside)


def _has_secrets(value: Any) -> bool:
    if isinstance(value, dict):
        return any(
            _is_secret_member(name, each, value) or _has_secrets(each)
            for name, each in value.items()
        )
    return isinstance(value, list) and any(map(_has_secrets, value))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _REDACTED if _is_secret_member(name, each, value) else _without_secrets(each)
            for name, each in value.items()
        }
    return list(map(_without_secrets, value)) if isinstance(value, list) else value
