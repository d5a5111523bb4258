"""What options of the command line have in common, and what they say when they do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from mockgraph.errors import GraphError, MockGraphError

F = TypeVar("F", bound=Callable[..., Any])

_PREFIX = "MOCKGRAPH_"
_VARIABLES: set[str] = set()  # of the options of all commands
_MOST_TOLD = 10


def option(name: str, *destination: str, **attributes: Any) -> Callable[[Any], Any]:
    """An option with its environment variable and default shown in the help."""
    variable = _PREFIX + name.partition("/")[0].strip("-").replace("-", "_").upper()
    _VARIABLES.add(variable)
    shown: dict[str, Any] = {"envvar": variable, "show_envvar": True, "show_default": True}
    return click.option(name, *destination, **shown | attributes)


docs_option = option(
    "--docs",
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    help="Directory of reference pages to use instead of the bundled ones; may be repeated.",
)

ca_dir_option = option(
    "--ca-dir",
    metavar="DIR",
    show_default=False,
    help="Where the authority for --tls and --proxy is kept; by default where users keep such "
    "state.",
)


def server_options(command: F) -> F:
    """The options that name a running server: ``url``, ``tenant`` and ``control_token``."""
    for each in reversed(_SERVER_OPTIONS):
        command = each(command)
    return command


_SERVER_OPTIONS = (
    option(
        "--url",
        default="http://127.0.0.1:8365",
        metavar="URL",
        help="The server, which is running.",
    ),
    option("--tenant", metavar="NAME", help="Tenant of the server, as in /t/NAME."),
    option("--control-token", metavar="TEXT", help="What its control plane asks for."),
)


def tell_unknown_variables(environ: Iterable[str]) -> None:
    """Say, a line each on the standard error, which variables look like an option's and are none.

    Of very many only the first ones are told.
    """
    unknown = [name for name in environ if name.startswith(_PREFIX) and name not in _VARIABLES]
    for name in sorted(unknown)[:_MOST_TOLD]:
        near = nearest(name, sorted(_VARIABLES))
        click.echo(f"{name} is the variable of no option; the nearest is {near}.", err=True)
    if len(unknown) > _MOST_TOLD:
        click.echo(f"... and {len(unknown) - _MOST_TOLD} more such variables.", err=True)


def nearest(name: str, names: Iterable[str]) -> str:
    """The name, of one or more, that is spelt most like another."""
    from difflib import SequenceMatcher

    return max(names, key=lambda each: SequenceMatcher(None, each, name).ratio())


class told:
    """Faults of the setup as one line and exit code 1."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (MockGraphError, GraphError)):
            raise click.ClickException(str(error)) from None
