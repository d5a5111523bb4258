"""The URLs that pages document, as a tree of their segments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from mockgraph.pages.documented_examples import Example
from mockgraph.pages.page import ReferencePage

_PLACEHOLDER: Final = re.compile(r"\{.*\}|<.*>")
_FUNCTION: Final = re.compile(r"([A-Za-z_][\w.]*)\((.*)\)")
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
_ORIGIN: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
# What stands in a path beside names: keys to be filled in, and texts.
_WITHIN: Final = re.compile(r"\{[^}/]*\}|<[^>/]*>|'(?:[^']|'')*'")
_NO_PATH: Final = re.compile(r"[\s*\\]")


class Documented(NamedTuple):
    """A method of a URL, the page that documents it, and an example, None where it has none."""

    method: str
    page: ReferencePage
    example: Example | None


@dataclass
class UrlNode:
    """The target of a path: ``key`` is the node of one entity, below the name of a collection.

    ``arguments`` are the names in parentheses behind the name of a function, None without those.
    """

    name: str
    children: dict[str, UrlNode] = field(default_factory=dict)
    key: UrlNode | None = None
    arguments: tuple[str, ...] | None = None
    documented: list[Documented] = field(default_factory=list)

    def child(self, name: str) -> UrlNode:
        """Return the node of a name, in any case, made if it is not there."""
        return self.children.setdefault(name.lower(), UrlNode(name))

    def absorb(self, other: UrlNode) -> None:
        """Take in what is known of a node that turns out to be the same."""
        self.documented += other.documented
        for name, child in other.children.items():
            if name in self.children:
                self.children[name].absorb(child)
            else:
                self.children[name] = child
        if other.key is not None:
            self.entity().absorb(other.key)

    def entity(self) -> UrlNode:
        """Return the node of one entity of a collection."""
        if self.key is None:
            self.key = UrlNode("")
        return self.key


def is_path(url: str) -> bool:
    """Return whether what a page prints as a URL is one, and no sentence or pattern."""
    return _NO_PATH.search(_WITHIN.sub("", url.partition("?")[0])) is None


def url_trees(
    pages: Iterable[ReferencePage], roots: Iterable[str], root: str
) -> dict[str, UrlNode]:
    """Return a tree for each root that URLs name; those that name none are of ``root``."""
    trees: dict[str, UrlNode] = {}
    known = {each.lower() for each in roots} | {root}
    several = list(pages)
    for page in several:
        for method, url in filter(lambda each: is_path(each.url), page.operations):
            name, segments = _rooted(url, known, root)
            _insert(trees.setdefault(name, UrlNode("")), segments, Documented(method, page, None))
    for page in several:
        for example in filter(lambda each: is_path(each.request.url), page.examples):
            name, segments = _rooted(example.request.url, known, root)
            at = Documented(example.request.method, page, example)
            _insert(trees.setdefault(name, UrlNode("")), segments, at)
    return trees


def named_root(url: str) -> str | None:
    """Return the root that an absolute URL names, in small letters."""
    if not _ORIGIN.match(url) or not is_path(url):
        return None
    segments = _segments(url)
    return segments[0].lower() if segments else None


def _rooted(url: str, known: set[str], root: str) -> tuple[str, list[str]]:
    segments = _segments(url)
    if segments and (segments[0].lower() in known or _ORIGIN.match(url)):
        return segments[0].lower(), segments[1:]
    return root, segments


def _segments(url: str) -> list[str]:
    path = _ORIGIN.sub("", url).partition("?")[0]
    try:
        path = urlsplit(f"http://x/{path.lstrip('/')}").path
    except ValueError:
        return []
    return [each for each in unquote(path).strip().split("/") if each.strip()]


def _insert(node: UrlNode, segments: list[str], documented: Documented) -> None:
    for segment in segments:
        if segment.startswith("$"):
            return
        if _PLACEHOLDER.fullmatch(segment):
            node = node.entity()
            continue
        called = _FUNCTION.fullmatch(segment)
        if called is not None and not _is_key(called[2]):
            node = node.child(called[1])
            node.arguments = tuple(_arguments(called[2]))
        elif called is not None:
            node = node.child(called[1]).entity()
        elif segment.lower() in node.children:
            node = node.children[segment.lower()]
        elif not _NAME.fullmatch(segment) or _looks_like_a_key(segment):
            node = node.entity()
        elif node.key is not None and documented.example is not None:
            node = node.entity()  # where the syntax names no such path
        else:
            node = node.child(segment)
    node.documented.append(documented)


def _is_key(inside: str) -> bool:
    """Whether what stands in parentheses is a key, and no argument with its name."""
    return bool(inside.strip()) and "=" not in inside


def _arguments(inside: str) -> Iterator[str]:
    for pair in inside.split(","):
        name = pair.partition("=")[0].strip()
        if _NAME.fullmatch(name):
            yield name


def _looks_like_a_key(segment: str) -> bool:
    return sum(each.isdigit() for each in segment) > 2
