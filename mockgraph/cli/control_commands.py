"""The commands that ask a running server's control plane: one for each action that it declares.

``faults add throttle --times 2`` is the action ``POST /faults``. What an action needs is an
argument, what it may be given an option; what is neither text nor number is written as JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
import orjson

from mockgraph.cli.arguments import CommandGroup, reporting_errors, server_options
from mockgraph.control.actions import ControlAction, summary_of
from mockgraph.control.catalogue import ACTIONS, named
from mockgraph.control.json_schemas import JsonSchema, schema_of
from mockgraph.control.parameters import ActionParameter, parameters_of

if TYPE_CHECKING:
    from mockgraph.cli.remote import Remote

# What a group does when it is given no more words.
_FIRST = ("list", "show")
_OTHERWISE = "custom"
_SERVER = ("url", "tenant", "control_token")


def control_commands() -> dict[str, click.Command]:
    """Return the commands by their first words."""
    by_word: dict[str, dict[str, ControlAction]] = {}
    for action in ACTIONS:
        first, *more = action.words
        by_word.setdefault(first, {})[" ".join(more)] = action
    return {word: _commands(word, actions) for word, actions in by_word.items()}


def _commands(word: str, actions: Mapping[str, ControlAction]) -> click.Command:
    if "" in actions:
        return _command(word, actions[""])
    first = next((actions[each] for each in _FIRST if each in actions), None)
    if first is not None and any(each.is_required for each in first.parameters):
        first = None  # its argument would be taken for the next word
    group = CommandGroup(
        word,
        help=_help(word, actions.values()),
        invoke_without_command=first is not None,
        params=None if first is None else _parameters(first),
        callback=None if first is None else _callback(first, is_default=True),
    )
    group.first = next((each for each in _FIRST if first is None and each in actions), "")
    if first is not None:
        _take_server(group)
    for name, action in actions.items():
        group.add_command(_choices(name, action) if action.choice else _command(name, action))
    return group


def _help(word: str, actions: Iterable[ControlAction]) -> str:
    summaries = [each.summary for each in actions if each.words[-1] in _FIRST]
    return summaries[0] if summaries else f"Actions on {word} of a running server."


class _ControlCommand(click.Command):
    """A command that tells of an argument that was given as an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            meant = error.option_name.lstrip("-").replace("-", "_")
            for each in self.params:
                if isinstance(each, click.Argument) and each.name == meant:
                    told = each.make_metavar(ctx)
                    ctx.fail(f"{told} is given without '{error.option_name}'.")
            raise


def _command(name: str, action: ControlAction) -> click.Command:
    command = _ControlCommand(
        name, help=action.summary, params=_parameters(action), callback=_callback(action)
    )
    return _take_server(command)


def _take_server(command: click.Command) -> click.Command:
    """Give a command the options that name a running server."""

    def nothing() -> None: ...

    server_options(nothing)
    command.params += reversed(vars(nothing)["__click_params__"])
    return command


def _choices(name: str, action: ControlAction) -> click.Group:
    """Return a group with a command for each form of an action's document."""
    choice = action.choice
    assert choice is not None
    group = CommandGroup(name, help=action.summary)
    for form, function in {**choice.forms, _OTHERWISE: choice.otherwise}.items():
        fixed = {} if form == _OTHERWISE else {choice.member: form}
        parameters = parameters_of(function)
        command = _ControlCommand(
            form.replace("_", "-"),
            help=summary_of(function),
            params=[_parameter(each) for each in parameters],
            callback=_callback(action, fixed, parameters),
        )
        group.add_command(_take_server(command))
    return group


# -- parameters ---------------------------------------------------------------------------------


def _parameters(action: ControlAction) -> list[click.Parameter]:
    found = [_parameter(each) for each in action.parameters if each.name != action.document]
    if len(found) == 1 and isinstance(found[0], click.Option) and not found[0].multiple:
        found = [_optional(action.parameters[0])]
    if action.document is not None:
        found.append(click.Argument([action.document], metavar="FILE|-"))
    if action.name == "list_requests":
        found.append(click.Option(["--follow"], is_flag=True, help="Print those to come as well."))
        found.append(click.Option(["--json", "as_json"], is_flag=True, help="Print them whole."))
    return found


def _parameter(about: ActionParameter) -> click.Parameter:
    schema = schema_of(about)
    if about.is_required:
        return click.Argument([about.name], metavar=about.name.upper())
    flag = about.name.replace("_", "-")
    if schema.get("type") == "boolean":
        return click.Option([f"--{flag}/--no-{flag}", about.name], default=None, help=about.help)
    return click.Option(
        [f"--{flag}", about.name],
        help=about.help,
        metavar=_metavar(schema),
        multiple=_is_list(schema),
    )


