"""The command ``mockgraph check``."""

from __future__ import annotations

import os
import sys

import click

from mockgraph.cli.arguments import option, progress_bar, reporting_errors


@click.command()
@option(
    "--url",
    required=True,
    metavar="URL",
    help="The real service with the root, https://graph.microsoft.com/v1.0.",
)
@option(
    "--against",
    default="http://127.0.0.1:8365/v1.0",
    metavar="URL",
    help="The mock with the root.",
)
@option(
    "--path",
    "paths",
    multiple=True,
    metavar="PATH",
    help="What is asked for, below the root, security/alerts_v2?$top=5; by default the first "
    "entity of each collection of /security. May be repeated.",
)
@option(
    "--requests",
    metavar="FILE",
    help="Requests to send, a JSON object a line: method, path, headers, body.",
)
@option("--writes/--no-writes", help="Send requests that may write, too: to both of them.")
@option(
    "--token-from",
    metavar="VARIABLE",
    help="Environment variable that holds the bearer token for the real service.",
)
def check(
    url: str,
    against: str,
    paths: tuple[str, ...],
    requests: str | None,
    writes: bool,
    token_from: str | None,
) -> None:
    """Send the same requests to a real service and to a mock, and list how the mock differs."""
    from mockgraph.pages.contract_check import Asked, RemoteServer, check_contract, collections
    from mockgraph.pages.request_files import read_requests

    with reporting_errors():
        token = os.environ.get(token_from) if token_from else None
        if token_from and not token:
            raise click.UsageError(f"The environment variable {token_from} holds no token.")
        asked = [Asked("GET", path) for path in paths]
        asked += read_requests(requests) if requests else []
        asked = asked or collections(against.rstrip("/").rpartition("/")[2])
        found = 0
        with progress_bar(len(asked), "Checking") as advance:
            ends = RemoteServer(url, token), RemoteServer(against, "check")
            for drift in check_contract(*ends, asked, writes=writes):
                advance(1)
                found += bool(drift.differences)
                for each in drift.differences:
                    click.echo(f"{drift.request}: {each}")
        click.echo(f"{len(asked)} requests: {len(asked) - found} answered alike, {found} not.")
    sys.exit(1 if found else 0)
