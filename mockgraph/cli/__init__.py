"""The command line: ``mockgraph serve``, ``hunt``, ``state``, ``replay``, ``routes`` and others.

Beside these there is a command for each action of the control plane, ``mockgraph reset``. Options
of servers have environment variables, ``MOCKGRAPH_`` and their names. Heavy imports wait until a
command runs.
"""

from __future__ import annotations

from functools import cached_property

import click

from mockgraph import __version__
from mockgraph.cli.arguments import (
    CommandGroup,
    ca_dir_option,
    option,
    reporting_errors,
    server_options,
)
from mockgraph.cli.capture_command import capture
from mockgraph.cli.check_command import check
from mockgraph.cli.hunt import hunt
from mockgraph.cli.mcp import mcp
from mockgraph.cli.metadata_commands import drift, routes
from mockgraph.cli.replay_command import replay
from mockgraph.cli.report_command import report
from mockgraph.cli.run import run, wait
from mockgraph.cli.serve import serve
from mockgraph.cli.state_commands import state


class _Commands(CommandGroup):
    """The commands written here, and those of the control plane, loaded when one is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._of_control})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._of_control.get(cmd_name)

    @cached_property
    def _of_control(self) -> dict[str, click.Command]:
        from mockgraph.cli.control_commands import control_commands

        return control_commands()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="MockGraph")
def main() -> None:
    """A local, stateful emulator of the Microsoft Graph Security endpoint."""


main.add_command(serve)
main.add_command(state)
main.add_command(routes)
main.add_command(drift)
main.add_command(hunt)
main.add_command(replay)
main.add_command(check)
main.add_command(capture)
main.add_command(report)
main.add_command(mcp)
main.add_command(run)
main.add_command(wait)


@main.command()
@server_options
@option("--app", metavar="ID", help="App that it is for, by default any.")
@option("--user", metavar="NAME", help="User that it is for; without, it is the app's own.")
@option(
    "--scope",
    multiple=True,
    metavar="NAME",
    help="Permission in it, also as a client asks for it, with https://graph.microsoft.com/ or "
    "an API of yours in front; .default, or none at all, is all that the app and the user have. "
    "May be repeated.",
)
@option(
    "--authority",
    metavar="URL",
    help="Whose issuer it names, as its reader knows it, https://localhost:8366/contoso.example; "
    "by default Entra's own.",
)
@option("--lifetime", default=3600.0, metavar="SECONDS", help="How long it is good for.")
def token(
    url: str,
    tenant: str | None,
    control_token: str | None,
    app: str | None,
    user: str | None,
    scope: tuple[str, ...],
    authority: str | None,
    lifetime: float,
) -> None:
    """Print an access token of a running server's, for scripts: good for --auth jwt."""
    from mockgraph.cli.remote import Remote

    asked = [name.rpartition("/") for each in scope for name in each.split()]
    names = [name for _, _, name in asked]
    resources = {resource for resource, _, _ in asked if resource}
    if len(resources) > 1:
        raise click.UsageError("A token is for one resource: " + ", ".join(sorted(resources)))
    permissions = None if ".default" in names else names or None
    about = {"app": app, "user": user, "permissions": permissions, "lifetime": lifetime}
    about["authority"] = authority
    if resources:
        about["audience"] = resources.pop()
    with reporting_errors():
        click.echo(Remote(url, tenant, control_token).mint(about))


@main.command()
@ca_dir_option
def ca(ca_dir: str | None) -> None:
    """Print where the certificate authority is, how clients are told to trust it, and --proxy."""
    from mockgraph.serving.proxy import how_to_use
    from mockgraph.serving.tls import authority, how_to_trust

    with reporting_errors():
        path = authority(ca_dir).ca_path
        click.echo(how_to_trust(path))
        click.echo(how_to_use(path))
