"""The command ``mockgraph capture``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click

from mockgraph.cli.arguments import option, progress_bar, reporting_errors

_AZURE_CLI = "azure-cli"


@click.command()
@option("--url", metavar="URL", help="The service with the root, https://graph.microsoft.com/v1.0.")
@option(
    "--token-from",
    metavar="VARIABLE|azure-cli",
    help="Environment variable that holds the bearer token, or the Azure CLI, which is signed in.",
)
@option(
    "--path",
    "paths",
    multiple=True,
    metavar="PATH",
    help="What is read, below the root, security/alerts_v2?$top=50; by default the collections of "
    "/security. May be repeated.",
)
@option("--from", "recording", variable="FROM", metavar="FILE", help="A recording (HAR) instead.")
@option("--to", required=True, metavar="FILE", help="The seed to write.")
@option("--keep", multiple=True, metavar="NAME", help="Property whose texts stay as they are.")
def capture(
    url: str | None,
    token_from: str | None,
    paths: tuple[str, ...],
    recording: str | None,
    to: str,
    keep: tuple[str, ...],
) -> None:
    """Take a real tenant's answers home as a seed, under made-up names and without secrets."""
    from mockgraph.pages.capture import Capture, read_recording, read_service
    from mockgraph.pages.contract_check import RemoteServer, collections

    if (url is None) == (recording is None):
        raise click.UsageError("One of --url and --from is needed.")
    with reporting_errors():
        taken, refusals = Capture(keep), list[str]()
        if url is not None:
            endpoint = RemoteServer(url, _token(token_from))
            root = url.rstrip("/").rpartition("/")[2]
            asked = paths or [each.path.partition("?")[0] for each in collections(root)]
            answers = read_service(endpoint, asked, refusals=None if paths else refusals)
        else:
            answers = read_recording(recording or "")
        with progress_bar(None, "Reading") as advance:
            for answer in answers:
                taken.add(answer)
                advance(1)
        taken.write(Path(to))
    for line in refusals:
        click.echo(f"refused: {line}")
    for line in taken.drift:
        click.echo(f"drift: {line}")
    click.echo(f"{taken.entities} entities are in {to}; look through it before you share it.")


def _token(source: str | None) -> str | None:
    if source is None:
        return None
    if source != _AZURE_CLI:
        if token := os.environ.get(source):
            return token
        raise click.UsageError(f"The environment variable {source} holds no token.")
    command = ["az", "account", "get-access-token", "--resource", "https://graph.microsoft.com"]
    try:
        done = subprocess.run(
            [*command, "--query", "accessToken", "--output", "tsv"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise click.UsageError("The Azure CLI gives no token; sign in with az login.") from None
    return done.stdout.strip()
