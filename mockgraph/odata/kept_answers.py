"""Answers that are kept: what was asked before of the same state is answered as it was then.

What answers a GET is a function of the request, of its caller's permissions and of the state,
which is a value: a snapshot. So an answer holds for as long as the state is that snapshot, be it
of another tenant, or again after a reset. A page of a walk, whose next one the server has to keep,
is good for whoever asks, too, for as long as the walk is kept. Where the state is another one by
now, at least what the request means is known.
"""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from mockgraph import work
from mockgraph.http import Request, Response
from mockgraph.state.intent import Address, Caller, Intent, Outcome, RequestKind
from mockgraph.state.paging import walk_of
from mockgraph.state.snapshots import Snapshot
from mockgraph.wsgi import Headers

if TYPE_CHECKING:
    from mockgraph.state import State

# What is kept at most: questions, bytes of answers, bytes of one answer, characters of a question.
# There may be twice as many, as those that were asked lately are kept longer.
_MOST = 1024
_MOST_BYTES = 4 * 1024 * 1024
_LARGEST = 256 * 1024
_LONGEST = 4096

# Texts, and the permissions of the caller.
Question: TypeAlias = tuple[Any, ...]


class KeptAnswer:
    """The answer to a question, as it was of a snapshot, and what it took to find it.

    ``intent`` is None where it holds for the one request that it was read for.
    """

    __slots__ = ("_answer", "address", "intent")

    def __init__(self, address: Address, intent: Intent | None):
        self.address = address
        self.intent = intent
        # In one tuple, which is read and renewed at once whatever other threads do.
        self._answer: tuple[
            weakref.ref[Snapshot] | None, int, Headers, bytes, work.Spent, int | None
        ] = (None, 0, [], b"", work.NOTHING, None)

    @property
    def size(self) -> int:
        """The bytes of the body."""
        return len(self._answer[3])

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
        response = Response(status, body)
        response.headers = headers.copy()
        return response


class KeptAnswers:
    """The last answers of an app by their questions, bounded in number and in bytes.

    Safe under threads: the worst that threads do to each other is that an answer is lost.
    """

    def __init__(self) -> None:
        self._young: dict[Question, KeptAnswer] = {}
        self._old: dict[Question, KeptAnswer] = {}
        self._bytes = 0

    def find(self, question: Question) -> KeptAnswer | None:
        """Return the last answer to a question, whatever the state was."""
        kept = self._young.get(question)
        if kept is None:
            kept = self._old.pop(question, None)
            if kept is not None:
                self._add(question, kept)
        return kept

    def keep(
        self,
        question: Question,
        intent: Intent,
        snapshot: Snapshot,
        outcome: Outcome,
        response: Response,
        spent: work.Spent,
    ) -> None:
        """Keep what a question means, and its answer where that is not large."""
        kept = self._young.get(question)
        if kept is None or kept.intent is not intent:  # which was read for this request
            if not _holds(intent) or _is_long(question):
                return
            kept = KeptAnswer(intent.address, _reusable(intent))
            self._add(question, kept)
        if len(response.body) > _LARGEST:
            return
        token = None if outcome.page is None else outcome.page.next or intent.query.skiptoken
        before = kept.size
        kept.renew(snapshot, response, spent, walk_of(token))
        self._grow(kept.size - before)

    def _add(self, question: Question, kept: KeptAnswer) -> None:
        replaced = self._young.get(question)
        self._young[question] = kept
        self._grow(kept.size - (0 if replaced is None else replaced.size))

    def _grow(self, size: int) -> None:
        self._bytes += size
        if self._bytes > _MOST_BYTES or len(self._young) > _MOST:
            self._old, self._young, self._bytes = self._young, {}, 0


def question(request: Request, caller: Caller) -> Question | None:
    """Return all of a request that its answer depends on, None where that is not only read."""
    if request.method != "GET":
        return None
    environ = request.environ
    get = environ.get
    return (
        request.path,
        request.query_string,
        request.root_path,
        environ["wsgi.url_scheme"],
        get("HTTP_HOST") or (environ["SERVER_NAME"], environ["SERVER_PORT"]),
        get("HTTP_PREFER"),
        get("HTTP_ACCEPT"),
        get("HTTP_IF_MATCH"),
        get("HTTP_IF_NONE_MATCH"),
        caller.permissions,
    )


def _holds(intent: Intent) -> bool:
    """Whether the answer is the same for whoever asks, at any time, what it is asked of.

    That of a function is not, nor is one that depends on the time.
    """
    for _, value in intent.options:
        if "now" in value.lower():
            return False
    return intent.address.kind is not RequestKind.CALL


def _is_long(question: Question) -> bool:
    *texts, _ = question  # the last are permissions
    return sum(map(len, filter(None, texts))) > _LONGEST


def _reusable(intent: Intent) -> Intent | None:
    """Return an intent as it is good for other requests, None where it is not.

    Most expressions count the work of the request that they were compiled for.
    """
    query = intent.query
    is_filtered = query.filter is not None and not query.filter.is_for_any
    is_ordered_by_code = query.orderby is not None and query.orderby.key is None
    is_followed = query.relations is not None and bool(query.relations.resources)
    if is_filtered or query.search or query.expand or is_ordered_by_code or is_followed:
        return None
    # Relations that follow to nothing would keep alive the state that they were read from.
    return intent._replace(query=replace(query, relations=None)) if query.relations else intent
