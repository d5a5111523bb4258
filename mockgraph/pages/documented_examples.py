"""The examples of a page: its request blocks, each with the response that belongs to it.

Blocks are annotated (``blockType``); those that are not are known by their first line, or by the
heading above. Several
requests below one heading share the response that follows, as ways to ask for the same. Where a
page prints no response, the status that its prose names is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

from mockgraph.pages.blocks import Fence
from mockgraph.pages.messages import (
    DocumentedRequest,
    DocumentedResponse,
    parse_request,
    parse_response,
)

_COLLECTION = re.compile(r"collection\((.*)\)", re.IGNORECASE)


class Example(NamedTuple):
    """A request and the response after it; ``response`` is None where the page shows none."""

    name: str
    request: DocumentedRequest
    response: DocumentedResponse | None
    line: int = 0


def paired(
    fences: Iterable[Fence], statuses: frozenset[int] = frozenset()
) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    """Return the examples among code blocks, and what of the blocks was left out.

    ``statuses`` are those of the prose.
    """
    pairing = _Pairing()
    every = list(fences)
    for fence, following in zip_longest(every, every[1:]):
        kind = block_type(fence)
        if kind == "request":
            pairing.request(fence)
        elif kind == "response":
            pairing.response(fence)
        elif not kind and _asks(fence) and following is not None and _is_answer(following):
            pairing.request(fence)
        elif not kind and pairing.is_open:
            pairing.unannotated(fence)
    return pairing.examples(statuses), tuple(pairing.skipped)


class _Pairing:
    """The examples of a page so far; the last ones are open while their response is to come."""

    def __init__(self) -> None:
        self.skipped: list[str] = []
        self._examples: list[Example] = []
        self._open: list[int] = []
        self._section: tuple[str, ...] = ()
        self._has_answer = False

    @property
    def is_open(self) -> bool:
        return bool(self._open)

    def request(self, fence: Fence) -> None:
        request = parse_request(fence.text)
        if request is None:
            self.skipped.append(
                f"line {fence.line}: the request does not start with a request line"
            )
            self._open = []
            return
        if self._open and fence.section[:-1] != self._section[:-1]:
            self._open = []
        self._section = fence.section
        self._open.append(len(self._examples))
        self._examples.append(Example(text_of(fence, "name") or "", request, None, fence.line))

    def response(self, fence: Fence) -> None:
        response = _response(fence)
        if response is None:
            self.skipped.append(
                f"line {fence.line}: the response does not start with a status line"
            )
        elif not self._open:
            self.skipped.append(f"line {fence.line}: the response follows no request")
        else:
            self._answer(response)
            return
        self._open = []

    def unannotated(self, fence: Fence) -> None:
        """Take a block that says by its first line, or by the heading above, that it answers."""
        response = _response(fence)
        if response is None and fence.language == "json" and _answers(fence):
            response = parse_response(f"HTTP/1.1 200 OK\n\n{fence.text}", truncated=True)
        if response is not None:
            self._answer(response)

    def _answer(self, response: DocumentedResponse) -> None:
        for index in self._open:
            self._examples[index] = self._examples[index]._replace(response=response)
        self._open = []

    def examples(self, statuses: frozenset[int]) -> tuple[Example, ...]:
        good = sorted(each for each in statuses if 200 <= each < 300)
        if len(good) != 1 or good[0] == 200:
            return tuple(self._examples)
        told = DocumentedResponse(status=good[0], truncated=True)
        return tuple(
            each if each.response else each._replace(response=told) for each in self._examples
        )


def _asks(fence: Fence) -> bool:
    """Whether a block that is not annotated may be a request: it begins with one, to a whole URL.

    Or it stands below a heading that says so.
    """
    headings = [each.lower() for each in fence.section]
    if any(each.startswith("http request") for each in headings):
        return False
    request = parse_request(fence.text)
    is_headed = bool(headings) and headings[-1].startswith("request")
    return request is not None and ("://" in request.url or is_headed)


def _is_answer(fence: Fence) -> bool:
    return block_type(fence) == "response" or (not block_type(fence) and bool(_response(fence)))


def _answers(fence: Fence) -> bool:
    return bool(fence.section) and "response" in fence.section[-1].lower()


def _response(fence: Fence) -> DocumentedResponse | None:
    type_name = text_of(fence, "@odata.type")
    collection = _COLLECTION.fullmatch(type_name or "")
    return parse_response(
        fence.text,
        truncated=is_true(fence, "truncated"),
        type_name=collection[1] if collection else type_name,
        is_collection=collection is not None or is_true(fence, "isCollection"),
    )


def block_type(fence: Fence) -> str:
    """Return the kind of a code block in small letters, empty where it is not annotated."""
    return (text_of(fence, "blockType") or "").lower()


def text_of(fence: Fence, key: str) -> str | None:
    """Return a string of the annotation; None where it is empty or no string."""
    value = fence.annotation.get(key.lower())
    return value if isinstance(value, str) and value else None


def is_true(fence: Fence, key: str) -> bool:
    """Return whether an annotation says so: pages write true, and "true" as a string."""
    return str(fence.annotation.get(key.lower())).lower() == "true"