def _optional(about: ActionParameter) -> click.Argument:
    return click.Argument([about.name], metavar=f"[{about.name.upper()}]", required=False)


def _alternatives(schema: JsonSchema) -> list[JsonSchema]:
    return [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]


def _is_list(schema: JsonSchema) -> bool:
    kinds = {each.get("type") for each in _alternatives(schema)}
    return "array" in kinds and "object" not in kinds


def _metavar(schema: JsonSchema) -> str:
    alternatives = _alternatives(schema)
    choices = [value for each in alternatives for value in each.get("enum", ())]
    kinds = {each.get("type") for each in alternatives}
    words = {"integer": "NUMBER", "number": "NUMBER", "boolean": "true|false"}
    if len(choices) and len(alternatives) == 1:
        return "|".join(choices)
    if kinds <= {"string", "array"}:
        return "TEXT"
    return next((words[str(each)] for each in words if each in kinds), "JSON")


def _values(parameters: Sequence[ActionParameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the options and arguments that were given."""
    found: dict[str, Any] = {}
    for each in parameters:
        value = given.get(each.name)
        if value is None or value == ():
            continue
        schema = schema_of(each)
        if isinstance(value, tuple):
            kinds = {one.get("type") for one in _alternatives(schema)}
            found[each.name] = value[0] if len(value) == 1 and "string" in kinds else list(value)
        else:
            found[each.name] = _value(each, schema, value) if isinstance(value, str) else value
    return found


def _value(about: ActionParameter, schema: JsonSchema, text: str) -> Any:
    """Return the value that a text stands for: itself where it may be one, else JSON."""
    kinds = {each.get("type") for each in _alternatives(schema)}
    if kinds == {"string"}:
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if kinds & {"string", None}:
            return text
        raise click.BadParameter(
            f"{text!r} is no {_metavar(schema)}.", param_hint=about.name
        ) from None


# -- asking -------------------------------------------------------------------------------------


def _callback(
    action: ControlAction,
    fixed: Mapping[str, Any] | None = None,
    form: Sequence[ActionParameter] | None = None,
    *,
    is_default: bool = False,
) -> Callable[..., None]:
    def run(**given: Any) -> None:
        context = click.get_current_context()
        if is_default and context.invoked_subcommand is not None:
            return
        from mockgraph.cli.remote import Remote

        with reporting_errors():
            remote = Remote(*(given[name] for name in _SERVER))
            if given.get("follow"):
                _follow(remote, given)
            elif fixed is not None:
                body = {**fixed, **_values(form or (), given)}
                _print(action, remote.act(action, {str(action.document): body}), given)
            else:
                values = _values(action.parameters, given)
                if action.document is not None:
                    values[action.document] = orjson.Fragment(_content(given[action.document]))
                if action.is_stream:
                    _follow(remote, given)
                else:
                    _print(action, remote.act(action, values), given)

    return run


def _content(file: str) -> bytes:
    """Return the JSON in a file or on the standard input. Raises MockGraphError."""
    from mockgraph.cli.state_commands import read_json_file

    return read_json_file(file)


def _follow(remote: Remote, given: Mapping[str, Any]) -> None:
    """Print the requests that there are, then each that comes, until Ctrl+C."""
    recorded = named("list_requests")
    values = _values(recorded.parameters, given)
    listed = remote.act(recorded, values)["value"] if given.get("follow") else []
    for each in listed:
        _print_request(each, whole=bool(given.get("as_json")))
    after = listed[-1]["number"] if listed else given.get("after")
    try:
        for each in remote.events(after):
            _print_request(each, whole=bool(given.get("as_json")))
            sys.stdout.flush()
    except KeyboardInterrupt:
        return


def _print(action: ControlAction, value: Any, given: Mapping[str, Any]) -> None:
    """Print what an action answered: a line for each request or text, else JSON."""
    values = value.get("value") if isinstance(value, dict) else None
    if action.name == "list_requests":
        for each in values or ():
            _print_request(each, whole=bool(given.get("as_json")))
    elif isinstance(values, list) and all(isinstance(each, str) for each in values):
        for each in values:
            click.echo(each)
    elif action.name == "write_test":
        click.echo(value["python"], nl=False)
    elif value is not None:
        written = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        click.echo(written, nl=False)


def _print_request(told: Mapping[str, Any], *, whole: bool) -> None:
    if whole:
        click.echo(orjson.dumps(told))
        return
    line = f"{told['number']} {told['at'][11:23]} {told['method']} {told['url']} {told['status']}"
    by = told["answeredBy"]
    line += "" if by == "emulation" else f" by {by}"
    misdeeds = [each if isinstance(each, str) else each["rule"] for each in told["misdeeds"]]
    click.echo(" ".join([line, f"{told['durationMs']:.1f} ms", *misdeeds]))
