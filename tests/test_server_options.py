"""Options of the server: each is declared once and reaches all the ways to give it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mockgraph import MockGraph
from mockgraph.cli.arguments import settings_options
from mockgraph.cli.serve import serve
from mockgraph.errors import MockGraphError
from mockgraph.pytest_plugin import pytest_addoption
from mockgraph.server_options import FilePath, Option, Settings, option, options, takes

OPTIONS = {each.name: each for each in options()}


@dataclass(frozen=True, kw_only=True)
class More(Settings):
    """Settings with an option of each kind that nothing else knows of."""

    extras: Sequence[FilePath] = option((), "Extras to load.", flag="extra", metavar="FILE")
    pace: str = option("slow", "How it goes.", choices=("slow", "fast"))
    turns: int = option(3, "How often.", cli_default=4, least=2, unit="turns")
    loud: bool = option(False, "Whether one hears it.")
    mark: str | None = option(None, "What it is called.", none="nothing")


@click.command()
@settings_options(More)
def more(**given: Any) -> None:
    """A command with these options."""
    settings = More(**given)
    click.echo([getattr(settings, name) for name in ("extras", "pace", "turns", "loud", "mark")])


class Server:
    """Something made of these settings."""

    @takes(More)
    def __init__(self, settings: More):
        self.settings = settings


def said(*arguments: str, **variables: str) -> str:
    result = CliRunner().invoke(more, arguments, env=variables)
    assert result.exit_code == 0, result.output
    return result.output.rstrip()


# -- one field is all that an option needs ------------------------------------------------------


def test_a_field_is_an_option_of_the_command_line() -> None:
    assert said() == "[(), 'slow', 4, False, None]"
    given = ("--extra", "a", "--extra", "b", "--pace", "fast", "--turns", "9", "--loud")
    assert said(*given, "--mark", "x") == "[('a', 'b'), 'fast', 9, True, 'x']"
    assert said("--mark", "nothing", "--no-loud") == said()


def test_a_field_is_an_environment_variable() -> None:
    variables = {"EXTRA": "a b", "PACE": "fast", "TURNS": "9", "LOUD": "1", "MARK": "x"}
    given = {f"MOCKGRAPH_{name}": value for name, value in variables.items()}
    assert said(**given) == "[('a', 'b'), 'fast', 9, True, 'x']"


def test_the_command_line_helps_and_refuses() -> None:
    help = CliRunner().invoke(more, ["--help"]).output
    for told in ("--extra FILE", "How it goes.", "[slow|fast]", "MOCKGRAPH_TURNS", "nothing"):
        assert told in help
    for wrong in (["--pace", "mad"], ["--turns", "1"], ["--turns", "x"], ["--extras", "a"]):
        assert CliRunner().invoke(more, wrong).exit_code == 2


def test_a_field_is_a_keyword(tmp_path: Path) -> None:
    server = Server(extras=[tmp_path, "b"], pace="fast", turns=9, loud=True, mark="x", auth="off")
    assert server.settings == More(
        extras=(tmp_path, "b"), pace="fast", turns=9, loud=True, mark="x", auth="off"
    )
    assert Server(extras="one").settings.extras == ("one",)
    assert Server().settings.turns == 3
    parameters = inspect.signature(Server).parameters
    assert [*parameters] == [*OPTIONS, "extras", "pace", "turns", "loud", "mark"]
    assert parameters["turns"].default == 3


def test_other_keywords_are_refused() -> None:
    wrong: Any = {"turn": 3}
    with pytest.raises(TypeError, match="unexpected keyword argument 'turn'"):
        Server(**wrong)
    with pytest.raises(TypeError, match="too many positional arguments"):
        Server(*wrong)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"pace": "mad"}, "pace is slow or fast, not 'mad'."),
        ({"turns": 1}, "turns is a number of turns, not 1."),
        ({"turns": "9"}, "turns is a number of turns, not '9'."),
        ({"port": -1}, "port is a number from 0 to 65535, not -1."),
        ({"tls_port": 65536}, "tls_port is a number from 0 to 65535, not 65536."),
        ({"auth": "no"}, "auth is any, off or jwt, not 'no'."),
        ({"tls_key": "key.pem"}, "--tls-cert and --tls-key go together."),
    ],
)
def test_values_that_do_not_fit_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(MockGraphError) as raised:
        More(**wrong)
    assert str(raised.value) == says


# -- those that there are ------------------------------------------------------------------------


@pytest.mark.parametrize("each", OPTIONS.values(), ids=OPTIONS)
def test_an_option_is_everywhere(each: Option) -> None:
    (served,) = (found for found in serve.params if found.name == each.name)
    assert isinstance(served, click.Option)
    assert served.envvar == "MOCKGRAPH_" + served.opts[0][2:].replace("-", "_").upper()
    assert served.help == each.help
    assert inspect.signature(MockGraph).parameters[each.name].default == each.default
    assert each.help.endswith(".")


def test_what_a_test_may_choose_is_an_ini_option() -> None:
    added: dict[str, Any] = {}

    class Parser:
        def addini(self, name: str, _: str, *, type: str, default: Any) -> None:
            added[name] = (type, default)

        def getgroup(self, _: str) -> Parser:
            return self

        def addoption(self, *_: str, **__: Any) -> None: ...

    parser: Any = Parser()
    pytest_addoption(parser)
    chosen = {f"mockgraph_{each.name}": each.default for each in options() if each.for_tests}
    assert {name: default for name, (_, default) in added.items()} == {
        **chosen,
        "mockgraph_strict": False,
    }
    assert (added["mockgraph_seed"][0], added["mockgraph_allow"][0]) == ("linelist", "args")
    assert (added["mockgraph_tls"][0], added["mockgraph_auth"][0]) == ("bool", "string")


def test_seeds_are_one_or_several() -> None:
    document: dict[str, Any] = {"Security": {}}
    assert Settings(seed=document).seeds == (document,)
    assert Settings(seed="demo").seeds == ("demo",)
    assert Settings(seed=["demo", document]).seeds == ("demo", document)
    assert Settings().seeds == ()


def test_hosts_are_matched_without_regard_to_case() -> None:
    assert Settings(allowed_hosts=["Graph.Test"]).allowed_hosts == ("graph.test",)
