"""Write how much of what is documented MockGraph answers, ``docs/fidelity.md``.

    python -m scripts.write_fidelity [--out FILE] [DIR ...]

The pages are those that come with MockGraph, and those in the folders named. The README shows the
figure of the former between two comments.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from mockgraph import MockGraph
from mockgraph.errors import MockGraphError
from mockgraph.pages.examples import replayed_pages
from mockgraph.pages.replay import replay_pages
from mockgraph.pages.replay_report import OUTCOMES, ReplayReport
from mockgraph.pages.served_pages import service_with

ROOT = Path(__file__).parent.parent
_FIGURE = re.compile(r"(<!-- fidelity -->).*?(<!-- /fidelity -->)", re.DOTALL)
_HEAD = """\
# Fidelity

How many of the documented examples MockGraph answers as documented, written by `make fidelity`.
[The command line](command-line.md#documented-examples) tells what counts;
`make fidelity ARGS="DIR ..."` adds folders of pages.

| Pages | On pages | Examples | {heads} | Answered, of those that can be read |
|:--|--:|--:|{lines}--:|
"""


def measured(docs: Sequence[str]) -> ReplayReport:
    """The outcomes of the examples in folders, or of those that come with MockGraph."""
    pages = replayed_pages(docs)
    with MockGraph(docs=docs) as graph:
        return replay_pages(graph.origin, pages, service_with(docs), "fidelity", lambda _: None)


def percentage(report: ReplayReport) -> str:
    """The part of the examples that can be read which is answered as documented."""
    readable = len(report.details) - report.counts["unreadable"]
    return f"{100 * report.counts['answered'] / readable:.1f} %" if readable else "none"


def document(reports: Iterable[tuple[str, ReplayReport]]) -> str:
    """The page as Markdown."""
    text = _HEAD.format(
        heads=" | ".join(map(str.capitalize, OUTCOMES)), lines="--:|" * len(OUTCOMES)
    )
    gaps: list[str] = []
    for name, report in reports:
        counts = " | ".join(str(report.counts[outcome]) for outcome in OUTCOMES)
        figures = f"{report.pages} | {len(report.details)} | {counts}"
        text += f"| {name} | {figures} | {percentage(report)} |\n"
        gaps += _gaps(name, report)
    listed = "\n".join(gaps) if gaps else "None: all of them are answered as documented."
    return f"{text}\n## Gaps\n\n{listed}\n"


def _gaps(name: str, report: ReplayReport) -> list[str]:
    """Return the examples that are not answered, by outcome and reason."""
    missed = [each for each in report.details if each.outcome != "answered"]
    found = Counter((each.outcome, each.reason, each.page) for each in missed)
    return [
        f"- {name}, `{page}`: {outcome}: {' '.join(reason.split())}"
        + f" ({count} times)" * (count > 1)
        for (outcome, reason, page), count in found.items()
    ]


def main(arguments: Sequence[str]) -> int:
    """Write the page and the figure of the README; 1 where a folder cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("docs", nargs="*", metavar="DIR")
    parser.add_argument("--out", default=str(ROOT / "docs" / "fidelity.md"))
    given = parser.parse_args(arguments)
    try:
        bundled = measured([])
        others = [(Path(each).name, measured([each])) for each in given.docs]
    except MockGraphError as error:
        print(error, file=sys.stderr)
        return 1
    text = document([("Bundled", bundled), *others])
    Path(given.out).write_text(text, encoding="utf-8", newline="\n")
    if Path(given.out) == ROOT / "docs" / "fidelity.md":
        write_figure(ROOT / "README.md", bundled)
    return 0


def write_figure(readme: Path, report: ReplayReport) -> None:
    """Put the figure between the comments of the README."""
    figure = (
        f"{report.counts['answered']} of the {len(report.details)} documented examples that come "
        "with it are"
    )
    text = readme.read_text(encoding="utf-8")
    written = _FIGURE.sub(lambda found: f"{found[1]}{figure}{found[2]}", text)
    readme.write_text(written, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
