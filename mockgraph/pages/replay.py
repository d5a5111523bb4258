"""Documented requests, sent to a server, and its answers held against the documented ones.

A MockGraph is brought into the state that an example needs before it is sent, and back into
the state that it was found in at the end. Any other server is asked as it is.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import SplitResult, urlsplit

import orjson

from mockgraph.errors import (
    GraphError,
    MethodNotAllowed,
    MockGraphError,
    NotEmulated,
    UnknownRoot,
    UnknownSegment,
)
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.pages import Example, ReferencePage
from mockgraph.pages.comparison import Answer, difference
from mockgraph.pages.examples import DocumentedExchange, read_exchange
from mockgraph.pages.page_operations import answers_what_is_kept, is_of_pages
from mockgraph.pages.replay_report import Detail, ReplayReport
from mockgraph.state.intent import RequestKind

_TIMEOUT = 30
_UNSERVED = (NotEmulated, UnknownRoot, UnknownSegment)
# How the notes end that say that a page contradicts itself.
_CONTRADICTIONS = ("than the request writes", "have the same key")
# What the protocol answers a write that went well with, whatever a page prints.
_ANSWERS = {RequestKind.CREATE: 201, RequestKind.DELETE: 204}

Told = Callable[[Detail], object]


def replay_pages(
    url: str, pages: Sequence[ReferencePage], service: Service, token: str, tell: Told
) -> ReplayReport:
    """Replay every documented example against the server at ``url`` (scheme, host and port).

    ``service`` is what the pages are read against. Tells of each example once it is known. Raises
    MockGraphError where nothing answers at the URL.
    """
    target = _Target(url, token)
    details: list[Detail] = []
    with target.state_kept():
        for page in pages:
            for detail in _replay_page(page, service, target):
                details.append(detail)
                tell(detail)
    return ReplayReport(len(pages), details)


def _replay_page(page: ReferencePage, service: Service, target: _Target) -> Iterator[Detail]:
    for reason in page.skipped:
        yield Detail(page.name, "", "unreadable", f"page: {reason}")
    for example in page.examples:
        line = f"{example.request.method} {example.request.target}"
        outcome, reason, diff = _replay(page, example, service, target)
        yield Detail(page.name, line, outcome, reason, diff)


def _replay(
    page: ReferencePage, example: Example, service: Service, target: _Target
) -> tuple[str, str, str]:
    """The outcome of an example, the reason for it, and a diff."""
    try:
        exchange = read_exchange(example, service, page)
    except MockGraphError as error:
        return "unreadable", f"page: {error}", ""
    except _UNSERVED as error:
        return "unserved", f"MockGraph: {error.message}", ""
    except MethodNotAllowed as error:
        return "different", f"MockGraph: {error.message}", ""
    except GraphError as error:
        return "unreadable", f"page: {error.message}", ""
    refusal = target.prepare(exchange)
    if refusal:
        return "different", f"MockGraph: the state that the page shows is refused: {refusal}", ""
    answer = target.send(exchange.method, exchange.path, exchange.body, exchange.headers)
    if answer.status == 501:
        return "unserved", f"MockGraph: {answer.message}", ""
    found = difference(exchange, answer)
    if found is None and _is_echo(exchange):
        return "unserved", "MockGraph: answers what the page itself shows of an operation", ""
    if found is None:
        notes = "; ".join(exchange.notes)
        return "answered", f"page: {notes}" if notes else "", ""
    fault = _fault_of_page(page, exchange, answer)
    return "different", f"page: {fault}" if fault else f"MockGraph: {found.reason}", found.diff


def _is_echo(exchange: DocumentedExchange) -> bool:
    """Whether the answer is the page's own, of which nothing could be wrong."""
    address = exchange.address
    is_shown = exchange.answer is not None and is_of_pages(address)
    return is_shown and not (answers_what_is_kept(address) and exchange.status == 200)


def _fault_of_page(page: ReferencePage, exchange: DocumentedExchange, answer: Answer) -> str:
    """Return the fault of the page where an answer is not the documented one, empty if none.

    It contradicts its own text, the protocol, or its own request.
    """
    if exchange.status != answer.status:
        said = {each for each in page.statuses if each < 300}
        if answer.status in said and exchange.status not in said:
            return f"it shows {exchange.status} where its text says {answer.status}"
        due = _ANSWERS.get(exchange.address.kind)
        if answer.status == due and 200 <= exchange.status < 300:
            return f"it shows {exchange.status} where {due} is answered"
        return ""
    return next((each for each in exchange.notes if each.endswith(_CONTRADICTIONS)), "")


class _Target:
    """The server under replay."""

    def __init__(self, url: str, token: str):
        parts = _split(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._url = url
        self._connection = kind(parts.netloc, timeout=_TIMEOUT)
        self._is_kept = False
        self._headers = {"Authorization": f"Bearer {token}"}
        self._is_ours = self.send("GET", "/_mockgraph/health").status == 200
        self._is_stopped = False  # its clock

    def send(
        self, method: str, path: str, body: Json = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """Send one request; raises MockGraphError where no HTTP answer comes back."""
        content = None if body is None else orjson.dumps(body)
        given = {**self._headers, **headers}
        if content is not None:
            given["Content-Type"] = "application/json"
        for is_last in (not self._is_kept, True):
            try:
                self._connection.request(method, path, content, given)
                response = self._connection.getresponse()
                self._is_kept = True
                return Answer(response.status, _read(response.read()))
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                self._is_kept = False  # it may have been closed meanwhile
                if is_last or isinstance(error, TimeoutError):
                    raise MockGraphError(f"{self._url} does not answer: {error}") from None
        raise AssertionError

    def prepare(self, exchange: DocumentedExchange) -> str:
        """Bring a MockGraph into the state that is needed; what it refuses, if it does."""
        if not self._is_ours:
            return ""
        if exchange.now is not None or self._is_stopped:
            self._set_clock(exchange.now)
        answer = self.send("PUT", "/_mockgraph/state", exchange.state)
        return "" if answer.status == 204 else answer.message or str(answer.status)

    def _set_clock(self, now: str | None) -> None:
        if now is None:
            self.send("DELETE", "/_mockgraph/clock")
        else:
            self.send("POST", "/_mockgraph/clock", {"freeze": now})
        self._is_stopped = now is not None

    @contextmanager
    def state_kept(self) -> Iterator[None]:
        """Have the state afterwards that a MockGraph has now."""
        found = self.send("GET", "/_mockgraph/state").body if self._is_ours else None
        try:
            yield
        finally:
            if self._is_ours:
                if self._is_stopped:
                    self._set_clock(None)
                self.send("PUT", "/_mockgraph/state", found)
            self._connection.close()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, a bracket too few
        is_one = False
    if not is_one:
        raise MockGraphError(f"{url} is no http or https URL.")
    return parts


def _read(content: bytes) -> Json:
    if not content:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "replace")
