"""Each block of code of the README and the site, executed.

Python runs as tests or scripts, commands in a shell of their own beside a server; what is no
program of MockGraph's, as ``npm test``, has a stand-in. Other languages are held to what they ask
of the control plane, documents to being read.
"""

from __future__ import annotations

import configparser
import json
import os
import random
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest
import requests
import yaml
from manual import BLOCKS, Block, blocks
from processes import ROOT, environment

from mockgraph import MockGraph
from mockgraph.cli import main
from mockgraph.serving import tls
from scripts.reference import declared_to_pytest

SECONDS = 60
FILES = ROOT / "tests" / "docs" / "files"

# Programs of others than MockGraph, by what takes their place in a shell.
ASKS = 'exec curl -sS "${MOCKGRAPH_URL:?}/_mockgraph/health" >/dev/null'
STAND_INS = {
    "dotnet": ASKS,
    "gradlew": ASKS,
    "npm": ASKS,
    "az": "echo a.b.c",
    "docker": "exit 0",
    "pip": "exit 0",
    "python": "exit 0",  # makes an environment, and nothing else
    "make": f'exec {shutil.which("make")} --silent --dry-run --directory "{ROOT}" "$@" >/dev/null',
}
# An answer that is an error fails the commands.
STAND_INS["curl"] = f'exec {shutil.which("curl")} --fail-with-body "$@"'
# Asserts of requests that nobody made here; test_readme.py makes them.
WITHOUT_REQUESTS = "/_mockgraph/verify"
# A client that is no dependency of the tests; make acceptance runs the block.
ELSEWHERE = ("msgraph",)


def of(*languages: str) -> pytest.MarkDecorator:
    """Parametrize a test with the blocks in some languages."""
    found = [each for each in BLOCKS if each.language in languages]
    assert found, languages
    return pytest.mark.parametrize("block", found, ids=[each.name for each in found])


def is_test(block: Block) -> bool:
    return "def test_" in block.text


def test_every_language_is_executed() -> None:
    """Directives are Sphinx's; the text of a terminal is shown with the command before it."""
    executed = {"python", "bash", "console", "json", "jsonl", "js", "csharp", "yaml", "ini"}
    named = {each.language for each in BLOCKS if not each.language.startswith("{")}
    assert named <= executed


# -- Python ---------------------------------------------------------------------------------------


@pytest.mark.long
def test_tests_in_python_pass(pytester: pytest.Pytester) -> None:
    """They are run together: each run of pytest takes longer than all of them."""
    tests = [each for each in BLOCKS if each.language == "python" and is_test(each)]
    write_tutorial(pytester.path)
    for block in tests:
        name = re.sub(r"\W", "_", f"test_{block.name}")
        (pytester.path / f"{name}.py").write_text(block.text, encoding="utf-8")
    (pytester.path / "test_digest.py").unlink()
    expected = sum(len(re.findall(r"^ *def test_", each.text, re.MULTILINE)) for each in tests)
    assert expected > 15
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=expected)


def write_tutorial(folder: Path) -> None:
    """Write the two files that the tutorial ends with."""
    _, program = blocks("python", "def digest(")
    (folder / "digest.py").write_text(program, encoding="utf-8")
    (folder / "test_digest.py").write_text(
        "\n\n".join(blocks("python", "from digest import")), encoding="utf-8"
    )


@pytest.mark.long
def test_the_tutorial_goes_as_it_tells(pytester: pytest.Pytester) -> None:
    """The test of a bad day fails until the program waits; the others pass with both programs."""
    before, after = blocks("python", "def digest(")
    steps = blocks("python", "from digest import")
    pytester.makepyfile(digest=before, test_digest="\n\n".join(steps))
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=2, failed=1)
    pytester.makepyfile(digest=after)
    told = pytester.runpytest_subprocess("-q", "--mockgraph-report")
    told.assert_outcomes(passed=3)
    told.stdout.fnmatch_lines(["*SecurityIncident.Read.All*"])


SCRIPTS = [
    each
    for each in BLOCKS
    if each.language == "python"
    and not is_test(each)
    and not any(name in each.text for name in ELSEWHERE)
]


@pytest.mark.parametrize("block", SCRIPTS, ids=[each.name for each in SCRIPTS])
def test_a_script_in_python_runs(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = compile(block.text, block.name, "exec")
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    with MockGraph(store=tmp_path / "graph.store"):
        pass
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tls, "default_directory", lambda: tmp_path / "ca")
    exec(program, {"__name__": "__main__"})


# -- shells ---------------------------------------------------------------------------------------


