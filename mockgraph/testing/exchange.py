"""A request and its response as the journal keeps them, and the misdeeds found in it.

Recording one keeps references and parses nothing; the exchange is made when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from werkzeug.datastructures import Headers

from mockgraph.errors import GraphError
from mockgraph.odata import addressing
from mockgraph.redaction import masked_body, shown_header
from mockgraph.service import BEHAVIOURS, SERVICE
from mockgraph.state.intent import Address, RequestKind
from mockgraph.testing.exchange_records import ExchangeRecord
from mockgraph.testing.matching import ROOTS, TokenClaims
from mockgraph.testing.migration import Replacement, replacement
from mockgraph.testing.nearest_names import meant_names

_BOM = b"\xef\xbb\xbf"
_LARGE = 64 * 1024  # bytes of an answer of the emulation, which is made of what is stored
_WIDTH = 200  # characters of a URL in a repr
_UNKNOWN = ("Invalid version:", "Resource not found for the segment")
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
        "_body",
        "_clock",
        "_head",
        "_length",
        "_response_body",
        "_response_headers",
        "_sender",
        "_service",
        "_time",
        "answered_by",
        "began",
        "changes",
        "client_request_id",
        "effects",
        "ended",
        "number",
        "request_id",
        "size",
        "status",
    )

    _review: Callable[[], None] | None = None

    def __init__(self, record: ExchangeRecord, number: int = 0):
        self.number = number
        self.began = record.began
        self.ended = record.ended
        self._clock = record.clock
        self._time = record.time
        self.changes = record.changes
        self._head = record.head
        self._sender = record.sender
        self._length = record.length
        self._body = record.body
        self.request_id = record.request_id
        self.client_request_id = record.client_request_id
        self.status = record.status
        self._response_headers = record.response_headers
        self._response_body = record.response_body
        self.answered_by = record.answered_by
        self.effects = record.effects
        self._address = record.address
        self._service = record.service
        self.size = record.size

    @cached_property
    def at(self) -> datetime:
        """When it was answered, by the tenant's clock."""
        return self._clock.shown(datetime.fromtimestamp(self._time, UTC))

    @property
    def method(self) -> str:
        """The method, in capitals."""
        return self._head.method

    @property
    def path(self) -> str:
        """The path, without the tenant's prefix."""
        return self._head.path

    @property
    def token(self) -> int:
        """A hash of the token that it came with, in whatever way that was sent."""
        return self._head.authorization.token

    @property
    def caller(self) -> int:
        """A hash of the app's id where the token says it, else of the token."""
        return self._head.authorization.caller

    @property
    def claims(self) -> TokenClaims:
        """The claims of the token, empty ones where it is no JWT."""
        return self._head.authorization.claims

    @property
    def in_batch(self) -> bool:
        """Whether it was an item of a batch."""
        return self._head.form.in_batch

    @property
    def sender(self) -> str:
        """The mark of the connection, the thread or the task that it came by."""
        return str(self._sender)  # there are servers, as Flask's own, that give a port as a number

    @property
    def is_sender_certain(self) -> bool:
        """Whether what one thread or task did is known of its sender, and not of a connection."""
        return self._head.form.is_sender_certain

    @property
    def seconds(self) -> float:
        """How long it took to be answered."""
        return self.ended - self.began

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
        is_own = self.client_request_id != self.request_id
        own_id = self.client_request_id if is_own else ""
        return Headers(self._head.fields(str(self._length), own_id))

    @cached_property
    def response_headers(self) -> Headers:
        """The answer's headers; cookies in them are ``***``."""
        return Headers(
            [(name, shown_header(name, value)) for name, value in list(self._response_headers)]
        )

    @property
    def query_text(self) -> str:
        """The query as the caller wrote it."""
        return self._head.query.decode(errors="replace")

    @cached_property
    def options(self) -> list[tuple[str, str]]:
        """The query options in their order."""
        return parse_qsl(self._head.query.decode(errors="replace"), keep_blank_values=True)

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
        query = self._head.query.decode(errors="replace")
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


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        return None


def _fragment(data: bytes) -> orjson.Fragment:
    """Return JSON as it was sent: orjson reads values that are nested too deep for it to write."""
    return orjson.Fragment(data.removeprefix(_BOM))
