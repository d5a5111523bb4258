"""The parts of the reference that are made of the declarations in the code, as Markdown.

``PARTS`` has them by name: the options of a server, the control plane, the presets of faults, the
pytest plugin, rules for clients, hunting, what is not emulated. The site shows all of them, and a
test holds each declaration to having something said of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Unpack

import orjson

from mockgraph import pytest_plugin
from mockgraph.control import PREFIX
from mockgraph.control.actions import ControlAction, summary_of
from mockgraph.control.catalogue import ACTIONS
from mockgraph.control.json_schemas import schema_of
from mockgraph.control.openapi import description
from mockgraph.control.parameters import ActionParameter, parameters_of
from mockgraph.entra import grants
from mockgraph.files import fixtures
from mockgraph.odata import functions
from mockgraph.odata import options as query_options
from mockgraph.odata.routes import routes
from mockgraph.server_options import Option, options
from mockgraph.service import behaviours_of, service_of
from mockgraph.service.hunting.kql import aggregates, operator_parser, special_functions
from mockgraph.service.hunting.schema import Columns, schema
from mockgraph.testing.faults import PRESETS, Faults
from mockgraph.testing.faults.presets import FaultOptions
from mockgraph.testing.faults.schedules import When
from mockgraph.testing.police import HINTS as MISDEEDS
from mockgraph.testing.reports.guidance import HINTS as ADVICE

Rows = Iterable[Sequence[str]]


def table(heads: Sequence[str], rows: Rows) -> str:
    """Return a table of Markdown; nothing where there are no rows."""
    lines = [f"| {' | '.join(each.replace('|', chr(92) + '|') for each in row)} |" for row in rows]
    head = [f"| {' | '.join(heads)} |", f"|{':--|' * len(heads)}"]
    return "\n".join([*head, *lines]) + "\n" if lines else ""


def code(text: object) -> str:
    """Return a text in the type of code."""
    return f"`{text}`"


def listed(names: Iterable[str]) -> str:
    """Return names in the order of the alphabet, in the type of code."""
    return ", ".join(map(code, sorted(names)))


# -- options ----------------------------------------------------------------------------------


def server_options() -> str:
    """Return a section for each option of a server, with all the ways to give it."""
    return "\n".join(_option(each) for each in options())


def flag_of(option: Option) -> str:
    """Return an option as the command line writes it."""
    return "--" + (option.flag or option.name).replace("_", "-")


def _option(option: Option) -> str:
    flag = flag_of(option)
    ways = [f"keyword {code(option.name)}", f"variable {code(_variable(flag))}"]
    if option.for_tests:
        ways += [f"marker {code(option.name + '=')}", f"ini {code('mockgraph_' + option.name)}"]
    value = "|".join(option.choices) or option.metavar
    shown = f"{code(f'{flag} {value}')}: " if value else ""
    default = option.none if option.cli_default is None else option.cli_default
    told = "" if default in (None, (), False, "") else f" Default {code(default)}."
    return f"## {code(flag)}\n\n{shown}{option.help}{told}\n\n{_sentence(ways)}\n"


def _variable(flag: str) -> str:
    return "MOCKGRAPH_" + flag.strip("-").replace("-", "_").upper()


def _sentence(ways: Sequence[str]) -> str:
    text = ", ".join(ways)
    return f"{text[0].upper()}{text[1:]}."


# -- the control plane ------------------------------------------------------------------------


def control_plane() -> str:
    """Return a section for each action of the control plane, by the subject in its path."""
    ordered = sorted(ACTIONS, key=_subject)  # stable: as they are declared
    return "\n".join(
        f"## {subject.capitalize()}\n\n" + "\n".join(map(_action, actions))
        for subject, actions in groupby(ordered, key=_subject)
    )


# Subjects of actions whose paths begin otherwise.
_SUBJECTS = {
    "": "about",
    "entity": "entities",
    "health": "about",
    "openapi": "about",
    "openapi.json": "about",
}


def _subject(action: ControlAction) -> str:
    first = action.path.split("/")[1] if action.path else ""
    return _SUBJECTS.get(first, first)


def _action(action: ControlAction) -> str:
    about = [f"Command {code('mockgraph ' + ' '.join(action.words))}", _answer(action)]
    about += ["what is lost no other action brings back"] * action.is_destructive
    parts = [
        f"### {code(f'{action.method} {PREFIX}{action.path}')}",
        action.summary,
        "; ".join(about) + ".",
        _parameters(action),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _answer(action: ControlAction) -> str:
    """Return what an action answers, in words, from its OpenAPI description."""
    (operations,) = description([action], "")["paths"].values()
    status, answer = next(iter(operations[action.method.lower()]["responses"].items()))
    schema_ = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if not schema_:
        return f"answers {status}"
    shape = shape_of(schema_)
    return f"answers {status} with {'JSON' if shape == _ANY else code(shape)}"


_ANY = "..."


def shape_of(schema_: dict[str, Any]) -> str:
    """Return the members of what a JSON Schema describes, ``{"value": [{"id", "path"}]}``."""
    if "items" in schema_:
        return f"[{shape_of(schema_['items'])}]"
    inner = {name: shape_of(each) for name, each in schema_.get("properties", {}).items()}
    members = [f'"{name}"' + (f": {each}" if each != _ANY else "") for name, each in inner.items()]
    return "{" + ", ".join(members) + "}" if members else _ANY


def _parameters(action: ControlAction) -> str:
    if action.choice is not None:
        return "The body is a [preset](faults.md) by its name, or made up of the effects there.\n"
    rows = []
    for each in action.parameters:
        where = "body, whole"
        if each.name in action.path_names:
            where = "path"
        elif each in action.members:
            where = "query" if action.is_asked_by_query else "body"
        name = each.query_name if where == "query" else each.name
        rows.append((code(name), where, *_told(each)))
    return table(("Parameter", "In", "Type", "Default", "Meaning"), rows)


def _told(parameter: ActionParameter) -> tuple[str, str, str]:
    """Return the type, the default and the help of a parameter."""
    schema_ = schema_of(parameter)
    default = "needed" if parameter.is_required else ""
    if "default" in schema_:
        default = code(orjson.dumps(schema_["default"]).decode())
    return type_of(schema_), default, parameter.help


def type_of(schema_: dict[str, Any]) -> str:
    """Return in words what a JSON Schema allows."""
    if "anyOf" in schema_:
        return " or ".join(dict.fromkeys(map(type_of, schema_["anyOf"])))
    if "enum" in schema_:
        return " or ".join(code(f'"{each}"') for each in schema_["enum"])
    match schema_.get("type"):
        case None:
            return "any JSON"
        case "array":
            return f"array of {type_of(schema_['items'])}"
        case name:
            return str(name)


# -- faults -----------------------------------------------------------------------------------


def fault_presets() -> str:
    """Return a section for each preset of faults, with the parameters of its own."""
    return "\n".join(map(_preset, PRESETS))


def _preset(name: str) -> str:
    method = getattr(Faults, name)
    signature = inspect.signature(method)
    given = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
    own = [each for each in given[1:] if each.kind is not each.VAR_KEYWORD]
    call = signature.replace(parameters=own, return_annotation=signature.empty)
    names = {each.name for each in own}
    rows = [(code(each.name), *_told(each)) for each in parameters_of(method) if each.name in names]
    parts = [
        f"## {code(name)}",
        code(f"graph.faults.{name}{call}"),
        (inspect.getdoc(method) or "").replace("``", "`"),
        table(("Parameter", "Type", "Default", "Meaning"), rows),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def fault_schedule() -> str:
    """Return the parameters that every preset takes: what it is for, and when it strikes."""
    return _options_table(_takes_when)


def fault_effects() -> str:
    """Return the effects that a fault may be made up of."""
    common = {each.name for each in parameters_of(_takes_when)}
    return _options_table(_takes_effects, leaving_out=common)


def _takes_when(_: Any, /, **when: Unpack[When]) -> None: ...


def _takes_effects(_: Any, /, **options: Unpack[FaultOptions]) -> None: ...


def _options_table(function: Callable[..., None], leaving_out: Iterable[str] = ()) -> str:
    found = [each for each in parameters_of(function) if each.name not in set(leaving_out)]
    rows = [(code(each.name), _told(each)[0], each.help) for each in found]
    return table(("Parameter", "Type", "Meaning"), rows)


# -- pytest -----------------------------------------------------------------------------------


class _Declared:
    """A parser in the place of pytest's that keeps the options which a plugin declares."""

    def __init__(self) -> None:
        self.ini: dict[str, tuple[str, str]] = {}
        self.flags: dict[str, str] = {}

    def addini(self, name: str, help: str, type: str = "string", **_: Any) -> None:
        self.ini[name] = (type, help)

    def addoption(self, flag: str, help: str, metavar: str = "", **_: Any) -> None:
        self.flags[f"{flag} {metavar}".strip()] = help

    def getgroup(self, _: str) -> _Declared:
        return self


