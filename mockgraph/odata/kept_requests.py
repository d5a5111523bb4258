"""Requests that are kept: what was asked before is not worked out again.

What a request means, its intent, is a function of its bytes, of its caller and of the service. It
is kept of a GET, and of a write without what any tenant has a say in; of what few programs repeat,
once they do.

What answers a GET is a function of the request, of its caller's permissions and of the state,
which is a value: a snapshot. So an answer holds for as long as the state is that snapshot, be it
of another tenant, or again after a reset. A page of a walk, whose next one the server has to keep,
is good for whoever asks, too, for as long as the walk is kept. Where the state is another one by
now, at least what the request means is known.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from mockgraph import work
from mockgraph.http import Request, Response
from mockgraph.state.intent import Address, Caller, Intent, Outcome, RequestKind
from mockgraph.state.packing import json_of
from mockgraph.state.paging import walk_of
from mockgraph.state.snapshots import Snapshot
from mockgraph.wsgi import Headers

if TYPE_CHECKING:
    from mockgraph.state import State

# What is kept at most: questions, bytes of answers and bodies, bytes of one answer, characters of a
# question. There may be twice as many, as those that were asked lately are kept longer.
_MOST = 4096
_MOST_BYTES = 8 * 1024 * 1024
_LARGEST = 1024 * 1024  # a page of 1,000 alerts has 870 KB
_LONGEST = 8192
_MOST_SEEN = 4096  # what is known to have been asked once
# The bytes that a question takes for each of its characters, as it came, decoded and read; and what
# a write takes beside for each byte of its body.
_ASKED = 3
_LOADED = 4

_BODY = Intent._fields.index("body")
_WRITING = frozenset({"PATCH", "POST", "PUT", "DELETE"})
# What a tenant's behaviours have a say in, and what is made of requests of its own.
_VARYING = frozenset({RequestKind.ACT, RequestKind.CALL, RequestKind.BATCH})

# The texts of the head, a body, and the caller or its permissions.
Question: TypeAlias = tuple[Any, ...]


class KeptRequest:
    """What a request means and, of a GET, its answer as it was of a snapshot, and what that took.

    ``intent`` is None where it has to be read for each request. ``body`` is that of a write, as
    JSON: it is loaded for each, as what is stored of one is not to be shared with others.
    """

    __slots__ = ("_answer", "_beside", "_body", "_intent", "address")

    def __init__(self, address: Address, intent: Intent | None, body: bytes, length: int):
        """``length`` is that of the question, in characters."""
        self.address = address
        self._body = body
        self._beside = _ASKED * length + _LOADED * len(body)
        self._intent = intent
        # In one tuple, which is read and renewed at once whatever other threads do.
        self._answer: tuple[
            weakref.ref[Snapshot] | None, int, Headers, bytes, work.Spent, int | None
        ] = (None, 0, [], b"", work.NOTHING, None)

    @property
    def size(self) -> int:
        """The bytes of the answer's body, and about those that the question takes."""
        return len(self._answer[3]) + self._beside

    def intent(self) -> Intent | None:
        """Return the intent for one more request."""
        kept = self._intent
        if kept is None or not self._body:
            return kept
        body = orjson.loads(self._body)
        return Intent._make((*kept[:_BODY], body, *kept[_BODY + 1 :]))  # _replace takes thrice that

    def renew(
        self, snapshot: Snapshot, response: Response, spent: work.Spent, walk: int | None
    ) -> None:
        """Keep what is answered now, of a snapshot, and of a walk if it is a page of one."""
        headers, body = response.headers.copy(), response.body
        self._answer = (weakref.ref(snapshot), response.status, headers, body, spent, walk)

    def response(self, snapshot: Snapshot, state: State) -> Response | None:
        """Return the answer for another request, which takes as much of its work.

        It is None where the answer is not of this snapshot, or of a walk that the state has not.
        """
        kept, status, headers, body, spent, walk = self._answer
        if kept is None or kept() is not snapshot or not (walk is None or state.resumes(walk)):
            return None
        if spent is not work.NOTHING:
            work.current().spend(spent)
        return Response(status, body, headers=headers.copy())


