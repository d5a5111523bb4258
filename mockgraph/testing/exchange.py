"""A request and its response as the journal keeps them, and the misdeeds found in it.

Making one keeps references and parses nothing; it is read when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import itemgetter
from time import perf_counter, time
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from werkzeug.datastructures import Headers

from mockgraph.clock import ClockSetting
from mockgraph.errors import GraphError
from mockgraph.http import Request, Response
from mockgraph.odata import addressing
from mockgraph.redaction import (
    is_guarded,
    masked_body,
    masked_credentials,
    masked_pairs,
    masked_url,
    redacted,
    shown_header,
)
from mockgraph.service import BEHAVIOURS, SERVICE
from mockgraph.state.intent import Address, RequestKind
from mockgraph.testing.matching import ROOTS, TokenClaims, claims_of, token_in
from mockgraph.testing.migration import Replacement, replacement
from mockgraph.testing.nearest_names import meant_names
from mockgraph.wsgi import Environ

_BOM = b"\xef\xbb\xbf"
_LARGE = 64 * 1024  # bytes of an answer of the emulation, which is made of what is stored
_WIDTH = 200  # characters of a URL in a repr
_UNKNOWN = ("Invalid version:", "Resource not found for the segment")
_CONTENT_FIELDS = ("CONTENT_TYPE", "CONTENT_LENGTH")
_AUTHORIZATION = "HTTP_AUTHORIZATION"
_SENDER = "mockgraph.sender"
# What is kept of an environ beside headers; the first two are in each (PEP 3333).
_OTHERS = ("REQUEST_METHOD", "wsgi.url_scheme", "REMOTE_PORT", _SENDER)
_BATCH = RequestKind.BATCH
_CREATING = (RequestKind.CREATE, RequestKind.APPEND)


class Misdeed(NamedTuple):
    """A rule that a client broke with a request, with respect to an earlier one.

    ``says`` is what it did, in a sentence, and ``hint`` what a client does instead.
    """

    rule: str
    says: str
    hint: str
    exchange: Exchange
    earlier: Exchange

    def as_json(self) -> dict[str, Any]:
        """Return the misdeed as the control plane shows it."""
        return {
            "rule": self.rule,
            "message": self.says,
            "hint": self.hint,
            "request": self.exchange.number,
            "earlier": self.earlier.number,
            "method": self.exchange.method,
            "path": self.exchange.path,
        }

    def __str__(self) -> str:
        return f"{self.rule}: {self.exchange!r}: {self.says}"


class Exchange:
    """A request and its response.

    ``path`` is decoded and without the tenant's prefix; ``number`` counts from 1 within a
    tenant; ``at`` is when it was answered, by the tenant's clock, and ``seconds`` how long that
    took; ``began`` and ``ended`` are real time, of ``time.perf_counter``. ``answered_by`` is
    ``emulation``, ``fault``, ``stub``, ``sign-in``, ``police`` or ``route``, one of the user's own.
    Of a sign-in, neither body nor response is kept. ``caller`` tells apps apart and ``token``
    their tokens, both by hashes; ``sender`` tells connections apart, or, for certain, threads
    and tasks in process. ``effects`` are those of faults; ``changes`` is how
    often the test had changed state, faults or stubs by then; ``claims`` are those of a JWT.
    ``size`` is about how many bytes it takes.
    """

    __slots__ = (
        "__dict__",
        "_address",
        "_authorization",
        "_body",
        "_clock",
        "_kept",
        "_query",
        "_response_body",
        "_response_headers",
        "_service",
        "_time",
        "_values",
        "answered_by",
        "began",
        "changes",
        "ended",
        "method",
        "number",
        "path",
        "request_id",
        "size",
        "status",
    )

    effects: Sequence[object] = ()
    _review: Callable[[], None] | None = None

    def __init__(
        self,
        request: Request,
        response: Response,
        clock: ClockSetting,
        began: float,
        changes: int = 0,
    ):
        self.number = 0
        self.began = began
        self.ended = perf_counter()
        self._clock = clock
        self._time = time()
        self.changes = changes
        self.method = request.method
        path = request.path
        self.path = path = masked_url(path) if "@" in path or "=" in path else path
        self.status = response.status
        self.answered_by = answered_by = request.answered_by
        self.request_id = request.request_id
        if request.strike is not None and request.strike.effects:
            self.effects = request.strike.effects
        # The head alone: nothing of a server's is kept alive, and no secret.
        environ = request.environ
        self._kept = kept = _kept_of(tuple(environ))
        self._values = values = kept.values_of(environ)
        if kept.guarded:
            self._values = values = (*values, *redacted(environ, kept.guarded))
        self._authorization = _authorization_of(environ.get(_AUTHORIZATION, ""))
        query = request.query_string
        self._query = query = masked_pairs(query) if query else query
        self._address = address = request.address
        body, answer = b"", response.body
        if answered_by == "sign-in":
            answer = b""
        elif kept.has_body:
            try:
                body = request.content  # read by now or not
            except GraphError:
                body = b""
            # What is no entity's JSON may be a sign-in, wherever it went, or the items of a batch;
            # of the others secrets are masked once somebody looks.
            if body[:1] != b"{" or address is None or address.kind is _BATCH:
                body = masked_body(body)
        self._body = body
        self._response_body = answer
        self._response_headers = response.headers
        self._service = request.service
        try:
            head = "".join(values)
        except TypeError:  # there are servers, as Flask's own, that give a port as a number
            self._values = values = tuple(map(str, values))
            head = "".join(values)
        # In bytes: its bodies, and what a client may make long in its head.
        self.size = len(body) + len(answer) + len(path) + len(query) + len(head)

    @cached_property
    def at(self) -> datetime:
        """When it was answered, by the tenant's clock."""
        return self._clock.shown(datetime.fromtimestamp(self._time, UTC))

    @property
    def token(self) -> int:
        """A hash of the token that it came with, in whatever way that was sent."""
        return self._authorization.token

    @property
    def caller(self) -> int:
        """A hash of the app's id where the token says it, else of the token."""
        return self._authorization.caller

    @property
    def claims(self) -> TokenClaims:
        """The claims of the token, empty ones where it is no JWT."""
        return self._authorization.claims

    @property
    def in_batch(self) -> bool:
        """Whether it was an item of a batch."""
        return self._kept.in_batch

    @cached_property
    def _head(self) -> dict[str, str]:
        """The variables of the environ that were kept, without what is secret in them."""
        head = dict(zip(self._kept.names, self._values, strict=True))
        if _AUTHORIZATION in self._kept.headers:
            head[_AUTHORIZATION] = self._authorization.shown
        return head

    @property
    def sender(self) -> str:
        """The mark of the connection, the thread or the task that it came by."""
        return self._head.get(_SENDER) or self._head.get("REMOTE_PORT", "")

    @property
    def is_sender_certain(self) -> bool:
        """Whether what one thread or task did is known of its sender, and not of a connection."""
        return _SENDER in self._head

    @property
    def seconds(self) -> float:
        """How long it took to be answered."""
        return self.ended - self.began

    @property
    def known(self) -> float:
        """The time from which its client can know the response, in real time.

        A connection that a fault cuts is cut before that is recorded.
        """
        return self.began if self.is_unanswered else self.ended

    @property
    def root(self) -> str | None:
        """The root that the path begins with, ``v1.0``; None where that is none."""
        first = self.path.split("/", 2)[1].lower()
        return first if first in ROOTS else None

    @property
    def below(self) -> str:
        """The path below the root, ``/security/alerts``; all of it where there is no root."""
        return self.path if self.root is None else self.path[len(self.root) + 1 :] or "/"

    @cached_property
    def headers(self) -> Headers:
        """The request's headers, in any letter case; what is secret in them is ``***``."""
        headers = Headers()
        for name in self._kept.headers:
            if value := self._head[name]:
                headers.add(name.removeprefix("HTTP_").replace("_", "-").title(), value)
        return headers

    @cached_property
    def response_headers(self) -> Headers:
        """The answer's headers; cookies in them are ``***``."""
        return Headers(
            [(name, shown_header(name, value)) for name, value in list(self._response_headers)]
        )

    @property
    def client_request_id(self) -> str:
        """The caller's id of the request, or the server's where it gave none."""
        return self.headers.get("client-request-id") or self.request_id

    @property
    def query_text(self) -> str:
        """The query as the caller wrote it."""
        return self._query.decode(errors="replace")

    @cached_property
    def options(self) -> list[tuple[str, str]]:
        """The query options in their order."""
        return parse_qsl(self._query.decode(errors="replace"), keep_blank_values=True)

    @cached_property
    def query(self) -> Mapping[str, Any]:
        """The query options: a text each, or a list of them where one was given repeatedly."""
        found: dict[str, Any] = {}
        for name, value in self.options:
            before = found.get(name)
            if before is None:
                found[name] = value
            else:
                found[name] = [*before, value] if isinstance(before, list) else [before, value]
        return found

    @cached_property
    def body(self) -> bytes:
        """The request's body; what is secret in it is ``***``."""
        self._body = masked_body(self._body)
        return self._body

    @cached_property
    def response_body(self) -> bytes:
        """The answer's body; what is secret in it is ``***``."""
        if self.answered_by != "emulation" or len(self._response_body) < _LARGE:
            self._response_body = masked_body(self._response_body)
        return self._response_body

    @cached_property
    def json(self) -> Any:
        """The request's body as JSON; None where it is empty or none."""
        return _parsed(self.body)

    @property
    def text(self) -> str:
        """The request's body as text."""
        return self.body.decode(errors="replace")

    @cached_property
    def response(self) -> Any:
        """The answer's body: a value where it is JSON, else a text; None where there is none."""
        if not self.response_body:
            return None
        value = _parsed(self.response_body)
        return self.response_body.decode(errors="replace") if value is None else value

    @property
    def error(self) -> str | None:
        """The code of the error that was answered."""
        return self._error("code")

    @property
    def error_message(self) -> str | None:
        """The message of the error that was answered."""
        return self._error("message")

    @cached_property
    def address(self) -> Address | None:
        """The address in the service, also where a fault kept the request from it."""
        if self._address is not None:
            return self._address
        try:
            return addressing.resolve(self.method, self.path, self._service or SERVICE)
        except GraphError:
            return None

    @property
    def operation(self) -> str | None:
        """The operation, ``update security/alerts/{id}``; None where there is no such address."""
        address = self.address
        if address is None:
            return None
        parts: list[str] = []
        for step in address.steps:
            parts += [step.resource.name] if step.key is None else [step.resource.name, "{id}"]
        parts += [address.cast] if address.cast else []
        parts += [address.call.name.rpartition(".")[2]] if address.call else address.path
        return f"{address.kind.value} {'/'.join(parts)}"

    @property
    def creates(self) -> bool:
        """Whether it makes something each time that it is sent."""
        address = self.address
        if address is None:
            return False
        behaviour = BEHAVIOURS.get(address.call.name) if address.call else None
        return address.kind in _CREATING or (behaviour is not None and behaviour.creates)

    @property
    def is_unanswered(self) -> bool:
        """Whether a fault broke the connection before anything was answered."""
        cut = self.status == 503 and not self.response_body and self.answered_by == "fault"
        return cut and "Content-Type" not in self.response_headers

    @property
    def is_unemulated(self) -> bool:
        """Whether MockGraph does not emulate the operation, and no stub answered it."""
        if self.answered_by != "emulation" or self.status not in (400, 501):
            return False
        message = self.error_message or ""
        return self.error == "notImplemented" or message.startswith(_UNKNOWN)

    @cached_property
    def nearest(self) -> tuple[str, ...]:
        """The names that may have been meant where the request misspelt one."""
        if self.status != 400:
            return ()
        return meant_names(self.error_message or "", self.path, self._service or SERVICE)

    @cached_property
    def replacement(self) -> Replacement | None:
        """The replacement of a call of the legacy alerts, None of any other."""
        return replacement(self.address, self.method, self.options, self.json)

    @property
    def url(self) -> str:
        """The path with the query."""
        query = self._query.decode(errors="replace")
        return f"{self.path}?{query}" if query else self.path

    @cached_property
    def misdeeds(self) -> tuple[Misdeed, ...]:
        """The misdeeds of its client, found when they are first asked for."""
        if self._review is not None:
            self._review()
        found: tuple[Misdeed, ...] = vars(self).get("misdeeds", ())
        return found

    def drop_bodies(self) -> None:
        """Keep the bodies no longer; what the answer's error says stays where it was looked at."""
        self.size -= len(self._body) + len(self._response_body)
        self._body = self._response_body = self.body = self.response_body = b""
        vars(self).pop("json", None)

    def review(self, review: Callable[[], None]) -> None:
        """Have misdeeds found anew when they are asked for, by a function that sets them."""
        vars(self).pop("misdeeds", None)
        self._review = review

    def as_json(self) -> dict[str, Any]:
        """Return the exchange as the control plane shows it; orjson writes bodies of any depth."""
        is_json = self.json is not None
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "url": self.url,
            "query": self.query,
            "headers": dict(self.headers),
            "json": _fragment(self.body) if is_json else None,
            "body": None if is_json else self.text,
            "status": self.status,
            "response": self._shown_response(),
            "responseHeaders": dict(self.response_headers),
            "durationMs": round(self.seconds * 1000, 3),
            "operation": self.operation,
            "answeredBy": self.answered_by,
            "faults": [str(each) for each in self.effects],
            "inBatch": self.in_batch,
            "requestId": self.request_id,
            "clientRequestId": self.client_request_id,
            "misdeeds": [each.rule for each in self.misdeeds],
            "nearest": list(self.nearest),
            "replacement": None if self.replacement is None else self.replacement.as_json(),
        }

    def summary(self) -> dict[str, Any]:
        """Return what a line of the journal shows of the exchange, misdeeds whole."""
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "method": self.method,
            "url": self.url,
            "status": self.status,
            "durationMs": round(self.seconds * 1000, 3),
            "operation": self.operation,
            "answeredBy": self.answered_by,
            "faults": [str(each) for each in self.effects],
            "inBatch": self.in_batch,
            "misdeeds": [each.as_json() for each in self.misdeeds],
        }

    def __repr__(self) -> str:
        url = self.url if len(self.url) <= _WIDTH else f"{self.url[:_WIDTH]}..."
        status = "no answer" if self.is_unanswered else self.status
        by = "" if self.answered_by == "emulation" else f" by {self.answered_by}"
        if self.effects and self.answered_by != "fault":
            by += f" with {' and '.join(map(str, self.effects))}"
        batch = " in a batch" if self.in_batch else ""
        bad = "".join(f" {each.rule}" for each in self.misdeeds)
        bad += f" (did it mean {' or '.join(self.nearest)}?)" if self.nearest else ""
        return f"<{self.number}: {self.method} {url} -> {status}{by}{batch}{bad}>"

    def _error(self, member: str) -> str | None:
        body = self.response
        error = body.get("error") if isinstance(body, dict) else None
        value = error.get(member) if isinstance(error, dict) else None
        return value if isinstance(value, str) else None

    def _shown_response(self) -> Any:
        value = self.response
        return value if value is None or isinstance(value, str) else _fragment(self.response_body)


