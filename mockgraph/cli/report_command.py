"""``mockgraph report``: a report on the journal of a running server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from mockgraph.cli.arguments import option, reporting_errors, server_options

F = TypeVar("F", bound=Callable[..., Any])

_CHECKS = ("misdeeds", "advice", "permissions", "idle-faults", "unemulated")


def checks(command: F) -> F:
    """Add the options by which a report fails a command: ``fail_under`` and ``fail_on``."""
    for each in reversed(_CHECKING):
        command = each(command)
    return command


_CHECKING = (
    option(
        "--fail-under",
        type=float,
        metavar="PERCENT",
        help="Exit with 1 where fewer of the operations of the resources used were called.",
    ),
    option(
        "--fail-on",
        multiple=True,
        type=click.Choice(_CHECKS),
        help="Exit with 1 where there is any; may be repeated.",
    ),
)


@click.command()
@server_options
@option("--all-tenants", is_flag=True, help="On every tenant of the server, not on one.")
@option(
    "--output",
    metavar="FILE",
    help="File to write it to, as HTML, JSON, JUnit's XML or text by its ending; by default it is "
    "printed as text.",
)
@checks
def report(
    url: str,
    tenant: str | None,
    control_token: str | None,
    all_tenants: bool,
    output: str | None,
    fail_under: float | None,
    fail_on: tuple[str, ...],
) -> None:
    """Report which operations and permissions the requests to a running server used, what Graph's
    guidance says of them, and how long they took."""
    from mockgraph.cli.remote import Remote
    from mockgraph.control.catalogue import named
    from mockgraph.testing.reports import Report

    with reporting_errors():
        asked = {"all_tenants": all_tenants, "facts": True}
        remote = Remote(url, tenant, control_token)
        found = Report(remote.act(named("read_report"), asked))
        if output is None:
            click.echo(found.text(), nl=False)
        else:
            found.write(output)
        failures = found.failures(fail_under, fail_on)
    for each in failures:
        click.echo(each, err=True)
    sys.exit(1 if failures else 0)
