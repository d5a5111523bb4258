"""The outcomes of a replay by example, and the report of them as JSON, HTML or JUnit."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import quoteattr

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.files import put

# As documented; in another way; not at all; and what of the page cannot be read or sent.
OUTCOMES: Final = ("answered", "different", "unserved", "unreadable")


class Detail(NamedTuple):
    """The outcome of an example.

    ``reason`` begins with whose the fault is, ``page:`` or ``MockGraph:``; of what was answered
    it says what the page has wrong besides. ``diff`` is a unified diff, empty where there is none.
    """

    page: str
    request: str
    outcome: str
    reason: str = ""
    diff: str = ""


class ReplayReport(NamedTuple):
    """The outcomes of all examples of so many pages."""

    pages: int
    details: Sequence[Detail]

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of examples of each outcome."""
        found = Counter(each.outcome for each in self.details)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    @property
    def passed(self) -> bool:
        """Whether all that could be asked was answered as documented, and something was."""
        counts = self.counts
        return counts["answered"] > 0 and counts["different"] == counts["unserved"] == 0

    @property
    def summary(self) -> list[str]:
        """The counts, and why so many examples were not answered, in lines."""
        counts = self.counts
        asked = len(self.details)
        lines = [
            f"{asked} documented examples on {self.pages} pages: "
            + ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
            + "."
        ]
        for outcome in OUTCOMES[1:]:
            found = Counter(_kind(each.reason) for each in self.details if each.outcome == outcome)
            lines += [f"  {count:5} {outcome}: {kind}" for kind, count in found.most_common(8)]
        return lines

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "pages": self.pages,
            "examples": len(self.details),
            **self.counts,
            "details": [
                {"page": x.page, "request": x.request, "outcome": x.outcome, "reason": x.reason}
                for x in self.details
            ],
        }

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the report: HTML or JUnit where the name ends so, else JSON.

        Raises MockGraphError where the file cannot be written.
        """
        make = {".html": self._html, ".htm": self._html, ".xml": self._junit}
        content = make.get(Path(path).suffix.lower(), self._json)()
        try:
            put(Path(path), content)
        except OSError as error:
            raise MockGraphError(f"{path} cannot be written: {error.strerror}.") from None

    def _json(self) -> bytes:
        return orjson.dumps(self.document(), option=orjson.OPT_INDENT_2) + b"\n"

    def _html(self) -> bytes:
        rows = "".join(
            f'<tr class="{x.outcome}"><td>{x.outcome}</td><td>{_html(x.page)}</td>'
            f"<td><code>{_html(x.request)}</code></td><td>{_html(x.reason)}"
            + (f"<pre>{_html(x.diff)}</pre>" if x.diff else "")
            + "</td></tr>\n"
            for x in self.details
        )
        summary = "".join(f"<li>{_html(line)}</li>" for line in self.summary)
        return _PAGE.format(summary=summary, rows=rows).encode()

    def _junit(self) -> bytes:
        counts = self.counts
        failures, skipped = counts["different"], counts["unserved"] + counts["unreadable"]
        cases = "".join(_case(each) for each in self.details)
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<testsuites><testsuite name="replay" tests="{len(self.details)}" '
            f'failures="{failures}" errors="0" skipped="{skipped}">\n{cases}'
            "</testsuite></testsuites>\n"
        ).encode()


def _case(detail: Detail) -> str:
    start = f"<testcase classname={_xml(detail.page)} name={_xml(detail.request)}"
    if detail.outcome == "answered":
        return f"{start}/>\n"
    tag = "failure" if detail.outcome == "different" else "skipped"
    reason = f"{detail.outcome}: {detail.reason}"
    return f"{start}><{tag} message={_xml(reason)}/></testcase>\n"


def _kind(reason: str) -> str:
    """A reason without the names in it, so that reasons of one kind are counted together."""
    parts = reason.split("'")
    return "'...'".join(parts[::2])[:120] if len(parts) > 2 else reason[:120]


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def _html(text: str) -> str:
    return escape(_printable(text))


def _xml(text: str) -> str:
    return quoteattr(_printable(text))


_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Documented examples</title>
<style>
body {{ font: 14px sans-serif; margin: 2em }}
table {{ border-collapse: collapse }}
td {{ border-top: 1px solid #ccc; padding: 4px 8px; vertical-align: top }}
.different td:first-child {{ color: #b00020 }}
.unserved td:first-child, .unreadable td:first-child {{ color: #805000 }}
.answered td:first-child {{ color: #006000 }}
</style>
<h1>Documented examples</h1>
<ul>{summary}</ul>
<table>
{rows}</table>
</html>
"""
