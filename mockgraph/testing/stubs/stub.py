"""One stub: the requests that are its own, and the answer to them."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from mockgraph.http import Request, Response
from mockgraph.testing.answers import Prepared
from mockgraph.testing.matching import CallbackFailed, Matcher, Matching, PathPattern
from mockgraph.testing.stubs.replies import Callback, Reply, shown

if TYPE_CHECKING:
    from mockgraph.testing.stubs import Stubs

_MATCHING = ("query", "request_headers", "caller", "in_batch", "predicate")


class Stub:
    """An answer of a test's own. In a ``with`` block it is removed at the end.

    ``answered`` counts its requests; ``error`` is the exception that its function raised last.
    """

    def __init__(
        self,
        stubs: Stubs,
        id: str,
        matcher: StubMatcher,
        answer: Prepared | Callback,
        times: int | None,
    ):
        self.id = id
        self.answered = 0
        self.error: Exception | None = None
        self._stubs = stubs
        self._matcher = matcher
        self._answer = answer
        self._times = times
        self._lock = threading.Lock()

    def takes(self, request: Request) -> bool:
        """Whether this request is answered here; if so it is counted.

        What the names in the path stand for is ``request.view_args`` from then on.
        """
        names = self._matcher.match(request)
        if names is None:
            return False
        with self._lock:
            if self.answered == self._times:
                return False
            self.answered += 1
            spent = self.answered == self._times
        if spent:
            self._stubs.discard(self)
        request.view_args = dict(names)
        return True

    def answer(self, request: Request) -> Response:
        """The answer to a request that it takes.

        Raises CallbackFailed, which is a 500, where its function does or returns what is no
        answer, and the refusal that its function raises.
        """
        request.answered_by = "stub"
        if isinstance(self._answer, Prepared):
            return self._answer.response()
        try:
            return self._answer.response(request)
        except CallbackFailed as failure:
            self.error = failure.raised
            self._stubs.remember(self.error)
            raise

    def remove(self) -> None:
        """Answer no more. It may be removed already."""
        if self._stubs.discard(self):
            self._stubs.changed()

    def as_json(self) -> dict[str, Any]:
        """The stub as it was asked for, its id, and how many requests it answered."""
        told = {"id": self.id, **self._matcher.shown, "times": self._times}
        if isinstance(self._answer, Prepared):
            told |= shown(self._answer)
        else:
            told["function"] = str(self._answer)
        return {**told, "answered": self.answered}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        of = "" if self._times is None else f" of {self._times}"
        return f"<Stub {self.id}: {self._matcher}; answered {self.answered}{of}>"


class StubMatcher:
    """Tells whether a request is a stub's: its path is matched whole."""

    def __init__(self, method: str | None, path: str, reply: Reply, roots: tuple[str, ...]):
        matching = {name: value for name, value in reply.items() if name in _MATCHING}
        self.path = PathPattern(path, roots)
        self._rest = Matcher(cast("Matching", {"method": method, **matching}), roots)
        self._text = f"{method.upper() if method else 'any method'} {path}"
        matching.pop("predicate", None)
        self.shown = {"method": method, "path": path, **matching}

    def match(self, request: Request) -> dict[str, str] | None:
        names = self.path.match(request.path)
        return None if names is None or self._rest.match(request) is None else names

    def __str__(self) -> str:
        return self._text
