"""Documented HTTP messages: requests and responses as the pages print them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mockgraph.metadata.names import Json
from mockgraph.pages.tolerant_json import read_printed_json

Headers = tuple[tuple[str, str], ...]

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)")
_STATUS = re.compile(r"[1-5][0-9][0-9]")
_ORIGIN = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


@dataclass(frozen=True, kw_only=True)
class Message:
    """The base of requests and responses; ``body`` is the text as printed, with LF line ends."""

    headers: Headers = ()
    body: str | None = None

    def header(self, name: str) -> str | None:
        """Return the first header of this name, in whatever case the page spells it."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def content(self) -> bytes:
        """The body as the pages count it for ``Content-Length``: UTF-8 with CRLF line ends."""
        return (self.body or "").replace("\n", "\r\n").encode()

    def json(self) -> Json:
        """Return the body parsed, None without one. Raises MockGraphError where it is no JSON."""
        return None if self.body is None else parse_json(self.body)

    def faults(self) -> tuple[str, ...]:
        """Return the faults of the body as JSON, where it can be read all the same."""
        return () if self.body is None else read_printed_json(self.body)[1]


@dataclass(frozen=True, kw_only=True)
class DocumentedRequest(Message):
    """A documented request; ``url`` as printed, absolute or relative."""

    method: str
    url: str

    @property
    def target(self) -> str:
        """The URL without scheme and host: ``/localtest/Security?$select=id``."""
        target = _ORIGIN.sub("", self.url)
        return target if target.startswith("/") else f"/{target}"


@dataclass(frozen=True, kw_only=True)
class DocumentedResponse(Message):
    """A documented response; ``type_name`` is that of an item where it is a collection."""

    status: int
    reason: str = ""
    truncated: bool = False
    type_name: str | None = None
    is_collection: bool = False

    def unwrapped(self) -> Json:
        """Return the body parsed, without the ``value`` that pages wrap around one object.

        The live service answers the bare object. A ``value`` that is an array, or that has
        properties beside it, is no wrapping.
        """
        body = self.json()
        if isinstance(body, dict) and body.keys() == {"value"} and isinstance(body["value"], dict):
            return body["value"]
        return body


def parse_json(text: str) -> Json:
    """Return the JSON value that a page prints, see :mod:`.tolerant_json`.

    Raises MockGraphError where none can be made out.
    """
    return read_printed_json(text)[0]


def parse_request_line(line: str) -> tuple[str, str] | None:
    """Method and URL of ``PATCH /Security HTTP/1.1``, version or not; None for other text.

    Blanks inside the URL are kept: pages print ``$filter`` expressions with them.
    """
    method, url = [*line.split(None, 1), "", ""][:2]
    before, _, last = url.rstrip().rpartition(" ")
    if last.upper().startswith("HTTP/"):
        url = before
    return (method.upper(), url.rstrip()) if method.upper() in _METHODS and url else None


def parse_request(text: str) -> DocumentedRequest | None:
    """Return the request that a code block prints; None where it starts with no request line."""
    start, headers, body = _split(text)
    line = parse_request_line(start)
    if line is None:
        return None
    method, url = line
    return DocumentedRequest(method=method, url=url, headers=headers, body=body)


def parse_response(
    text: str, *, truncated: bool = False, type_name: str | None = None, is_collection: bool = False
) -> DocumentedResponse | None:
    """Return the response that a code block prints; None where it starts with no status line."""
    start, headers, body = _split(text)
    version, status, reason = [*start.split(None, 2), "", "", ""][:3]
    if not version.upper().startswith("HTTP/") or not _STATUS.fullmatch(status):
        return None
    return DocumentedResponse(
        status=int(status),
        reason=reason,
        headers=headers,
        body=body,
        truncated=truncated,
        type_name=type_name,
        is_collection=is_collection,
    )


def _split(text: str) -> tuple[str, Headers, str | None]:
    """Start line, headers and body. Blank lines may stand before the headers, too."""
    lines = text.split("\n")
    at = _skip_blank(lines, 0)
    start = "".join(lines[at : at + 1])
    at += 1
    while at < len(lines) and lines[at].lstrip().startswith(("?", "&")):
        start = f"{start.rstrip()}{lines[at].strip()}"  # a long URL, printed over several lines
        at += 1
    at = _skip_blank(lines, at)
    headers = []
    while at < len(lines) and (match := _HEADER.fullmatch(lines[at].strip())):
        headers.append((match[1], match[2].strip()))
        at += 1
    at = _skip_blank(lines, at)
    return start.strip(), tuple(headers), "\n".join(lines[at:]).rstrip() or None


def _skip_blank(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at
