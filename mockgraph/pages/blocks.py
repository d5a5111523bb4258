"""Markdown as Microsoft's pages use it: front matter, annotated code blocks, tables.

HTML comments that hold JSON with a ``blockType`` annotate the fenced block after them. Of
tabbed content (``# [HTTP](#tab/http)`` ... ``---``) the HTTP tab alone is read; the others hold
snippets for SDKs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^([\w.-]+):(.*)$", re.MULTILINE)
_TAB = re.compile(r"\]\(#tab/([\w-]+)")
# A pair in an annotation that is not quite JSON: no quotes or single ones, commas that are
# missing or too many, braces likewise.
_PAIR = re.compile(
    r"""(?<![\w@.])["']?([\w@.]+)["']?\s*:\s*(?:"([^"\n]*)"|'([^'\n]*)'|([\w@.]+))"""
)

# What a comment of a page never holds: a code block, or another comment.
_HIDDEN = re.compile(r"^[ \t]*(?:```|~~~)|<!--", re.MULTILINE)
_END_OF_JSON = re.compile(r"^[ \t]*\}[ \t]*-{0,2}>?[ \t]*$", re.MULTILINE)

# Inline text is parsed where it is asked for, see plain(), and holds no images; without setext
# headings a "---" right after a paragraph still ends the tabs; reference definitions can take
# quadratic time, so links by reference stay as printed.
_UNUSED = ["inline", "image", "lheading", "reference"]

Annotation = Mapping[str, Any]


class Fence(NamedTuple):
    """A fenced code block: its line in the page, the headings above it, its annotation.

    The annotation's keys are in lower case, however the page writes them.
    """

    line: int
    section: tuple[str, ...]
    language: str
    text: str
    annotation: Annotation


class Table(NamedTuple):
    """A table; cells are the Markdown in them (see :func:`plain_text`)."""

    section: tuple[str, ...]
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Heading(NamedTuple):
    """A heading's plain text."""

    text: str


class Paragraph(NamedTuple):
    """A paragraph's Markdown, and the headings above it."""

    section: tuple[str, ...]
    text: str


Block = Fence | Table | Heading | Paragraph


def split_front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return the fields of the front matter (lower-case names), and the text with it blanked out.

    Of YAML, one-line scalars are understood; nothing more is used here. Lines keep their
    numbers. Text without front matter comes back as it is.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        return {}, text
    fields = {name.lower(): _scalar(value.strip()) for name, value in _FIELD.findall(match[1])}
    return fields, "\n" * match[0].count("\n") + text[match.end() :]


def closed(markdown: str) -> tuple[str, tuple[int, ...]]:
    """Return the text with each comment closed that is not, and the lines of those.

    A comment that is never closed, or only by the next one's end, would hide all in between. It
    ends with its JSON, or with its line. Lines keep their numbers.
    """
    pieces: list[str] = []
    lines: list[int] = []
    done, end, line, counted = 0, 0, 1, 0
    while (start := markdown.find("<!--", end)) >= 0:
        end = markdown.find("-->", start + 4)
        further = _HIDDEN.search(markdown, start + 4, end if end >= 0 else len(markdown))
        if end >= 0 and further is None:
            end += 3
            continue
        before = further.start() if further else len(markdown)
        json = _END_OF_JSON.search(markdown, start + 4, before)
        newline = markdown.find("\n", start)
        end = json.end() if json else before if newline < 0 else min(newline, before)
        pieces += [markdown[done:end], " -->"]
        line += markdown.count("\n", counted, start)
        counted = start
        lines.append(line)
        done = end
    return "".join([*pieces, markdown[done:]]), tuple(dict.fromkeys(lines))


def read_blocks(markdown: str) -> Iterator[Block]:
    """Give the blocks of a page in order."""
    tokens = _parser().parse(markdown)
    section: dict[int, str] = {}
    annotation: Annotation = {}
    in_other_tab = False
    for index, token in enumerate(tokens):
        if token.type == "hr":
            in_other_tab = False
        elif token.type == "heading_open":
            content = tokens[index + 1].content
            tab = _TAB.search(content)
            in_other_tab = tab is not None and tab[1].lower() != "http"
            if tab is None:  # the tabs above hold no headings: they end here at the latest
                level = int(token.tag[1:])
                section = {outer: text for outer, text in section.items() if outer < level}
                section[level] = plain_text(content)
                yield Heading(section[level])
        elif in_other_tab:
            continue
        elif token.type in ("html_block", "inline"):
            annotation = _annotation(token.content) or annotation
            if token.type == "inline" and tokens[index - 1].type == "paragraph_open":
                yield Paragraph(tuple(section.values()), token.content)
        elif token.type == "fence":
            language = token.info.strip().partition(" ")[0].lower()
            above = tuple(section.values())
            yield Fence(_line(token), above, language, token.content, annotation)
            annotation = {}
        elif token.type == "table_open":
            header, *rows = _rows(tokens, index)
            yield Table(tuple(section.values()), header, tuple(rows))


def plain_text(markdown: str) -> str:
    """Return the text of a line of Markdown, without links, emphasis, code marks and HTML."""
    parser = _parser()
    tokens = parser.inline.parse(markdown, parser, {}, [])
    return " ".join("".join(" " if t.type == "html_inline" else t.content for t in tokens).split())


@cache
def _parser() -> MarkdownIt:
    # Imported here: a program that reads no pages need not wait for the parser.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table").disable(_UNUSED)


def _scalar(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        quote = value[0]
        return value[1:-1].replace('\\"' if quote == '"' else "''", quote)
    return value


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0


def _rows(tokens: list[Token], index: int) -> Iterator[tuple[str, ...]]:
    row: list[str] = []
    while (token := tokens[index]).type != "table_close":
        if token.type == "inline":
            row.append(token.content)
        elif token.type == "tr_close":
            yield tuple(row)
            row = []
        index += 1


def _annotation(text: str) -> Annotation:
    """The last annotation among the comments of a text, empty where there is none."""
    found: Annotation = {}
    end = 0
    while (start := text.find("<!--", end)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        pairs = _pairs(text[start + 4 : end])
        if "blocktype" in pairs:
            found = pairs
    return found


def _pairs(comment: str) -> Annotation:
    try:
        value = orjson.loads(comment)
    except orjson.JSONDecodeError:
        value = {name: "".join(values) for name, *values in _PAIR.findall(comment)}
    return {name.lower(): item for name, item in value.items()} if isinstance(value, dict) else {}
