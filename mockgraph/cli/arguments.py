"""Options that several commands have, and the messages for values that do not fit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from mockgraph.errors import GraphError, MockGraphError
from mockgraph.server_options import Option, Settings, options
from mockgraph.spelling import suggestion

F = TypeVar("F", bound=Callable[..., Any])

_PREFIX = "MOCKGRAPH_"
_VARIABLES: set[str] = set()  # of the options of all commands
_MOST_TOLD = 10


def option(
    name: str, *destination: str, variable: str | None = None, **attributes: Any
) -> Callable[[Any], Any]:
    """Return an option with its environment variable and default shown in the help.

    ``variable`` is for one whose name another command's option, of another kind, has as well.
    """
    named = variable or name.partition("/")[0].strip("-").replace("-", "_").upper()
    variable = _PREFIX + named
    _VARIABLES.add(variable)
    shown: dict[str, Any] = {"envvar": variable, "show_envvar": True, "show_default": True}
    return click.option(name, *destination, **shown | attributes)


def settings_options(
    of: type[Settings] = Settings, *, as_in_python: bool = False
) -> Callable[[F], F]:
    """Return a decorator that gives a command the options of a server, as settings declare them.

    ``as_in_python`` has them default to what they do there: ports to free ones.
    """

    def decorate(command: F) -> F:
        for each in reversed(options(of)):
            shown = each._replace(cli_default=each.default) if as_in_python else each
            command = settings_option(shown)(command)
        return command

    return decorate


def settings_option(about: Option) -> Callable[[F], F]:
    """Return the option of the command line for one that settings declare."""
    name = "--" + (about.flag or about.name).replace("_", "-")
    shown: dict[str, Any] = {"help": about.help, "metavar": about.metavar}
    if about.is_many:
        return option(name, about.name, multiple=True, **shown)
    if about.choices:
        shown["type"] = click.Choice(about.choices)
    elif isinstance(about.default, bool):
        name = f"{name}/--no-{name[2:]}"
    elif isinstance(about.default, int):
        shown["type"] = click.IntRange(about.least, about.most)
    elif about.none is not None:
        shown["default"] = about.none
        shown["callback"] = lambda *given: None if given[-1] == about.none else given[-1]
    if not about.may_be_empty:
        shown["cls"] = _EmptyIsGiven
    return option(name, about.name, **{"default": about.cli_default, **shown})


class _EmptyIsGiven(click.Option):
    """An option that an empty variable gives an empty value, where click takes it for unset."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:  # noqa: ARG002
        return os.environ.get(str(self.envvar))


def _declared(name: str) -> Callable[[F], F]:
    (about,) = (each for each in options() if each.name == name)
    return settings_option(about)


docs_option = _declared("docs")
csdl_option = _declared("csdl")
operations_option = _declared("operations")
ca_dir_option = _declared("ca_dir")


def server_options(command: F) -> F:
    """Add the options that name a running server: ``url``, ``tenant`` and ``control_token``."""
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
        near = nearest_name(name, sorted(_VARIABLES))
        click.echo(f"{name} is the variable of no option; the nearest is {near}.", err=True)
    if len(unknown) > _MOST_TOLD:
        click.echo(f"... and {len(unknown) - _MOST_TOLD} more such variables.", err=True)


@contextmanager
def progress_bar(length: int | None, label: str) -> Iterator[Callable[[int], object]]:
    """Show a bar on the standard error while that is a terminal; gives what moves it on."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    bar: Any = click.progressbar(length=length, label=label, file=sys.stderr)
    with bar:
        yield bar.update


def nearest_name(name: str, names: Iterable[str]) -> str:
    """Return the name, of one or more, that is spelt most like another."""
    from difflib import SequenceMatcher

    return max(names, key=lambda each: SequenceMatcher(None, each, name).ratio())


def is_given(name: str) -> bool:
    """Return whether an option of the command that runs was given, or its variable was."""
    source = click.get_current_context().get_parameter_source(name)
    return source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


class CommandGroup(click.Group):
    """A group of commands that names those near one that there is not.

    The words of a name may be joined by ``_`` as well. ``first`` is the command that takes what
    may have been meant for its argument, if there is one.
    """

    first = ""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name.replace("_", "-"))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = suggestion(name, self.list_commands(ctx))
            if not near and self.first:
                near = f" Did you mean {ctx.command_path} {self.first} {name[:200]}?"
            ctx.fail(f"No such command '{name}'.{near}")
        return super().resolve_command(ctx, args)


class reporting_errors:
    """Faults of the setup as one line and exit code 1."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (MockGraphError, GraphError)):
            raise click.ClickException(str(error)) from None