def declared_to_pytest() -> _Declared:
    """Return the ini options and the options of the command line that the plugin declares."""
    found: Any = _Declared()
    pytest_plugin.pytest_addoption(found)
    declared: _Declared = found
    return declared


def marker_arguments() -> dict[str, str]:
    """Return what the marker takes, and what is said of each."""
    of_servers = {each.name: each.help for each in options() if each.for_tests}
    return of_servers | pytest_plugin.OF_TESTS


def fixtures_of_plugin() -> dict[str, str]:
    """Return the fixtures of the plugin, and what is said of each."""
    return {
        name: summary_of(value)
        for name, value in vars(pytest_plugin).items()
        if callable(value)
        and value.__module__ == pytest_plugin.__name__
        and not name.startswith(("_", "pytest_"))
    }


def pytest_fixtures() -> str:
    """Return the table of the fixtures."""
    rows = fixtures_of_plugin().items()
    return table(("Fixture", "Meaning"), ((code(name), told) for name, told in rows))


def pytest_marker() -> str:
    """Return the table of what the marker takes."""
    rows = ((code(f"{name}="), told) for name, told in marker_arguments().items())
    return table(("Argument", "Meaning"), rows)


def pytest_ini() -> str:
    """Return the table of the ini options."""
    rows = ((code(n), kind, told) for n, (kind, told) in declared_to_pytest().ini.items())
    return table(("Option", "Type", "Meaning"), rows)


