"""Reports in files: text, JSON, HTML that loads nothing, and XML as JUnit has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import orjson

from mockgraph.errors import MockGraphError

if TYPE_CHECKING:
    from mockgraph.testing.reports.report import Report

_SHOWN = 20  # lines of a section in a terminal


def write_report(report: Report, path: Path) -> None:
    """Write a report to a file by the ending of its name. Raises MockGraphError."""
    make = _WRITERS.get(path.suffix.lower())
    if make is None:
        known = ", ".join(_WRITERS)
        raise MockGraphError(f"{path}: A report is written to a file that ends in {known}.")
    try:
        path.write_bytes(make(report))
    except OSError as error:
        raise MockGraphError(f"{path} cannot be written: {error.strerror}.") from None


def report_text(report: Report) -> str:
    """Return a report as lines, each section cut where it is long."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    called = sum(len(each.called) for each in report.coverage)
    share = f", {report.covered:.1f} % of those of the resources used" if report.coverage else ""
    yield f"{report.requests} requests, {called} operations called{share}"
    for each in report.permissions:
        granted = f"; granted {', '.join(each.granted)}" if each.granted else ""
        yield f"{each.kind}: needed at least {', '.join(each.least) or 'none'}{granted}"
        if each.unneeded:
            yield f"  not needed: {', '.join(each.unneeded)}"
    for title, remarks in (("misdeed", report.misdeeds), ("advice", report.advice)):
        for one in remarks[:_SHOWN]:
            first = f"{one.times} times, first request {one.first}"
            yield f"{title}: {one.rule}: {one.operation}, {first}"
        if len(remarks) > _SHOWN:
            yield f"... and {len(remarks) - _SHOWN} more of {title}"
    for slow in report.latencies[:5]:
        yield f"{slow.p95:.1f} ms at the 95th percentile: {slow.operation}, {slow.times} times"
    for fault in report.idle_faults[:_SHOWN]:
        yield f"a fault never struck: {orjson.dumps(fault).decode()}"
    for one_path in report.unemulated[:_SHOWN]:
        yield f"not emulated: {one_path}"


def _as_text(report: Report) -> bytes:
    return report_text(report).encode()


def _as_json(report: Report) -> bytes:
    return orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _as_html(report: Report) -> bytes:
    from jinja2 import Environment

    template = resources.files(__package__).joinpath("report.html").read_text("utf-8")
    return Environment(autoescape=True).from_string(template).render(report=report).encode()


def _as_junit(report: Report) -> bytes:
    """Return a suite with a case for each operation called, and one for each misdeed, which fails.

    Advice is the output of the suite.
    """
    cases = [
        f"  <testcase classname={quoteattr(each.resource)} name={quoteattr(name)}/>"
        for each in report.coverage
        for name in each.called
    ]
    cases += [
        f'  <testcase classname="misdeeds" name={quoteattr(f"{each.rule}: {each.operation}")}>'
        f"<failure message={quoteattr(each.hint)}>{each.times} times</failure></testcase>"
        for each in report.misdeeds
    ]
    said = "\n".join(f"{each.rule}: {each.operation}: {each.hint}" for each in report.advice)
    written = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name="mockgraph" tests="{len(cases)}" failures="{len(report.misdeeds)}">',
        *cases,
        f"  <system-out>{escape(_printable(said))}</system-out>",
        "</testsuite>",
    ]
    return _printable("\n".join(written)).encode() + b"\n"


def _printable(text: str) -> str:
    """Return a text without the characters that XML cannot have."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)


_WRITERS: Mapping[str, Callable[[Report], bytes]] = {
    ".html": _as_html,
    ".json": _as_json,
    ".xml": _as_junit,
    ".txt": _as_text,
}