class KeptRequests:
    """The last requests of an app by their questions, bounded in number and in bytes.

    Safe under threads: the worst that threads do to each other is that one is lost.
    """

    def __init__(self) -> None:
        self._young: dict[Question, KeptRequest] = {}
        self._old: dict[Question, KeptRequest] = {}
        self._bytes = 0
        self._seen: set[int] = set()

    def find(self, question: Question) -> KeptRequest | None:
        """Return what is kept of a question."""
        kept = self._young.get(question)
        if kept is None:
            kept = self._old.pop(question, None)
            if kept is not None:
                self._add(question, kept)
        return kept

    def keep(self, question: Question, intent: Intent) -> KeptRequest | None:
        """Keep what a question means, and return that; None where it means that but this once.

        Few writes are repeated, and few filters: one is kept when it comes for the second time, but
        for that of a list in an order, as others are given its walk.
        """
        writes, query = intent.address.writes, intent.query
        is_rare = writes or ((query.filter or query.search) and query.orderby is None)
        if (is_rare and not self._was_seen(question)) or not _holds(intent):
            return None
        reusable, length = _reusable(intent), _length(question)
        if length > _LONGEST or (writes and reusable is None):
            return None
        body = json_of(intent.body) if writes else b""
        kept = KeptRequest(intent.address, reusable, body, length)
        self._add(question, kept)
        return kept

    def renew(
        self,
        kept: KeptRequest,
        intent: Intent,
        snapshot: Snapshot,
        outcome: Outcome,
        response: Response,
        spent: work.Spent,
    ) -> None:
        """Keep an answer where it is not large."""
        if len(response.body) > _LARGEST:
            return
        token = None if outcome.page is None else outcome.page.next or intent.query.skiptoken
        before = kept.size
        kept.renew(snapshot, response, spent, walk_of(token))
        self._grow(kept.size - before)

    def _was_seen(self, question: Question) -> bool:
        """Return whether a question was asked before, if not long ago."""
        seen, mark = self._seen, hash(question)
        if mark in seen:
            return True
        if len(seen) >= _MOST_SEEN:
            seen = self._seen = set()
        seen.add(mark)
        return False

    def _add(self, question: Question, kept: KeptRequest) -> None:
        replaced = self._young.get(question)
        self._young[question] = kept
        self._grow(kept.size - (0 if replaced is None else replaced.size))

    def _grow(self, size: int) -> None:
        self._bytes += size
        if self._bytes > _MOST_BYTES or len(self._young) > _MOST:
            self._old, self._young, self._bytes = self._young, {}, 0


def question(request: Request, caller: Caller) -> Question | None:
    """Return all of a request that its meaning depends on, None where that may be more than this.

    The answer to a GET depends on nothing else but the state.
    """
    head, method = request.head, request.method
    asked = head.asked
    if asked is None:
        asked = head.asked = _asked_by_head(request)
    if method == "GET":
        return (asked, caller.permissions)
    body = request.short_content(_LONGEST) if method in _WRITING else None
    if body is None:
        return None
    return (asked, request.ending, body, caller)


def _asked_by_head(request: Request) -> tuple[Any, ...]:
    get = request.environ.get
    return (
        request.path,
        request.query_string,
        request.root_path,
        request.environ["wsgi.url_scheme"],
        get("HTTP_HOST") or (get("SERVER_NAME"), get("SERVER_PORT")),
        get("HTTP_PREFER"),
        get("HTTP_ACCEPT"),
        get("HTTP_IF_MATCH"),
        get("HTTP_IF_NONE_MATCH"),
        request.method,
        get("CONTENT_TYPE"),
    )


def _holds(intent: Intent) -> bool:
    """Whether the same is meant by whoever asks, at any time, and of a GET the answer is the same.

    It is not where it depends on the time, nor of what brings entities along: they are shared.
    """
    for _, value in intent.options:
        if "now" in value.lower():
            return False
    is_alone = intent.entry is None or not intent.entry.contained
    return is_alone and intent.address.kind not in _VARYING


def _length(question: Question) -> int:
    asked, *texts, _ = question  # the last is the caller, or are permissions
    return sum(map(len, filter(None, (*asked, *texts))))


def _reusable(intent: Intent) -> Intent | None:
    """Return an intent as it is good for other requests, None where it is not.

    Most expressions count the work of the request that they were compiled for.
    """
    query = intent.query
    is_filtered = query.filter is not None and not query.filter.is_for_any
    is_ordered_by_code = query.orderby is not None and query.orderby.key is None
    if is_filtered or query.search or query.expand or is_ordered_by_code or query.relations:
        return None
    return intent._replace(body={}, entry=None) if intent.address.writes else intent
