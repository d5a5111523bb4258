"""The command line: ``mockgraph serve``, ``hunt``, ``state``, ``replay``, ``routes`` and others.

Beside these there is a command for each action of the control plane, ``mockgraph reset``. Options
of servers have environment variables, ``MOCKGRAPH_`` and their names. Heavy imports wait until a
command runs.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module

import click

from mockgraph import __version__
from mockgraph.cli.arguments import (
    CommandGroup,
    ca_dir_option,
    option,
    reporting_errors,
    server_options,
)

# The modules of the commands that are not written here.
MODULES = {
    "capture": "capture_command",
    "check": "check_command",
    "drift": "metadata_commands",
    "hunt": "hunt",
    "mcp": "mcp",
    "replay": "replay_command",
    "report": "report_command",
    "routes": "metadata_commands",
    "run": "run",
    "serve": "serve",
    "state": "state_commands",
    "wait": "run",
}


class _Commands(CommandGroup):
    """All commands, those of the control plane too; each is loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *MODULES, *self._of_control})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in MODULES:
            command: click.Command = getattr(
                import_module(f"mockgraph.cli.{MODULES[cmd_name]}"), cmd_name
            )
            return command
        return super().get_command(ctx, cmd_name) or self._of_control.get(cmd_name)

    @cached_property
    def _of_control(self) -> dict[str, click.Command]:
        from mockgraph.cli.control_commands import control_commands

        return control_commands()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="MockGraph")
def main() -> None:
    """A local, stateful emulator of the Microsoft Graph Security endpoint."""


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
