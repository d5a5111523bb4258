"""JSON as pages print it: read whole, with a note of each thing that is not JSON.

Well-formed text is parsed at once. Other text is read by a parser that goes on where the intent
is plain: comments, ellipses, commas too many or too few, quotes of other kinds or none, raw
control characters, placeholders without quotes, brackets that are never closed.
"""

from __future__ import annotations

import re
from typing import Final

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.metadata.names import Json

MAX_DEPTH: Final = 100
_MOST_NOTES: Final = 5

_BLANK: Final = re.compile(r"[\s\ufeff\u00a0\u200b]+")
_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|<!--.*?(?:-->|\Z)|#[^\n]*", re.DOTALL)
_ELLIPSIS: Final = re.compile(r"\.{2,}|\u2026")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?(?![\w.:-])")
_BARE: Final = re.compile(r"[^\s,:\[\]{}\"\u201c\u201d][^,\[\]{}\n\"\u201c\u201d]*")
_BARE_KEY: Final = re.compile(r"[@$\w][\w.@$ -]*?(?=\s*:)")
_PLACEHOLDER: Final = re.compile(r"\{\s*[\w .|/-]*\}")
_NEXT_LINE: Final = re.compile(r"\s{0,200}(?:\"[^\"\n]{0,200}\"\s*:|[}\]]|\Z)")
_WORDS: Final = {"true": True, "false": False, "null": None, "none": None, "nan": None}
_QUOTES: Final = {
    '"': '"\u201d\u201c',
    "\u201c": '\u201d\u201c"',
    "\u201d": '\u201d\u201c"',
    "'": "'",
}
_ESCAPES: Final = {
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    '"': '"',
    "\\": "\\",
    "/": "/",
}


def read_printed_json(text: str) -> tuple[Json, tuple[str, ...]]:
    """Return the value that a text prints, and what of the text is not JSON, with its lines.

    The notes are empty for JSON. Raises MockGraphError, with the line, where no value can be
    made out.
    """
    try:
        return orjson.loads(text), ()
    except orjson.JSONDecodeError:
        return _TextReader(text).read()


