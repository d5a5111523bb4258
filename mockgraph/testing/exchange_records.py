"""Requests and responses as they are recorded: all that an exchange is made of, and no more.

A thousand of them stay, and few are looked at: one is a tuple that keeps references and parses
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, NamedTuple

from mockgraph.clock import ClockSetting
from mockgraph.errors import GraphError
from mockgraph.http import Request, Response
from mockgraph.redaction import (
    is_guarded,
    masked_body,
    masked_credentials,
    masked_pairs,
    masked_url,
    redacted,
)
from mockgraph.request_heads import OWN_ID
from mockgraph.state.intent import Address, RequestKind
from mockgraph.testing.matching import TokenClaims, claims_of, token_in
from mockgraph.wsgi import Environ, Headers

if TYPE_CHECKING:
    from mockgraph.metadata.resources import Service

_AUTHORIZATION = "HTTP_AUTHORIZATION"
_LENGTH = "CONTENT_LENGTH"

_CONTENT_FIELDS = ("CONTENT_TYPE", _LENGTH)
_SENDER = "mockgraph.sender"
_OTHERS = ("REQUEST_METHOD", "wsgi.url_scheme")  # are in each environ (PEP 3333)
_BATCH = RequestKind.BATCH
_new = tuple.__new__  # the constructor of a NamedTuple is one more function, in Python


class ExchangeRecord(NamedTuple):
    """A request and its response as they were when it was answered.

    ``time`` is that, of :func:`time.time`; ``began`` and ``ended`` are of ``time.perf_counter``.
    ``sender`` tells connections apart, ``length`` is the Content-Length. ``size`` is in bytes.
    """

    head: RecordedHead
    began: float
    ended: float
    time: float
    clock: ClockSetting
    changes: int
    request_id: str
    client_request_id: str
    sender: Any
    length: Any
    body: bytes
    response_headers: Headers
    response_body: bytes
    answered_by: str
    effects: Sequence[object]
    address: Address | None
    service: Service | None
    status: int
    size: int


def recorded(
    request: Request, response: Response, clock: ClockSetting, began: float, changes: int = 0
) -> ExchangeRecord:
    """Return a request and its response as of now; ``began`` is real, as ``time.perf_counter``."""
    # Of the head as it is kept: nothing of a server's is kept alive, and no secret.
    head: RecordedHead | None = request.head.shown
    if head is None:
        head = request.head.shown = _recorded_head(request)
    environ, by, address = request.environ, request.answered_by, request.address
    body, answer, strike = b"", response.body, request.strike
    if by == "sign-in":
        answer = b""
    elif head.form.has_body:
        try:
            body = request.content  # read by now or not
        except GraphError:
            body = b""
        # What is no entity's JSON may be a sign-in, wherever it went, or the items of a batch;
        # of the others secrets are masked once somebody looks.
        if body[:1] != b"{" or address is None or address.kind is _BATCH:
            body = masked_body(body)
    own_id = request.client_request_id
    return _new(
        ExchangeRecord,
        (
            head,
            began,
            perf_counter(),
            time(),
            clock,
            changes,
            request.request_id,
            own_id,
            environ.get(_SENDER) or environ.get("REMOTE_PORT", ""),
            environ.get(_LENGTH, ""),
            body,
            response.headers,
            answer,
            by,
            () if strike is None else strike.effects,
            address,
            request.service,
            response.status,
            # In bytes: its bodies, and what a client may make long in its head.
            head.size + len(own_id) + len(body) + len(answer),
        ),
    )


class _HeadForm(NamedTuple):
    """The names of what is kept of an environ: of ``headers`` in their order.

    ``values_of`` gives the values of ``names``, before which are those of the ones that are
    ``guarded``, in which something may be secret.
    """

    headers: tuple[str, ...]
    names: tuple[str, ...]
    guarded: tuple[str, ...]
    values_of: Callable[[Environ], tuple[Any, ...]]
    has_body: bool
    in_batch: bool
    is_sender_certain: bool


@lru_cache(maxsize=256)
def _form_of(variables: tuple[str, ...]) -> _HeadForm:
    fields = [each for each in variables if each.startswith("HTTP_")]
    headers = (*fields, *(each for each in _CONTENT_FIELDS if each in variables))
    apart = (_AUTHORIZATION, OWN_ID, _LENGTH)
    guarded = tuple(each for each in fields if is_guarded(each) and each not in apart)
    plain = (*_OTHERS, *(each for each in headers if each not in (*guarded, *apart)))
    return _HeadForm(
        headers,
        (*plain, *guarded),
        guarded,
        itemgetter(*plain),
        has_body=_LENGTH in variables or "HTTP_TRANSFER_ENCODING" in variables,
        in_batch="mockgraph.in_batch" in variables,
        is_sender_certain=_SENDER in variables,
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


class RecordedHead(NamedTuple):
    """All that is kept of the head of a request, and is the same for all that have it.

    ``values`` are those of the form's names; ``size`` is about how many bytes it takes.
    """

    form: _HeadForm
    values: tuple[str, ...]
    authorization: _Authorization
    method: str
    path: str
    query: bytes
    size: int

    def fields(self, length: str, own_id: str) -> Iterator[tuple[str, str]]:
        """Give the header fields of a request with this Content-Length and id of its client's."""
        values = dict(zip(self.form.names, self.values, strict=True))
        values[_AUTHORIZATION] = self.authorization.shown
        values[_LENGTH], values[OWN_ID] = length, own_id
        for name in self.form.headers:
            if value := values[name]:
                yield name.removeprefix("HTTP_").replace("_", "-").title(), value


def _recorded_head(request: Request) -> RecordedHead:
    """Return what is kept of a request's head, of which nothing is secret."""
    environ, path, query = request.environ, request.path, request.query_string
    form = _form_of(tuple(environ))
    values = tuple(map(str, form.values_of(environ)))  # there are servers that give others
    if form.guarded:
        values = (*values, *redacted(environ, form.guarded))
    path = masked_url(path) if "@" in path or "=" in path else path
    query = masked_pairs(query) if query else query
    return RecordedHead(
        form,
        values,
        _authorization_of(environ.get(_AUTHORIZATION) or ""),
        request.method,
        path,
        query,
        len("".join(values)) + len(path) + len(query),
    )