COMMANDS = [
    each
    for each in BLOCKS
    if each.language in ("bash", "console") and WITHOUT_REQUESTS not in each.text
]


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="commands of a POSIX shell")
@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="no bash or curl")
@pytest.mark.parametrize("block", COMMANDS, ids=[each.name for each in COMMANDS])
def test_commands_succeed(block: Block, tmp_path: Path) -> None:
    """Servers that they start take free ports; otherwise there is one beside them."""
    furnish(tmp_path)
    lines = commands(block)
    ours = Path(sys.executable).parent  # where mockgraph and pytest are
    variables = {
        "PATH": os.pathsep.join([str(tmp_path / "bin"), str(ours), os.environ["PATH"]]),
        "MOCKGRAPH_CA_DIR": str(tmp_path / "ca"),
        "GRAPH_TOKEN": "a.b.c",
        "PYTEST_ADDOPTS": "-p no:hypothesispytest -p no:xdist -p no:cacheprovider",
    }
    with MockGraph(seed="demo") as graph:
        if "mockgraph serve" not in lines:
            variables["MOCKGRAPH_URL"] = graph.origin
            lines = lines.replace("http://127.0.0.1:8365", graph.origin)
        lines = lines.replace("--url https://graph.microsoft.com", f"--url {graph.origin}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", with_free_ports(lines)],
            cwd=tmp_path,
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    assert done.returncode == 0, f"{lines}\n{done.stdout}\n{done.stderr}"


def furnish(folder: Path) -> None:
    """Put the files that the pages speak of into a folder, and the stand-ins into its ``bin``."""
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    write_tutorial(folder)
    (folder / "test_report.py").write_text("def test_it(mockgraph): assert not mockgraph.requests")
    (folder / "bin").mkdir()
    for name, program in STAND_INS.items():
        file = folder / "bin" / name
        file.write_text(f"#!/usr/bin/env bash\n{program}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    shutil.copy(folder / "bin" / "gradlew", folder / "gradlew")


def commands(block: Block) -> str:
    """Return the commands of a block; of a terminal's text those after its prompt."""
    if block.language == "bash":
        return block.text.replace(".venv/bin/", "")
    found = re.findall(r"^\$ (.*(?:\\\n.*)*)$", block.text, re.MULTILINE)
    # A server goes on; in a terminal its user stops it.
    return "\n".join(
        re.sub(r"^(mockgraph serve.*)$", r"\1 & mockgraph wait", each) for each in found
    )


def with_free_ports(lines: str) -> str:
    """Return commands with ports that are free in the place of the usual ones."""
    ports = {"8365": "MOCKGRAPH_PORT", "8366": "MOCKGRAPH_TLS_PORT", "8367": "MOCKGRAPH_PROXY_PORT"}
    free = dict(zip(ports, free_ports(len(ports)), strict=True))
    if "mockgraph serve" in lines:
        exports = [f"export {name}={free[usual]}" for usual, name in ports.items()]
        exports.append(f"export MOCKGRAPH_URL=http://127.0.0.1:{free['8365']}")
        lines = "\n".join([*exports, "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", lines])
    return re.sub(r"\b836[567]\b", lambda found: free[found[0]], lines)


def free_ports(number: int) -> list[str]:
    """Return ports that are free, below those that systems hand out to others meanwhile."""
    found: list[str] = []
    for port in random.sample(range(20_000, 32_000), 1000):
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(str(port))
        if len(found) == number:
            break
    return found


# -- documents ------------------------------------------------------------------------------------


@of("json")
def test_a_document_is_taken(block: Block) -> None:
    document = json.loads(block.text)
    if "mcpServers" in document:
        for server in document["mcpServers"].values():
            name, *arguments = server["args"]
            command = main.get_command(click.Context(main), name)
            assert server["command"] == "mockgraph"
            assert command is not None
            command.make_context(name, arguments)
        return
    with MockGraph(seed=document) as graph:
        assert document["Security"].keys() <= graph.state["Security"].keys()


@of("jsonl")
def test_lines_are_json(block: Block) -> None:
    assert all(map(json.loads, block.text.splitlines()))


@of("ini")
def test_options_of_pytest_are_declared(block: Block) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(block.text)
    assert {*parser["pytest"]} <= declared_to_pytest().ini.keys()


@of("yaml")
def test_a_workflow_is_read(block: Block) -> None:
    document = yaml.safe_load(block.text)
    for line in re.findall(r"mockgraph [a-z]+(?: --?[\w=-]+(?: [\w./]+)?)*", block.text):
        name, *arguments = shlex.split(line)[1:]
        command = main.get_command(click.Context(main), name)
        assert command is not None, line
        given = [each.partition("=")[0] for each in arguments if each.startswith("-")]
        options = {flag for each in command.params for flag in each.opts}
        assert {*given} - {"--"} <= options, line
    assert isinstance(document, dict)


# -- other languages ------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js")
@of("js")
def test_javascript_is_javascript(block: Block, tmp_path: Path) -> None:
    program = tmp_path / "program.mjs"
    program.write_text(block.text, encoding="utf-8")
    done = subprocess.run(["node", "--check", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@of("csharp")
def test_what_is_asked_of_the_control_plane_is_taken(block: Block) -> None:
    calls = re.findall(r'(?:AsJsonAsync|Control)\("(\w+)", new (\{.*?\})\)', block.text)
    assert calls
    with MockGraph() as graph:
        for path, body in calls:
            sent = json.loads(re.sub(r"(\w+) =", r'"\1":', body))
            if path == "verify":
                for _ in range(sent["times"]):
                    url = graph.v1 + sent["path"].replace("{id}", "a1")
                    requests.get(url, headers={"Authorization": "Bearer x"}, timeout=10)
            answer = requests.post(f"{graph.origin}/_mockgraph/{path}", json=sent, timeout=10)
            assert answer.ok, answer.text
