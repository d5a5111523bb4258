"""Stubs: a test's own answers for a method and a path, ahead of the emulation.

``Stubs`` are those of one tenant. The line asks them once a request::

    stub = tenant.stubs.find(request)
    response = stub.answer(request) if stub else <the emulation>
"""

from __future__ import annotations

import copy
import inspect
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, Unpack, cast

from werkzeug.wrappers import Response as WerkzeugResponse

from mockgraph.errors import BadRequest
from mockgraph.http import Request, Response, from_werkzeug
from mockgraph.testing.canned import (
    Body,
    CannedResponse,
    HeaderValues,
    any_body,
    json_body,
    read_headers,
    read_status,
)
from mockgraph.testing.matching import (
    CallbackFailed,
    Criteria,
    Matcher,
    Matching,
    PathPattern,
    call_function,
    name_of,
    option_name,
    pairs_of,
    prefixes_of,
    suffix_of,
)
from mockgraph.testing.registry import Registry, RegistryEntry, check_options

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

_number = operator.attrgetter("number")
_ANSWER = ("status", "headers", "json", "text", "body")


class StubOptions(Criteria, total=False):
    """The answer of a stub, and criteria for the requests of its method and path.

    ``json``, ``text`` and ``body`` exclude one another. Whatever else is left out does not
    matter.
    """

    status: Annotated[int, "The status; 200 if left out, 204 where there is no body."]
    headers: Annotated[HeaderValues | None, "Headers of the answer, with one value or several."]
    json: Annotated[Any, "The body, as JSON."]
    text: Annotated[str, "The body, as text."]
    body: Annotated[Any, "The body: a text as it is, another value as JSON."]
    times: Annotated[int | None, "How many requests are answered; any number if left out."]


