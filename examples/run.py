"""Runs the example programs and those of docs/clients.md, unmodified all, against one server.

python examples/run.py --python PYTHON_WITH_THE_CLIENTS [--auth any] [NAME ...]

A line per program; exit code 1 where one fails, or was asked for by name and cannot be run.
What cannot be run for want of Node.js or a package is left out, and said to be.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mockgraph import MockGraph

HERE = Path(__file__).parent
CLIENTS = HERE.parent / "docs" / "clients.md"
SECONDS = 180  # the SDK's first import, without compiled files, takes long


@dataclass(frozen=True)
class Program:
    """A program that takes the server's origin as its argument, and its requirements.

    ``needs`` are modules of Python, packages of npm, or commands. One that is a block of
    ``docs/clients.md`` is named by what stands in it and in no other. One that is ``unchanged``
    has the environment of the proxy in place of the argument.
    """

    name: str
    needs: tuple[str, ...]
    block: str | None = None
    unchanged: bool = False

    @property
    def language(self) -> str:
        return {"py": "python", "mjs": "js", "sh": "sh"}[self.name.rpartition(".")[2]]


CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")

SDK = ("msgraph", "azure.identity", "httpx")
GRAPH_CLIENT = ("@azure/identity", "@microsoft/microsoft-graph-client")

PROGRAMS = (
    Program("curl.sh", ("curl", "bash")),
    Program("plain_requests.py", ("requests",)),
    Program("plain_httpx.py", ("httpx",)),
    Program("msal_python.py", ("msal", "requests")),
    Program("azure_identity.py", ("azure.identity",)),
    Program("credentials.py", ("azure.identity", "cryptography", "requests")),
    Program("python_o365.py", ("O365",)),
    Program("msgraph_sdk.py", SDK),
    Program("security_today.py", SDK),
    Program("msgraph_beta_sdk.py", ("msgraph_beta", "azure.identity", "httpx", "aiohttp")),
    Program("intercepted_sdk.py", (*SDK, "mockgraph")),
    Program("unchanged_sdk.py", SDK, unchanged=True),
    Program("unchanged_o365.py", ("O365", "azure.identity"), unchanged=True),
    Program("credentials.mjs", ("@azure/identity",)),
    Program("msal_node.mjs", ("@azure/msal-node",)),
    Program("graph_client.mjs", GRAPH_CLIENT),
    Program("clients.py", SDK, block="GraphServiceClient"),
    Program("clients.mjs", GRAPH_CLIENT, block="initWithMiddleware"),
)


class Runner:
    """Runs programs with the Python that has the clients, and with Node.js where it is there."""

    def __init__(self, graph: MockGraph, python: str):
        self.graph = graph
        self.origin = f"https://localhost:{urlsplit(graph.tls_url).port}"
        self.python = python
        self.node = shutil.which("node")
        self.environment = clean_environment() | dict.fromkeys(CA_VARIABLES, graph.ca)

    def missing(self, program: Program) -> str:
        """Return the missing requirement of the program, empty where there is none."""
        if program.language == "js":
            if self.node is None:
                return "Node.js"
            found = {each: (HERE / "node_modules" / each).is_dir() for each in program.needs}
        elif program.language == "sh":
            found = {each: shutil.which(each) is not None for each in program.needs}
        else:
            found = {each: self._can_import(each) for each in program.needs}
        return ", ".join(each for each, is_there in found.items() if not is_there)

    def _can_import(self, module: str) -> bool:
        """Whether it is installed; one that is, and is broken, is to fail in its program."""
        find = (
            "import sys; from importlib.util import find_spec; sys.exit(not find_spec(sys.argv[1]))"
        )
        command = [self.python, "-c", find, module]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def run(self, program: Program) -> str:
        """Return the failure, with all that the program printed; empty where it went well."""
        self.graph.reset()
        try:
            done = subprocess.run(
                self._command(program),
                input=self._text(program),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=HERE,
                env=self._environment(program),
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"It did not end in {SECONDS} seconds."
        if done.returncode != 0:
            return f"{done.stdout}Exit code {done.returncode}."
        try:
            self.graph.assert_well_behaved()
        except AssertionError as error:
            return f"{done.stdout}{error}"
        return ""

    def _environment(self, program: Program) -> dict[str, str]:
        return self.environment | (self.graph.proxy_environment if program.unchanged else {})

    def _command(self, program: Program) -> list[str]:
        interpreters = {
            "python": [self.python],
            "js": [self.node or "node", "--input-type=module"],
            "sh": ["bash"],
        }
        command = interpreters[program.language]
        if program.block is not None:
            return [*command, "-"]
        origin = [] if program.unchanged else [self.origin]
        return [command[0], str(HERE / program.name), *origin]

    def _text(self, program: Program) -> str | None:
        """The block of the page as it is printed, but for the port."""
        if program.block is None:
            return None
        blocks = re.findall(
            rf"^```{program.language}\n(.*?)^```$",
            CLIENTS.read_text(encoding="utf-8"),
            re.MULTILINE | re.DOTALL,
        )
        (block,) = (each for each in blocks if program.block in each)
        return str(block).replace("https://localhost:8366", self.origin)


def clean_environment() -> dict[str, str]:
    """This process's, without what would send a client elsewhere."""
    elsewhere = re.compile(r"AZURE_.*|MSI_.*|IDENTITY_.*|PYTHONPATH|(https?|all)_proxy", re.I)
    kept = {name: value for name, value in os.environ.items() if not elsewhere.fullmatch(name)}
    return kept | {"NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1"}


def run_all(runner: Runner, programs: Sequence[Program], asked_for: bool) -> Mapping[str, int]:
    counts = {"passed": 0, "failed": 0, "left out": 0}
    for program in programs:
        started = time.monotonic()
        missing = runner.missing(program)
        if missing and not asked_for:
            counts["left out"] += 1
            print(f"left out  {program.name:<22} for want of {missing}", flush=True)
            continue
        fault = f"It cannot be run for want of {missing}." if missing else runner.run(program)
        counts["failed" if fault else "passed"] += 1
        seconds = time.monotonic() - started
        print(f"{'FAILED' if fault else 'ok':<9} {program.name:<22} {seconds:5.1f} s", flush=True)
        if fault:
            print("    " + fault.strip().replace("\n", "\n    "), flush=True)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the example programs against one server.")
    parser.add_argument("--python", default=sys.executable, help="the one that has the clients")
    parser.add_argument("--auth", default="jwt", choices=["any", "jwt"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="these alone")
    given = parser.parse_args()
    unknown = set(given.names) - {program.name for program in PROGRAMS}
    if unknown:
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    python = shutil.which(given.python)
    if python is None:
        parser.error(f"no such Python: {given.python}")
    programs = [each for each in PROGRAMS if not given.names or each.name in given.names]
    with (
        tempfile.TemporaryDirectory() as directory,
        MockGraph(tls=True, proxy=True, auth=given.auth, ca_dir=directory) as graph,
    ):
        runner = Runner(graph, os.path.abspath(python))
        counts = run_all(runner, programs, bool(given.names))
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
