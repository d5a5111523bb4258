"""Lists in query options: split where a comma or a semicolon stands outside of quotes and
parentheses."""

from __future__ import annotations

import re

from mockgraph.errors import BadRequest
from mockgraph.odata.syntax import quoted

_PIECES = re.compile(r"""'(?:[^']|'')*+'|"(?:[^"\\]|\\.)*+"|[(),;]|[^'"(),;]+""", re.DOTALL)


def split(text: str, separator: str) -> list[str]:
    """The parts of a list, trimmed; raises BadRequest where one is empty or unbalanced."""
    parts, start, depth, position = [], 0, 0, 0
    while position < len(text):
        match = _PIECES.match(text, position)
        if match is None:
            raise BadRequest(f"a quote is not closed at {quoted(text[position:])}.")
        piece, position = match.group(), match.end()
        if piece == "(":
            depth += 1
        elif piece == ")":
            depth -= 1
            if depth < 0:
                break
        elif piece == separator and depth == 0:
            parts.append(text[start : match.start()])
            start = position
    if depth:
        raise BadRequest("the parentheses are not balanced.")
    parts.append(text[start:])
    trimmed = [part.strip() for part in parts]
    if "" in trimmed:
        raise BadRequest("an item of the list is empty.")
    return trimmed