class Stub(RegistryEntry):
    """An answer of a test's own. In a ``with`` block it is removed at the end.

    ``answered`` counts its requests; ``error`` is the exception that its function raised last.
    """

    def __init__(
        self,
        stubs: Stubs,
        id: str,
        matcher: StubMatcher,
        answer: CannedResponse | Callback,
        times: int | None,
    ):
        super().__init__(stubs, id)
        self.answered = 0
        self.error: Exception | None = None
        self.number = int(id)
        self.place = matcher.place
        self._matcher = matcher
        self._answer = answer
        self._times = times

    def takes(self, request: Request) -> bool:
        """Return whether this request is answered here; if so it is counted.

        The values of the names in the path are ``request.view_args`` from then on.
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
            self._registry.discard(self)
        request.view_args = dict(names)
        return True

    def answer(self, request: Request) -> Response:
        """Return the answer to a request that it takes.

        Raises CallbackFailed, which is a 500, where its function raises an exception or returns
        a value that is no answer, and the refusal that its function raises.
        """
        request.answered_by = "stub"
        if isinstance(self._answer, CannedResponse):
            return self._answer.response()
        try:
            return self._answer.response(request)
        except CallbackFailed as failure:
            self.error = failure.raised
            self._registry.remember(failure)
            raise

    def as_json(self) -> dict[str, Any]:
        """Return the stub as it was asked for, its id, and how many requests it answered."""
        answer = (
            self._answer.as_json()
            if isinstance(self._answer, CannedResponse)
            else {"function": str(self._answer)}
        )
        asked = {**self._matcher.as_json(), "times": self._times, **answer}
        return {"id": self.id, **asked, "answered": self.answered}

    def __repr__(self) -> str:
        of = "" if self._times is None else f" of {self._times}"
        return f"<Stub {self.id}: {self._matcher}; answered {self.answered}{of}>"


class Stubs(Registry[Stub]):
    """The stubs of a tenant, none at first. The one added last is asked first.

    One that has answered as often as it should is removed.
    """

    __slots__ = ("_index",)
    noun = "stub"

    def __init__(self, changed: Callable[[], None] = lambda: None):
        super().__init__(changed)
        self._index = StubIndex()

    def find(self, request: Request) -> Stub | None:
        """Return the stub that answers a request, counted as answered; None leaves it to Graph."""
        if not self._entries:
            return None
        stubs = self._index.candidates(request)
        try:
            return next((stub for stub in stubs if stub.takes(request)), None)
        except CallbackFailed as failure:
            self.remember(failure)
            raise

    def discard(self, entry: Stub) -> bool:
        """Take a stub away, and return whether it was there."""
        was_there = super().discard(entry)
        with self._lock:
            self._index.remove(entry)
        return was_there

    def reset(self) -> None:
        """Take all stubs away, and forget the exceptions."""
        with self._lock:
            self._index = StubIndex()
        super().reset()

    def add(
        self,
        method: str | None,
        path: str,
        function: Function | None = None,
        **options: Unpack[StubOptions],
    ) -> Stub:
        """Answer requests of a method (None is any) for a path, a pattern such as ``/users/{id}``.

        The path is matched whole, as :class:`mockgraph.testing.matching.PathPattern` says. A
        function is called with the request, and with those of the path's names that are
        parameters of its own; it returns JSON, None for 204, a status and JSON (and headers),
        or a response.
        Raises BadRequest for what is impossible::

            graph.stubs.add("GET", "/users/{id}", json={"displayName": "Ada"})
            graph.stubs.add("GET", "/users/{id}", lambda request, id: {"id": id})
        """
        check_options("stub", options, StubOptions.__optional_keys__)
        times = options.get("times")
        if times is not None and times < 1:
            raise BadRequest("times: The number has to be 1 or more.")
        matcher = StubMatcher(method, path, options)
        answer = canned(options) if function is None else callback(function, options, matcher.path)
        stub = self._add(lambda id: Stub(self, id, matcher, answer, times), first=True)
        with self._lock:
            self._index.add(stub)
        return stub

    def decorator(
        self, method: str | None, path: str, **options: Unpack[StubOptions]
    ) -> Callable[[F], F]:
        """Return a decorator that makes a function answer, see :meth:`add`."""

        def decorate(function: F) -> F:
            self.add(method, path, function, **options)
            return function

        return decorate


class StubIndex:
    """Stubs by what any request for them has, so that one meets few that are not for it.

    That is the beginning of the path, its last segment, and a query option.
    """

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[str, ...], dict[Any, tuple[Stub, ...]]] = {}

    def add(self, stub: Stub) -> None:
        prefix, *rest = stub.place
        of_prefix = self._by_prefix.setdefault(prefix, {})
        of_prefix[(*rest,)] = (stub, *of_prefix.get((*rest,), ()))

    def remove(self, stub: Stub) -> None:
        prefix, *rest = stub.place
        of_prefix = self._by_prefix.get(prefix, {})
        left = tuple(each for each in of_prefix.pop((*rest,), ()) if each is not stub)
        if left:
            of_prefix[(*rest,)] = left
        elif not of_prefix:
            self._by_prefix.pop(prefix, None)

    def candidates(self, request: Request) -> list[Stub]:
        """Return those that a request may be for, the last added first."""
        path = request.path
        found = {prefix: self._by_prefix.get(prefix) for prefix in prefixes_of(path)}
        by_rest = [each for each in found.values() if each]
        if not by_rest:
            return []
        values = [None, *pairs_of(request.query_string)]
        rests = [(suffix, value) for suffix in (None, suffix_of(path)) for value in values]
        stubs = [stub for each in by_rest for rest in rests for stub in each.get(rest, ())]
        return sorted(stubs, key=_number, reverse=True)


class StubMatcher:
    """The requests that a stub is for: its path is matched whole."""

    def __init__(self, method: str | None, path: str, options: StubOptions):
        criteria = {
            name: value for name, value in options.items() if name in Criteria.__optional_keys__
        }
        self.path = PathPattern(path)
        self._rest = Matcher(cast("Matching", {"method": method, **criteria}))
        values = (options.get("query") or {}).items()
        exact = ((option_name(name), value) for name, value in values if isinstance(value, str))
        self.place = (self.path.prefix, self.path.suffix, next(exact, None))
        self._text = f"{method.upper() if method else 'any method'} {path}"
        criteria.pop("predicate", None)
        self._asked = {"method": method, "path": path, **criteria}

    def match(self, request: Request) -> dict[str, str] | None:
        """Return the values of the names in the path, or None where it is another request."""
        names = self.path.match(request.path)
        return None if names is None or self._rest.match(request) is None else names

    def as_json(self) -> dict[str, Any]:
        """Return the method, the path and the criteria as they were asked for."""
        return self._asked

    def __str__(self) -> str:
        return self._text


class Callback:
    """A function that answers, and the names in the path that it has parameters for."""

    def __init__(self, function: Function, path: PathPattern):
        self._function = function
        self._name = f"function {name_of(function)} of the stub for {path.text}"
        parameters = inspect.signature(function).parameters.values()
        takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters)
        own = {each.name for each in parameters}
        self._names = [name for name in path.names if takes_all or name in own]
        inspect.signature(function).bind(None, **dict.fromkeys(self._names))

    def response(self, request: Request) -> Response:
        """Call the function. Raises CallbackFailed, and the refusal that the function raises."""
        parts = request.view_args or {}
        named = {name: parts[name] for name in self._names}
        value = call_function(self._function, self._name, request, **named)
        try:
            return _as_response(value)
        except Exception as error:
            raise CallbackFailed(self._name, error) from error

    def __str__(self) -> str:
        return name_of(self._function)


def canned(options: StubOptions) -> CannedResponse:
    """Return the answer that was asked for. Raises BadRequest where it is impossible."""
    bodies = [name for name in ("json", "text", "body") if name in options]
    if len(bodies) > 1:
        raise BadRequest(f"{bodies[1]}: There is {bodies[0]} already.")
    body = _body(options)
    status = options.get("status", 204 if body is None else 200)
    return CannedResponse(read_status(status), read_headers(options.get("headers")), body)


def callback(function: Function, options: StubOptions, path: PathPattern) -> Callback:
    """Return the function as an answer.

    Raises BadRequest where it cannot be called, or where there is another answer beside it.
    """
    for name in _ANSWER:
        if name in options:
            raise BadRequest(f"{name}: The function is to answer.")
    if inspect.iscoroutinefunction(function):
        raise BadRequest(f"{name_of(function)}: A function that is async cannot answer.")
    try:
        return Callback(function, path)
    except (TypeError, ValueError) as error:
        raise BadRequest(
            f"{name_of(function)} cannot be called with the request and with the names in "
            f"{path.text} that it has parameters for: {error}."
        ) from None


def _body(options: StubOptions) -> Body | None:
    if "json" in options:
        return json_body(options["json"])
    if "text" in options:
        return any_body(options["text"], "text")
    body = options.get("body")
    return None if body is None else any_body(body)


def _as_response(value: Any) -> Response:
    """Return what a function returned as a response. Raises some exception where it is none."""
    match value:
        case Response():
            own = copy.copy(value)
            own.headers = list(value.headers)
            return own
        case WerkzeugResponse():
            return from_werkzeug(value)
        case None:
            return Response(204)
        case (int(status), body, *headers) if type(value) is tuple and len(headers) < 2:
            content = None if body is None else any_body(body)
            given = read_headers(headers[0]) if headers else ()
            return CannedResponse(read_status(status), given, content).response()
        case tuple():
            raise TypeError("a tuple is a status and a body, and headers where there are any")
        case _:
            return CannedResponse(200, body=any_body(value)).response()
