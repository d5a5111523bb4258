"""The command ``mockgraph serve``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from mockgraph import __version__
from mockgraph.cli.arguments import (
    option,
    reporting_errors,
    settings_options,
    tell_unknown_variables,
)
from mockgraph.collector import leave_alone, uncollected

if TYPE_CHECKING:
    from mockgraph.server_options import FilePath, Settings
    from mockgraph.serving.server import Server


@click.command()
@settings_options()
@option("--quiet", is_flag=True, help="Write no line for each request.")
@option(
    "--log",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How lines are written to the standard error: as text, or as an object each.",
)
def serve(quiet: bool, log: str, **given: Any) -> None:
    """Serve until SIGTERM or Ctrl+C; requests under way are finished, unless told twice."""
    tell_unknown_variables(os.environ)
    with reporting_errors():
        _serve(given, quiet=quiet, as_json=log == "json")


def _ca_command(ca_dir: FilePath | None) -> str:
    """The command that tells of the authority kept in a directory; good wherever it is typed."""
    if ca_dir is None:
        return "mockgraph ca"
    path = os.path.abspath(ca_dir)
    return "mockgraph ca --ca-dir " + (f'"{path}"' if " " in path else path)


def _serve(given: dict[str, Any], *, quiet: bool, as_json: bool) -> None:
    with uncollected():
        from mockgraph.app import create_app
        from mockgraph.seeds import read_seeds
        from mockgraph.server_options import Settings
        from mockgraph.serving.ports import certificates, open_server
        from mockgraph.serving.server.process import Shutdown, logging_to, take_descriptors
    settings = Settings(**given)
    settings = replace(settings, seed=read_seeds(settings.seed))
    given_certificates = certificates(settings)
    with logging_to(sys.stderr, as_json=as_json) as writer:
        with uncollected():
            app = create_app(settings)
        take_descriptors()
        leave_alone()
        try:
            log = None if quiet else writer
            server = open_server(app, settings, given_certificates, log, app.body_limit)
            shutdown = Shutdown(server)
            server.start()
            _tell(server, settings)
            shutdown.wait()
        finally:
            app.extensions["mockgraph"].close()


def _tell(server: Server, settings: Settings) -> None:
    """Say that it is ready, and where; of a certificate that is the user's own, only that."""
    ca = _ca_command(settings.ca_dir)
    click.echo(f"MockGraph {__version__} is ready: {server.origin}/localtest/Security")
    if server.tls_origin:
        trust = f"; {ca} tells how to trust it" if settings.tls_cert is None else ""
        click.echo(f"  and {server.tls_origin}/localtest/Security{trust}")
    if server.proxy_url:
        click.echo(f"  and, as a proxy, {server.proxy_url}; {ca} tells how to use it")
    kept = settings.store or "memory"
    click.echo(f"  console at {server.origin}/, state in {kept}; stop it with Ctrl+C")
    sys.stdout.flush()
