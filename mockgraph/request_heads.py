"""The heads of requests: clients send the same again and again, so what follows from one is noted.

The rules stay where they are: who finds something out that depends on nothing but the head, leaves
it on the head for the next request that has it.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, NamedTuple

from mockgraph.wsgi import Environ

_MOST = 4096  # heads that are known
_MOST_SIZE = 4 * 1024 * 1024  # characters of their variables
_MOST_FORMS = 256  # their forms
_MOST_SEEN = 4096  # heads that are known to have come once
_LONGEST = 8192  # characters of the variables of one, and of their names

# The variables that make a head, beside those of its fields.
_VARIABLES = frozenset(
    {
        "REQUEST_METHOD",
        "SCRIPT_NAME",
        "PATH_INFO",
        "QUERY_STRING",
        "CONTENT_TYPE",
        "SERVER_NAME",
        "SERVER_PORT",
        "wsgi.url_scheme",
        "mockgraph.proxied",
    }
)
# A field that differs from request to request, and is no part of a head.
OWN_ID: Final = "HTTP_CLIENT_REQUEST_ID"


class RequestHead:
    """The head of a request without what is its own: its id, its length, where it came from.

    ``path`` is decoded, without the prefix ``root_path`` before it; ``query_string`` is as it was
    sent. The rest is noted by whoever finds it first, None until then: ``asked`` by
    :mod:`mockgraph.odata.kept_requests`, ``shown`` by :mod:`mockgraph.testing.exchange_records`,
    by the app ``root``, that of the service, ``caller``, where no token is verified, and
    ``is_good``, once it was read and nothing is wrong with it.
    """

    __slots__ = (
        "asked",
        "caller",
        "is_good",
        "method",
        "path",
        "query_string",
        "root",
        "root_path",
        "shown",
    )

    def __init__(self) -> None:
        self.is_good = False
        self.asked: tuple[Any, ...] | None = None
        self.caller: Any = None
        self.root: Any = None
        self.shown: Any = None

    def read(self, environ: Environ) -> None:
        """Read an environ that has it."""
        method: str = environ["REQUEST_METHOD"]
        self.method = method if method.isupper() else method.upper()
        prefix = environ.get("SCRIPT_NAME")
        self.root_path = _decoded(prefix).rstrip("/") if prefix else ""
        path = _decoded(environ["PATH_INFO"])
        self.path = path if path[:1] == "/" != path[1:2] else f"/{path.lstrip('/')}"
        self.query_string = environ.get("QUERY_STRING", "").encode("latin1")


class RequestHeads:
    """The last heads that came twice, by the variables of environ that make them.

    Safe under threads: the worst that threads do to each other is that one is lost.
    """

    def __init__(self) -> None:
        self._forms: dict[tuple[str, ...], _Form] = {}
        self._count = self._size = 0
        self._seen: set[int] = set()

    def find(self, environ: Environ) -> RequestHead:
        """Return the head that this environ has, a new one where it is not known."""
        names = (*environ,)  # takes half the time of tuple(environ)
        form = self._forms.get(names)
        if form is None:
            form = self._add(names)
        values = form.values_of(environ)
        try:
            return form.heads.get(values) or self._meet(form, values)
        except TypeError:
            return RequestHead()  # PEP 3333 has texts alone, servers have not

    def _add(self, names: tuple[str, ...]) -> _Form:
        """Return a form for these variables, which is kept unless they are long."""
        fields = (each for each in names if each.startswith("HTTP_") and each != OWN_ID)
        others = (each for each in names if each in _VARIABLES)
        form = _Form(itemgetter(*fields, *others), {})
        if sum(map(len, names)) <= _LONGEST:
            if len(self._forms) >= _MOST_FORMS:
                self._forget()
            self._forms[names] = form
        return form

    def _meet(self, form: _Form, values: tuple[Any, ...]) -> RequestHead:
        """Return a new head, which is kept where it came before and is not long.

        Raises TypeError where a value is no text.
        """
        head, seen, mark = RequestHead(), self._seen, hash(values)
        if mark not in seen:
            if len(seen) >= _MOST_SEEN:
                seen = self._seen = set()
            seen.add(mark)
            return head
        size = len("".join(values))
        if size <= _LONGEST:
            if self._count >= _MOST or self._size > _MOST_SIZE:
                self._forget()
            form.heads[values] = head
            self._count += 1
            self._size += size
        return head

    def _forget(self) -> None:
        self._forms = {}
        self._count = self._size = 0


class _Form(NamedTuple):
    """The heads of environs with the same variables, by the values of those that count."""

    values_of: Callable[[Environ], tuple[Any, ...]]
    heads: dict[tuple[Any, ...], RequestHead]


def _decoded(text: str) -> str:
    """Return a text of an environ, whose characters are bytes of UTF-8 (PEP 3333)."""
    return text if text.isascii() else text.encode("latin1").decode(errors="replace")
