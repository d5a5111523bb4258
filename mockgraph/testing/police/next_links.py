"""The links to next pages, and requests for pages that do not follow one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from mockgraph.testing.exchange import Exchange, Misdeed
from mockgraph.testing.police.conduct import misdeed, without_bodies

_RULE = "paging-by-hand"
_OF_A_PAGE = frozenset({"skip", "skiptoken", "top", "count"})
_MAX_LINKS = 1000
_MAX_LISTS = 100

K = TypeVar("K")
Options = frozenset[tuple[str, str]]


class _Link(NamedTuple):
    """A link to a page: its path and options, how many items come before, the answer it was in.

    ``offset`` is None where that is not known.
    """

    path: str
    options: Options
    offset: int | None
    given: Exchange


class NextLinks:
    """The links to next pages in a tenant's answers, and the last one of each list."""

    def __init__(self) -> None:
        self._links: OrderedDict[str, _Link] = OrderedDict()
        self._last: OrderedDict[tuple[int, str], _Link] = OrderedDict()
        self._all = True

    def judge(self, exchange: Exchange) -> Iterator[Misdeed]:
        """Yield the misdeed of a request for a page."""
        if exchange.method != "GET" or "skip" not in exchange.url.lower():
            return
        options = _normal(exchange.options)
        last = self._last.get((exchange.caller, exchange.path))
        tokens = [value for name, value in options if name == "skiptoken"]
        if tokens:
            link = self._links.get(tokens[0])
            if link is None and last is not None and self._all:
                says = "its $skiptoken is none that a nextLink had: follow the nextLink as it is"
                yield misdeed(_RULE, says, exchange, last.given)
            elif link is not None and not _leads_to(link, exchange.path, options):
                says = "it took the $skiptoken out of a nextLink: follow the nextLink as it is"
                yield misdeed(_RULE, says, exchange, link.given)
        elif last is not None and _skips_to(last, options):
            says = "it pages with $skip although the page before gave a nextLink: follow that"
            yield misdeed(_RULE, says, exchange, last.given)

    def remember(self, exchange: Exchange) -> None:
        """Take note of the link in an answer."""
        if exchange.method != "GET" or b'"@odata.nextLink"' not in exchange.response_body:
            return
        body = exchange.response
        url = body.get("@odata.nextLink") if isinstance(body, dict) else None
        if not isinstance(url, str):
            return
        try:
            path, query = urlsplit(url)[2:4]
        except ValueError:  # of a stub: not a URL
            return
        value = body.get("value")
        asked, offered = _normal(exchange.options), _normal(parse_qsl(query, True))
        before = self._before(asked)
        count = len(value) if isinstance(value, list) else 0
        offset = None if before is None else before + count
        link = _Link(unquote(path), offered, offset, without_bodies(exchange))
        _keep(self._last, (exchange.caller, exchange.path), link, _MAX_LISTS)
        for name, token in offered:
            if name == "skiptoken" and _keep(self._links, token, link, _MAX_LINKS):
                self._all = False

    def _before(self, asked: Options) -> int | None:
        """Return how many items come before a page; None where its client counts them itself."""
        named = dict(asked)
        if "skiptoken" in named:
            link = self._links.get(named["skiptoken"])
            return None if link is None else link.offset
        return 0 if named.get("skip", "0") == "0" else None


def _leads_to(link: _Link, path: str, options: Options) -> bool:
    """Return whether a link was followed; it may have a tenant's prefix in front."""
    return link.options == options and link.path.lower().endswith(path.lower())


def _skips_to(link: _Link, options: Options) -> bool:
    """Return whether options are for the page that a link leads to, in the same list."""
    at_its_place = bool(link.offset) and ("skip", str(link.offset)) in options
    return at_its_place and _of_the_list(link.options) == _of_the_list(options)


def _of_the_list(options: Options) -> Options:
    """Return the options without those that choose a page."""
    return frozenset(each for each in options if each[0] not in _OF_A_PAGE)


def _normal(options: Iterable[tuple[str, str]]) -> Options:
    return frozenset((name.lower().removeprefix("$"), value) for name, value in options)


def _keep(kept: OrderedDict[K, _Link], key: K, link: _Link, most: int) -> bool:
    """Keep a link, and return whether the oldest had to go for it."""
    kept[key] = link
    kept.move_to_end(key)
    if len(kept) <= most:
        return False
    kept.popitem(last=False)
    return True
