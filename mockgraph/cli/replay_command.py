"""The command ``mockgraph replay``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from mockgraph.cli.arguments import csdl_option, docs_option, option, progress_bar, reporting_errors

if TYPE_CHECKING:
    from mockgraph.pages.replay_report import Detail


@click.command()
@option("--url", metavar="URL", help="Server to ask, by default one of its own.")
@docs_option
@csdl_option
@option("--token", default="replay", help="Bearer token to send.")
@option(
    "--report",
    metavar="FILE",
    help="Where to write what was found: as HTML or JUnit by the file's name, else as JSON.",
)
def replay(
    url: str | None,
    docs: tuple[str, ...],
    csdl: tuple[str, ...],
    token: str,
    report: str | None,
) -> None:
    """Send every documented request and compare the answer with the documented response."""
    from mockgraph.api import MockGraph
    from mockgraph.pages.examples import replayed_pages
    from mockgraph.pages.replay import replay_pages
    from mockgraph.pages.served_pages import service_with

    with reporting_errors():
        pages = replayed_pages(docs)
        service = service_with(docs, csdl)
        server = MockGraph(docs=docs, csdl=csdl) if url is None else nullcontext()
        count = sum(len(page.examples) + len(page.skipped) for page in pages)
        with server as graph, progress_bar(count, "Replaying") as advance:

            def tell(detail: Detail) -> None:
                advance(1)
                if detail.outcome != "answered":
                    line = " ".join(f"{detail.request}  ({detail.page})".split())
                    click.echo(f"{detail.outcome:10} {line}: {detail.reason}")
                    if detail.diff and not report:
                        click.echo(detail.diff)

            origin = url if graph is None else graph.origin
            found = replay_pages(origin or "", pages, service, token, tell)
        for line in found.summary:
            click.echo(line)
        if report is not None:
            found.write(report)
    sys.exit(0 if found.passed else 1)
