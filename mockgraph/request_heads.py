"""The heads of requests: clients send the same again and again, so what follows from one is noted.

The rules stay where they are: who finds something out that depends on nothing but the head, leaves
it on the head for the next request that has it.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from mockgraph.wsgi import Environ

_MOST = 512  # heads that are known
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
# A field that differs from request to request.
_OWN = "HTTP_CLIENT_REQUEST_ID"


class RequestHead:
    """The head of a request without what is its own: its id, its length, where it came from.

    ``path`` is decoded, without the prefix ``root_path`` before it; ``query_string`` is as it was
    sent. The rest is noted by whoever finds it first, None until then: ``asked`` by
    :mod:`mockgraph.odata.kept_requests`, ``caller`` by the app where no token is verified, and
    ``shown`` by :mod:`mockgraph.testing.exchange_records`.
    """

    __slots__ = (
        "asked",
        "caller",
        "method",
        "path",
        "query_string",
        "root_path",
        "shown",
    )

    def __init__(self, environ: Environ):
        method: str = environ["REQUEST_METHOD"]
        self.method = method if method.isupper() else method.upper()
        prefix = environ.get("SCRIPT_NAME")
        self.root_path = _decoded(prefix).rstrip("/") if prefix else ""
        path = _decoded(environ["PATH_INFO"])
        self.path = path if path[:1] == "/" != path[1:2] else f"/{path.lstrip('/')}"
        self.query_string = environ.get("QUERY_STRING", "").encode("latin1")
        self.asked: tuple[Any, ...] | None = None
        self.caller: Any = None
        self.shown: Any = None


class RequestHeads:
    """The last heads that were kept, by the variables of environ that make them.

    Safe under threads: the worst that threads do to each other is that one is lost.
    """

    def __init__(self) -> None:
        self._forms: dict[tuple[str, ...], _Form] = {}
        self._count = 0

    def find(self, environ: Environ) -> RequestHead | None:
        """Return the head that this environ has, None where it is not known."""
        form = self._forms.get(tuple(environ))
        return None if form is None else form.heads.get(form.values_of(environ))

    def keep(self, environ: Environ, head: RequestHead) -> None:
        """Keep the head that this environ has, unless it is long; all others go where they are too
        many."""
        names = tuple(environ)
        form = self._forms.get(names) or _form_of(names)
        values = form.values_of(environ)
        if not all(isinstance(each, str) for each in values):
            return  # PEP 3333 has texts alone, servers have not
        if sum(map(len, (*names, *values))) > _LONGEST:
            return
        if self._count >= _MOST:
            self._forms, self._count = {}, 0
        self._forms[names] = form
        form.heads[values] = head
        self._count += 1


class _Form(NamedTuple):
    """The heads of environs with the same variables, by the values of those that count."""

    values_of: Callable[[Environ], tuple[Any, ...]]
    heads: dict[tuple[Any, ...], RequestHead]


def _form_of(names: tuple[str, ...]) -> _Form:
    fields = (each for each in names if each.startswith("HTTP_") and each != _OWN)
    others = (each for each in names if each in _VARIABLES)
    return _Form(itemgetter(*fields, *others), {})


def _decoded(text: str) -> str:
    """Return a text of an environ, whose characters are bytes of UTF-8 (PEP 3333)."""
    return text if text.isascii() else text.encode("latin1").decode(errors="replace")