def pytest_flags() -> str:
    """Return the table of the options of pytest's command line."""
    rows = ((code(flag), told) for flag, told in declared_to_pytest().flags.items())
    return table(("Option", "Meaning"), rows)


# -- what clients are told --------------------------------------------------------------------


def misdeeds() -> str:
    """Return the table of the rules that the retry police watches over."""
    rows = ((code(name), told) for name, told in MISDEEDS.items())
    return table(("Misdeed", "What a client does instead"), rows)


def advice() -> str:
    """Return the table of the advice in reports."""
    return table(("Advice", "Meaning"), ((code(name), told) for name, told in ADVICE.items()))


# -- hunting ----------------------------------------------------------------------------------


def hunting_tables() -> str:
    """Return a section for each table of hunting, with its columns and their kinds."""
    return "\n".join(
        f"## {code(name)}\n\n{_columns(columns)}\n" for name, columns in sorted(schema().items())
    )


def _columns(columns: Columns) -> str:
    return ", ".join(f"{code(name)} {kind.name.lower()}" for name, kind in columns.items())


def hunting_language() -> str:
    """Return the operators, aggregates and functions of KQL that are run."""
    rows = [
        ("Operators", listed(operator_parser.OPERATORS)),
        ("Aggregates", listed(aggregates.AGGREGATES)),
        ("Functions", listed(special_functions.known_functions())),
    ]
    return "\n".join(f"{noun}\n: {names}\n" for noun, names in rows)


# -- what is not emulated ---------------------------------------------------------------------


def unemulated() -> str:
    """Return what is refused by name, with 501 or as hunting refuses it."""
    rows = [
        ("Query options", listed(f"${name}" for name in query_options.NOT_EMULATED)),
        ("Functions in `$filter`", listed(functions.NOT_EMULATED)),
        ("Grants of the token endpoint", listed(grants.NOT_EMULATED)),
        ("Operators of KQL", listed(operator_parser.LACKING)),
        ("Aggregates of KQL", listed(aggregates.LACKING)),
        ("Functions of KQL", listed(special_functions.LACKING)),
    ]
    return table(("What", "Refused by name"), rows)


def unemulated_operations() -> str:
    """Return the operations of which the metadata is bundled and that do nothing."""
    every = list(routes(service_of(()), behaviours_of(())))
    silent = sorted({f"{each.method} {each.template}" for each in every if not each.emulated})
    told = (
        f"Of the {len(every):,} operations that `mockgraph routes` lists, {len(silent)} answer 501"
    )
    return f"{told}: {listed(silent)}.\n" if silent else f"{told}.\n"


def unemulated_segments() -> str:
    """Return the other parts of Graph, which answer 501 until their metadata is given."""
    known = orjson.loads((fixtures() / "graph_segments.json").read_bytes())
    return "\n".join(f"`{root}`\n: {listed(names)}\n" for root, names in known.items())


PARTS: dict[str, Callable[[], str]] = {
    "advice": advice,
    "control-plane": control_plane,
    "fault-effects": fault_effects,
    "fault-presets": fault_presets,
    "fault-schedule": fault_schedule,
    "hunting-language": hunting_language,
    "hunting-tables": hunting_tables,
    "misdeeds": misdeeds,
    "pytest-fixtures": pytest_fixtures,
    "pytest-flags": pytest_flags,
    "pytest-ini": pytest_ini,
    "pytest-marker": pytest_marker,
    "server-options": server_options,
    "unemulated": unemulated,
    "unemulated-operations": unemulated_operations,
    "unemulated-segments": unemulated_segments,
}