class _TextReader:
    """A text, read from its beginning to its end; no place is read twice."""

    def __init__(self, text: str):
        self._text = text
        self._at = 0
        self._after_comma = False
        self._notes: dict[str, None] = {}

    def read(self) -> tuple[Json, tuple[str, ...]]:
        self._skip()
        if self._at >= len(self._text):
            raise MockGraphError("The documented body is not JSON: there is none.")
        if self._peek() not in "{[" and self._peek() not in _QUOTES and not self._is_literal():
            raise self._error("a value is expected")
        value = self._value(0)
        self._skip()
        if self._at < len(self._text):
            self._note("text after the end")
        return value, tuple(self._notes)

    def _is_literal(self) -> bool:
        """Whether the text is a number, true, false or null, as no prose is."""
        rest = self._text[self._at :].strip()
        return rest in ("true", "false", "null") or _NUMBER.fullmatch(rest) is not None

    # -- values -------------------------------------------------------------------------------

    def _value(self, depth: int) -> Json:
        if depth > MAX_DEPTH:
            raise self._error(f"it is nested more than {MAX_DEPTH} levels deep")
        mark = self._peek()
        if mark == "{":
            placeholder = _PLACEHOLDER.match(self._text, self._at)
            if placeholder is not None and placeholder[0].strip("{} \n\t"):
                self._at = placeholder.end()
                self._note("a placeholder without quotes")
                return placeholder[0]
            return self._object(depth)
        if mark == "[":
            return self._array(depth)
        if mark in _QUOTES:
            return self._string()
        return self._bare()

    def _object(self, depth: int) -> dict[str, Json]:
        found: dict[str, Json] = {}
        self._at += 1
        while not self._ends("}", "]"):
            key = self._key()
            self._skip()
            if self._peek() != ":":
                raise self._error(f"a colon is expected after {key[:40]!r}")
            self._at += 1
            self._skip()
            if self._peek() in ("", ",", "}"):
                self._note("a value that is missing")
                found[key] = None
            else:
                found[key] = self._value(depth + 1)
            self._separate()
        return found

    def _array(self, depth: int) -> list[Json]:
        found: list[Json] = []
        self._at += 1
        while not self._ends("]", "}"):
            found.append(self._value(depth + 1))
            self._separate()
        return found

    def _ends(self, closer: str, other: str) -> bool:
        """Whether the array or object ends here; a closer of the other kind ends it, too."""
        self._skip_commas()
        mark = self._peek()
        if mark == closer:
            self._at += 1
            return True
        if not mark or mark == other:
            self._note(f"a '{closer}' that is missing")
            return True
        return False

    def _separate(self) -> None:
        self._skip()
        mark = self._peek()
        self._after_comma = mark == ","
        if mark == ",":
            self._at += 1
        elif mark not in ("", "}", "]"):
            self._note("a comma that is missing")

    def _skip_commas(self) -> None:
        """Pass what stands for no element: blanks, comments, ellipses, commas too many."""
        self._skip()
        if self._after_comma and self._peek() in ("}", "]"):
            self._note("a comma too many")
        while True:
            ellipsis = _ELLIPSIS.match(self._text, self._at)
            if ellipsis is not None:
                self._note("an ellipsis")
                self._at = ellipsis.end()
            elif self._peek() == ",":
                self._note("a comma too many")
                self._at += 1
            else:
                return
            self._skip()

    def _key(self) -> str:
        if self._peek() in _QUOTES:
            key = self._string()
            if key != key.strip():
                self._note("a name with blanks around it")
            return key.strip()
        bare = _BARE_KEY.match(self._text, self._at)
        if bare is None:
            raise self._error("a name is expected")
        self._note("a name without quotes")
        self._at = bare.end()
        return bare[0].strip()

    def _bare(self) -> Json:
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            self._note_number(number[0])
            return _number(number[0])
        bare = _BARE.match(self._text, self._at)
        if bare is None:
            raise self._error("a value is expected")
        text = re.split(r"\s*(?://|/\*)", bare[0], maxsplit=1)[0].strip()
        self._at += max(len(text), 1)
        if text in ("true", "false", "null"):
            return _WORDS[text]
        self._note("a value without quotes")
        return _WORDS.get(text.lower(), text)

    def _note_number(self, text: str) -> None:
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            self._note("a number that is not written as JSON has it")

    # -- strings ------------------------------------------------------------------------------

    def _string(self) -> str:
        text, closers = self._text, _QUOTES[self._text[self._at]]
        if text[self._at] != '"':
            self._note("quotes of another kind")
        self._at += 1
        pieces: list[str] = []
        while self._at < len(text):
            mark = text[self._at]
            if mark in closers and (mark == closers[0] or self._closes()):
                if mark != '"' and closers[0] == '"':
                    self._note("quotes of another kind")
                self._at += 1
                return "".join(pieces)
            if mark == "\\":
                pieces.append(self._escape())
                continue
            if mark == "\n" and _NEXT_LINE.match(text, self._at + 1):
                self._note("a quote that is missing")
                return "".join(pieces).rstrip().removesuffix(",")
            if mark < " ":
                self._note("a raw control character")
            pieces.append(mark)
            self._at += 1
        self._note("a quote that is missing")
        return "".join(pieces)

    def _closes(self) -> bool:
        """Whether a quote of another kind is the end of a string: what follows ends a value."""
        after = self._text[self._at + 1 : self._at + 80].lstrip(" \t")
        return not after or after[0] in ",:}]\n\r"

    def _escape(self) -> str:
        letter = self._text[self._at + 1 : self._at + 2]
        if letter == "u" and re.fullmatch(
            r"[0-9a-fA-F]{4}", self._text[self._at + 2 : self._at + 6]
        ):
            return self._unicode()
        self._at += 2
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        self._note("an escape that is none")
        return f"\\{letter}"

    def _unicode(self) -> str:
        found = re.compile(r"(?:\\u[0-9a-fA-F]{4})+").match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        units = bytes.fromhex(found[0].replace("\\u", ""))
        return units.decode("utf-16-be", "replace")

    # -- what stands between ------------------------------------------------------------------

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        """Pass blanks and comments."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            if blank is not None:
                self._at = blank.end()
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                return
            self._note("a comment")
            self._at = comment.end()

    def _note(self, what: str) -> None:
        if len(self._notes) < _MOST_NOTES:
            self._notes.setdefault(what)

    def _error(self, message: str) -> MockGraphError:
        line = self._text.count("\n", 0, self._at) + 1
        return MockGraphError(f"The documented body is not JSON: line {line}: {message}.")


def _number(text: str) -> Json:
    if re.fullmatch(r"[+-]?\d{1,19}", text):
        return int(text)
    value = float(text)
    return value if value - value == 0 else None  # as JSON has no infinity