class _Kept(NamedTuple):
    """The names of what is kept of an environ: of ``headers``, and others.

    ``values_of`` gives the values of ``names``, before which are those of the ones that are
    ``guarded``, in which something may be secret.
    """

    headers: tuple[str, ...]
    names: tuple[str, ...]
    guarded: tuple[str, ...]
    values_of: Callable[[Environ], tuple[str, ...]]
    has_body: bool
    in_batch: bool


@lru_cache(maxsize=256)
def _kept_of(variables: tuple[str, ...]) -> _Kept:
    fields = [each for each in variables if each.startswith("HTTP_")]
    headers = (*fields, *(each for each in _CONTENT_FIELDS if each in variables))
    guarded = tuple(each for each in fields if is_guarded(each) and each != _AUTHORIZATION)
    others = (each for each in _OTHERS if each in variables)
    hidden = (*guarded, _AUTHORIZATION)
    plain = (*(each for each in headers if each not in hidden), *others)
    return _Kept(
        headers,
        (*plain, *guarded),
        guarded,
        itemgetter(*plain),
        has_body="CONTENT_LENGTH" in variables or "HTTP_TRANSFER_ENCODING" in variables,
        in_batch="mockgraph.in_batch" in variables,
    )


class _Authorization(NamedTuple):
    """All that is kept of a header ``Authorization``, which is not the token itself."""

    shown: str
    token: int
    caller: int
    claims: TokenClaims


@lru_cache(maxsize=256)
def _authorization_of(header: str) -> _Authorization:
    claims = claims_of(token_in(header))
    return _Authorization(
        masked_credentials(header), hash(header), hash(claims.app or header), claims
    )


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        return None


def _fragment(data: bytes) -> orjson.Fragment:
    """Return JSON as it was sent: orjson reads values that are nested too deep for it to write."""
    return orjson.Fragment(data.removeprefix(_BOM))
