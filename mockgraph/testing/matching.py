"""Matching requests: those that a fault, a stub or an assertion is about."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, takewhile
from typing import Annotated, Any, NamedTuple, TypedDict
from urllib.parse import parse_qsl

import orjson

from mockgraph.errors import BadRequest, GraphError
from mockgraph.http import Request
from mockgraph.service import SERVICE

# The roots that a pattern may leave out.
ROOTS = tuple(name.lower() for name in SERVICE.views)

Predicate = Callable[[Request], bool]
# A text is the value to have, True is any value, False is none at all.
Criterion = str | bool

_GAP = re.compile(r"(/\*{2,}(?=/|$)|\*{2,})")
_ROOTS = tuple((root,) for root in ROOTS)
_MAX_PREFIX = 6  # segments by which patterns are told apart before they are matched
_WILD = re.compile(r"\*|\{[^{}/]*\}|[^\x00-\x7f]")
_WILDCARD = re.compile(r"(\*|\{[^{}/]*\})")
_KEY = re.compile(r"(?<=\w)\((?:id=)?(?:'((?:[^']|'')*)'|(\{[^{}/]*\}))\)", re.IGNORECASE)


class PathPattern:
    """A pattern of whole paths, such as ``/security/alerts/{id}``.

    ``{name}`` is one segment or a part of one, ``*`` anything within one, ``**`` anything at
    all, a whole ``/**`` nothing too. Letter case does not matter, a root in front (``/v1.0``)
    may be left out, keys may be written ``alerts/{id}`` or ``alerts('{id}')``, and a blank is a
    blank whether the path came percent-encoded or not, since paths are matched decoded. Of a
    whole URL the path counts. Raises BadRequest where there is a query, too. ``prefix`` are the
    segments before the first wildcard, one of :func:`prefixes_of` every path that matches;
    ``suffix`` is the last segment where it has none, :func:`suffix_of` these paths.
    """

    def __init__(self, text: str):
        self.text = text
        path = _path_of(text)
        self._compiled, self.names = _compile(path)
        plain = takewhile(lambda each: not _WILD.search(each), _segments(path.rstrip("/")))
        self.prefix = tuple(islice(plain, _MAX_PREFIX))
        last = suffix_of(path)
        self.suffix = None if not last or _WILD.search(last) else last

    def match(self, path: str) -> dict[str, str] | None:
        """Return the values of the names in the pattern, or None where the path is another one."""
        values = _matched(self._compiled, path)
        return None if values is None else dict(zip(self.names, values, strict=True))


def prefixes_of(path: str) -> Iterator[tuple[str, ...]]:
    """Give the prefixes that patterns which match a path may have, some of them twice.

    A slash at the end is one that a wildcard may stand for.
    """
    segments = tuple(_segments(path))
    for whole in (segments, segments[1:]) if segments[:1] in _ROOTS else (segments,):
        for count in range(min(len(whole), _MAX_PREFIX) + 1):
            yield whole[:count]


def suffix_of(path: str) -> str:
    """Return the last segment of a path, in small letters."""
    return _keys_as_segments(path).rstrip("/").rpartition("/")[2].lower()


def pairs_of(query: bytes) -> Iterator[tuple[str, str]]:
    """Give the query options, with their names in small letters and without ``$``."""
    for name, values in _options_of(query).items():
        for value in values:
            yield name, value


def caller_of(request: Request) -> str:
    """Return the caller, for quotas and the like: an app's id in a JWT, else the token.

    Nothing is verified. Without a token it is the empty text.
    """
    return app_of(token_of(request))


def token_of(request: Request) -> str:
    """Return the token of the Authorization header, whatever its scheme."""
    return token_in(request.environ.get("HTTP_AUTHORIZATION", ""))


def token_in(header: str) -> str:
    """Return the token in an Authorization header, whatever its scheme."""
    return header.partition(" ")[2].strip()


def app_of(token: str) -> str:
    """Return the ``appid`` claim of a JWT (``azp`` in version 2), the token itself otherwise."""
    return claims_of(token).app or token


class TokenClaims(NamedTuple):
    """The claims of a JWT, which nobody has verified: the app, and what the token is good for.

    ``permissions`` are a user's where it is ``delegated``, else the app's own; None where the token
    says nothing of them.
    """

    app: str = ""
    permissions: tuple[str, ...] | None = None
    delegated: bool = False


@lru_cache(maxsize=256)
def claims_of(token: str) -> TokenClaims:
    """Return the claims of a token, empty ones where it is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return TokenClaims()
    try:
        claims = orjson.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return TokenClaims()
    if not isinstance(claims, dict):
        return TokenClaims()
    app = claims.get("appid") or claims.get("azp")
    scopes, roles = claims.get("scp"), claims.get("roles")
    permissions = None
    if isinstance(scopes, str):
        permissions = tuple(scopes.split())
    elif isinstance(roles, list):
        permissions = tuple(each for each in roles if isinstance(each, str))
    return TokenClaims(app if isinstance(app, str) else "", permissions, isinstance(scopes, str))


class Criteria(TypedDict, total=False):
    """Criteria for requests of one method and path; those left out do not matter.

    ``predicate`` is asked last.
    """

    query: Annotated[
        Mapping[str, Criterion] | None,
        "Query options, with or without their $: the value to have, true for any, false for none.",
    ]
    request_headers: Annotated[
        Mapping[str, Criterion] | None,
        "Headers: the value to have, true for any, false for none.",
    ]
    caller: Annotated[str | None, "A token, or the app id in a JWT."]
    in_batch: Annotated[bool | None, "True for items of a batch, false for other requests."]
    predicate: Annotated[Predicate | None, "A function of the request."]


class Matching(Criteria, total=False):
    """Criteria for requests; those left out do not matter."""

    method: Annotated[str | Sequence[str] | None, "One method or several."]
    path: Annotated[
        str | None,
        "A part of the path, in any letter case; with { or * a pattern of whole paths.",
    ]


class Matcher:
    """The requests that are meant. Raises BadRequest where none could be."""

    def __init__(self, options: Matching):
        self._methods = _methods(options.get("method"))
        path = options.get("path") or ""
        self._pattern = PathPattern(path) if "{" in path or "*" in path else None
        self._part = _path_of(path).casefold()
        query = options.get("query") or {}
        self._query = {option_name(name): value for name, value in query.items()}
        self._headers = dict(options.get("request_headers") or {})
        self._caller = options.get("caller")
        self._in_batch = options.get("in_batch")
        self._predicate = options.get("predicate")
        self._path = path

    def match(self, request: Request) -> dict[str, str] | None:
        """Return the values of the names in the path, or None where it is another request.

        Raises CallbackFailed where the predicate raises an exception.
        """
        if self._methods and request.method not in self._methods:
            return None
        names = self._match_path(request.path)
        if names is None or not (self._match_caller(request) and self._match_texts(request)):
            return None
        if self._predicate is not None and not call_function(
            self._predicate, f"predicate {name_of(self._predicate)}", request
        ):
            return None
        return names

    def __str__(self) -> str:
        where = f"{', '.join(self._methods)} {self._path}".strip()
        words = [where or "any request"]
        words += [_described(name, value) for name, value in self._query.items()]
        words += [_described(name, value) for name, value in self._headers.items()]
        words += ["one caller"] if self._caller is not None else []
        words += {True: ["in batches"], False: ["outside batches"], None: []}[self._in_batch]
        words += [name_of(self._predicate)] if self._predicate else []
        return " ".join(words)

    def _match_path(self, path: str) -> dict[str, str] | None:
        if self._pattern is not None:
            return self._pattern.match(path)
        return {} if not self._part or self._part in path.casefold() else None

    def _match_caller(self, request: Request) -> bool:
        if self._in_batch is not None:
            in_batch = bool(request.environ.get("mockgraph.in_batch"))
            if in_batch is not self._in_batch:
                return False
        return self._caller is None or self._caller in (token_of(request), caller_of(request))

    def _match_texts(self, request: Request) -> bool:
        for name, wanted in self._headers.items():
            value = request.headers.get(name)
            if not _meets(wanted, [] if value is None else [value]):
                return False
        if not self._query:
            return True
        given = _options_of(request.query_string)
        return all(_meets(wanted, given.get(name, [])) for name, wanted in self._query.items())


class CallbackFailed(GraphError):
    """An exception that a function of the test raised, which is its cause: answered as 500."""

    def __init__(self, what: str, error: Exception):
        super().__init__(f"The {what} raised {type(error).__name__}: {error}")
        self.raised = self.__cause__ = error


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function for a message."""
    return str(getattr(function, "__name__", function))


def call_function(function: Callable[..., Any], what: str, /, *arguments: Any, **named: Any) -> Any:
    """Call a function of the test, named ``what`` in messages.

    Raises the refusal that it raises, and CallbackFailed where it raises anything else.
    """
    try:
        return function(*arguments, **named)
    except GraphError:
        raise
    except Exception as error:
        raise CallbackFailed(what, error) from error


def _path_of(text: str) -> str:
    """Return the path of a path or of a URL."""
    _, mark, rest = text.partition("://")
    path = f"/{rest.partition('/')[2]}" if mark else text
    if "?" in path:
        raise BadRequest("path: Query options are given by themselves, query={'$top': '5'}.")
    return path


def _methods(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    methods = (given,) if isinstance(given, str) else tuple(given)
    if not methods or not all(each.isalpha() for each in methods):
        raise BadRequest("method: A method is a word such as PATCH.")
    return tuple(each.upper() for each in methods)


def option_name(name: str) -> str:
    """Return the name of a query option without its ``$``, in small letters."""
    return name.lower().removeprefix("$")


@lru_cache(maxsize=8)  # many a stub is asked about one query
def _options_of(query: bytes) -> Mapping[str, Sequence[str]]:
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query.decode(errors="replace"), keep_blank_values=True):
        given.setdefault(option_name(name), []).append(value)
    return given


def _meets(wanted: Criterion, values: Sequence[str]) -> bool:
    return bool(values) is wanted if isinstance(wanted, bool) else wanted in values


def _described(name: str, wanted: Criterion) -> str:
    if isinstance(wanted, bool):
        return f"{'with' if wanted else 'without'} {name}"
    return f"{name}={wanted!r}"


def _keys_as_segments(path: str) -> str:
    """Return ``alerts('1')`` as ``alerts/1``: both are the same entity's path."""
    if "(" not in path:
        return path
    return _KEY.sub(_key_as_segment, path)


def _key_as_segment(found: re.Match[str]) -> str:
    key = found[2] if found[1] is None else found[1].replace("''", "'")
    return f"/{key}"


def _segments(path: str) -> Sequence[str]:
    """Return the first segments of a path or a pattern in small letters, a root among them."""
    whole = _keys_as_segments("/" + path.lstrip("/")).lower()[1:]
    return whole.split("/", _MAX_PREFIX + 1)[: _MAX_PREFIX + 1] if whole else ()


@lru_cache(maxsize=16)  # many a stub has the same pattern
def _matched(compiled: re.Pattern[str], path: str) -> tuple[str, ...] | None:
    found = compiled.fullmatch(_keys_as_segments(path))
    return None if found is None else found.groups()


# -- from a pattern to a regular expression -----------------------------------------------


@lru_cache(maxsize=1024)
def _compile(text: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return the expression, and the names of its groups.

    The text between two ``**`` is matched where it first occurs, and so is the text after
    a ``*``, in atomic groups; where a part of a path does not match, ``**`` goes on behind the
    next slash. So a long path cannot make the match backtrack: the time grows with its length.
    """
    path = _keys_as_segments("/" + text.strip("/"))
    first = path.lower().split("/")[1]
    root = "" if first in ROOTS else f"(?:/(?:{'|'.join(map(re.escape, ROOTS))}))?"
    section, *rest = _GAP.split(path)
    parts = [_section(section, _ahead(rest))]
    while rest:
        gap, section, *rest = rest
        behind = _behind(gap, section, _ahead(rest))
        parts.append(f"(?>{behind})" if rest else behind)
    names = tuple(each[1:-1] for each in _WILDCARD.findall(path) if each != "*")
    return re.compile(f"{root}{''.join(parts)}/?", re.IGNORECASE | re.DOTALL), names


def _ahead(rest: Sequence[str]) -> str | None:
    """Return the expression of what has to follow a part, None for the end of the path."""
    if not rest:
        return None
    return r"(?=/|\Z)" if rest[0][0] == "/" else ""


def _behind(gap: str, section: str, ahead: str | None) -> str:
    """Return the expression of a ``**`` or ``/**`` and of the part behind it.

    Of a part that has a wildcard, no later place in a segment matches where its first one does not.
    """
    literal, *rest = _WILDCARD.split(section)
    if ahead is None and not rest:
        return ("(?:/.*)?" if gap[0] == "/" else ".*") + re.escape(literal)
    lazily = "" if ahead is None else "?"
    if gap[0] == "/":
        return f"(?:/[^/]*+)*{lazily}{_section(section, ahead)}"
    begin = f"(?>[^/]*?{re.escape(literal)}{'' if rest else ahead})" if literal else ""
    return f"(?:[^/]*+/)*{lazily}{begin}{_section(section[len(literal) :], ahead)}"


def _section(text: str, ahead: str | None) -> str:
    """Return the expression of a part without ``**``, and what follows it: None is the end."""
    literal, *rest = _WILDCARD.split(text)
    parts = [re.escape(literal)]
    while rest:
        wildcard, literal, *rest = rest
        some, least = ("[^/]*", "[^/]*?") if wildcard == "*" else ("([^/]+)", "([^/]+?)")
        end = re.escape(literal)
        if not rest and (ahead is None or not literal):
            parts.append(f"{some}{end}")
        else:
            parts.append(f"(?>{least}{end}{'' if rest else ahead})")
    return "".join(parts)
