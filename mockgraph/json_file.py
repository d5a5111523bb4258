"""A JSON document in a file, read piece by piece and not as a whole.

Of the arrays that are asked for only the places of their items are kept, and each item is read from
the file when it is looked at. All else is read as it is.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import IO, Any

import orjson

from mockgraph.errors import GraphError, MalformedPayload

# An object, or an array, at a path of names: whether it is gone into.
IsApart = Callable[[tuple[str, ...]], bool]

_PIECE = 1024 * 1024
_BOM = "\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\n\r]*")
# How far from the end of what was read a value may be broken off that goes on in the file.
_NEAR = 16

# Finds the ends of values, which orjson cannot: what it makes of them is not looked at. The text is
# the bytes of the file, a character each: their places are those of the characters.
_DECODER = JSONDecoder(parse_int=len, parse_float=len, parse_constant=len, object_pairs_hook=len)


class JsonItems:
    """The items of an array in a file, read when they are iterated over.

    Raises MalformedPayload for one that is no JSON.
    """

    def __init__(self, file: IO[bytes], places: array[int]):
        self._file = file
        self._places = places

    def __len__(self) -> int:
        return len(self._places) // 2

    def __iter__(self) -> Iterator[Any]:
        places = iter(self._places)
        for start, end in zip(places, places, strict=True):
            self._file.seek(start)
            yield loads(self._file.read(end - start))


def loads(text: bytes) -> Any:
    """Return a JSON value. Raises MalformedPayload."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise MalformedPayload from None


class JsonFile:
    """A JSON document in a file.

    ``is_apart`` says which objects are gone into, by the names that lead to them, and which arrays
    are read an item at a time. Where the document has more than ``most_values`` objects, or arrays,
    ``too_many`` is raised.
    """

    def __init__(self, file: IO[bytes], is_apart: IsApart, most_values: int, too_many: GraphError):
        self._file = file
        self._is_apart = is_apart
        self._left = {"{": most_values, "[": most_values}
        self._too_many = too_many
        self._text = ""
        self._at = 0  # the place in the text
        self._base = 0  # the place of the text in the file

    def read(self) -> Any:
        """Return the document. Raises MalformedPayload where it is none."""
        self._file.seek(0)
        while len(self._text) < len(_BOM) and self._more():
            pass
        if self._text.startswith(_BOM):
            self._at = len(_BOM)
        value = self._value(())
        if self._next():
            raise MalformedPayload
        return value

    def _value(self, path: tuple[str, ...]) -> Any:
        begin = self._next()
        if path and not self._is_apart(path):
            begin = ""
        if begin == "{":
            return self._object(path)
        if begin == "[" and path:
            return self._items()
        return loads(self._skipped())

    def _object(self, path: tuple[str, ...]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for _ in self._parts("{", "}"):
            if self._next() != '"':
                raise MalformedPayload
            name = loads(self._skipped())
            self._take(":")
            members[name] = self._value((*path, name))
        return members

    def _items(self) -> JsonItems:
        places = array("Q")
        for _ in self._parts("[", "]"):
            self._next()
            start = self._base + self._at
            self._skip()
            places.extend((start, self._base + self._at))
        return JsonItems(self._file, places)

    def _parts(self, begin: str, end: str) -> Iterator[None]:
        """Go through the members of an object or the items of an array, each to be read."""
        self._take(begin)
        if self._next() != end:
            yield
            while self._next() == ",":
                self._at += 1
                yield
        self._take(end)

    def _skipped(self) -> bytes:
        """Return the text of the next value, which is behind it then."""
        start = self._skip()
        return self._text[start : self._at].encode("latin-1")

    def _skip(self) -> int:
        """Go behind the next value, and return where it begins in the text."""
        self._next()
        while True:
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except JSONDecodeError as error:
                is_begun = error.msg.startswith("Unterminated string")
                is_near = is_begun or len(self._text) - error.pos < _NEAR
            except (ValueError, RecursionError):
                raise MalformedPayload from None
            else:
                length = end - self._at
                # A number near the end of what was read may go on behind it.
                if len(self._text) - end < _NEAR and self._more():
                    continue
                start = self._at
                self._at = start + length
                return start
            if not is_near or not self._more():
                raise MalformedPayload

    def _next(self) -> str:
        """Go behind white space, and return what comes then, nothing at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            assert space is not None
            self._at = space.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _take(self, mark: str) -> None:
        if self._next() != mark:
            raise MalformedPayload
        self._at += 1

    def _more(self) -> bool:
        """Read on, twice as much as is needed of what was read, and return whether there was more.

        So a value that is longer than what is read at once is gone over a few times only.
        """
        rest = self._text[self._at :]
        self._file.seek(self._base + len(self._text))
        read = self._file.read(max(_PIECE, 2 * len(rest))).decode("latin-1")
        for mark in self._left:
            self._left[mark] -= read.count(mark)
            if self._left[mark] < 0:
                raise self._too_many
        self._base += self._at
        self._at, self._text = 0, rest + read
        return bool(read)
