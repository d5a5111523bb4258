"""``mockgraph run``, a server for as long as a command runs, and ``mockgraph wait`` for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from mockgraph.cli.arguments import (
    option,
    reporting_errors,
    server_options,
    settings_options,
)
from mockgraph.cli.report_command import checks
from mockgraph.errors import MockGraphError

if TYPE_CHECKING:
    from mockgraph.api import MockGraph
    from mockgraph.testing.reports import Report

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as shells have it
_PAUSE = 0.05  # seconds between two looks


@click.command(context_settings={"ignore_unknown_options": False})
@settings_options(as_in_python=True)
@option(
    "--report",
    variable="RUN_REPORT",
    metavar="FILE|-",
    help="File to write a report on the requests to, as HTML, JSON, JUnit's XML or text by its "
    "ending; - prints it to the standard error.",
)
@checks
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    command: tuple[str, ...],
    report: str | None,
    fail_under: float | None,
    fail_on: tuple[str, ...],
    **given: Any,
) -> None:
    """Serve while a command runs, and end with its exit code: mockgraph run -- npm test.

    The ports are free ones unless they are given. The command finds the server in MOCKGRAPH_URL,
    with --tls in MOCKGRAPH_TLS_URL, and with --proxy by HTTPS_PROXY and the variables that name the
    authority to trust.
    """
    from mockgraph.api import MockGraph
    from mockgraph.testing.reports import Report, merged_facts

    with reporting_errors():
        with MockGraph(**given) as graph:
            code = _code_of(command, os.environ | variables(graph))
            found = Report(merged_facts(graph.facts()))
        failures = _conclude(found, report, fail_under, fail_on)
    for each in failures:
        click.echo(each, err=True)
    sys.exit(code or (1 if failures else 0))


def variables(graph: MockGraph) -> Mapping[str, str]:
    """Return the variables by which a command finds a server."""
    settings = graph.settings
    found = {"MOCKGRAPH_URL": graph.origin}
    if settings.tls:
        found["MOCKGRAPH_TLS_URL"] = graph.tls_origin
        if settings.tls_cert is None:
            found |= {"NODE_EXTRA_CA_CERTS": graph.ca, "REQUESTS_CA_BUNDLE": graph.ca}
            found |= {"SSL_CERT_FILE": graph.ca, "CURL_CA_BUNDLE": graph.ca}
    if settings.proxy:
        found |= graph.proxy_environment
    return found


def _code_of(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command and return its exit code; signals to this process are passed on to it."""
    try:
        process = subprocess.Popen(command, env=dict(environment))
    except FileNotFoundError:
        click.echo(f"There is no command {command[0]}.", err=True)
        return _NOT_FOUND
    except OSError as error:
        click.echo(f"{command[0]} cannot be run: {error.strerror}.", err=True)
        return _NOT_EXECUTABLE

    def pass_on(number: int, _: Any) -> None:
        process.send_signal(number)

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on)}
    # Ctrl+C reaches the command by the terminal.
    before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def _conclude(
    found: Report, path: str | None, fail_under: float | None, fail_on: tuple[str, ...]
) -> list[str]:
    if path == "-":
        click.echo(found.text(), nl=False, err=True)
    elif path is not None:
        found.write(path)
    return found.failures(fail_under, fail_on)


@click.command()
@server_options
@option("--timeout", type=float, default=30.0, metavar="SECONDS", help="How long to wait for it.")
def wait(timeout: float, **server: str | None) -> None:
    """Wait until a server is ready; exit with 1 where it is not in time."""
    from mockgraph.cli.remote import Remote
    from mockgraph.control.catalogue import named

    health, remote = named("read_health"), Remote(str(server["url"]))
    until = time.monotonic() + timeout
    with reporting_errors():
        while True:
            try:
                told = remote.act(health, {})
            except MockGraphError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_PAUSE)
            else:
                break
    click.echo(f"MockGraph {told['version']} is ready: {remote.url}")
