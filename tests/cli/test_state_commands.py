"""``mockgraph state export`` and ``import``: there and back, and what they say when they cannot."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from click.testing import CliRunner, Result
from processes import run, serving

from mockgraph import MockGraph
from mockgraph.cli import main, state_commands

STATE = {
    "Security": {"providerStatus": [], "alerts": [{"id": "a", "title": "Ünïcode"}]},
    "Directory": {"apps": [{"appId": "x", "secrets": ["s3cret"]}]},
}
only_posix = pytest.mark.skipif(sys.platform == "win32", reason="rights are otherwise there")


def state(*arguments: str | Path, **options: Any) -> Result:
    return CliRunner().invoke(main, ["state", *map(str, arguments)], **options)


def said(result: Result) -> str:
    """Return the line of a command that ended with code 1."""
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    return line.removeprefix("Error: ")


# -- there and back ---------------------------------------------------------------------------


def test_an_export_imported_is_the_same_state(graph: MockGraph, tmp_path: Path) -> None:
    graph.state = STATE
    exported = graph.state
    file = tmp_path / "state.json"
    assert state("export", "--url", graph.origin, file).exit_code == 0
    assert json.loads(file.read_bytes()) == exported
    graph.reset()
    assert graph.state != exported
    done = state("import", "--url", graph.origin, file)
    assert (done.exit_code, done.output) == (0, "")
    assert graph.state == exported


def test_an_export_is_a_seed(graph: MockGraph, tmp_path: Path) -> None:
    graph.state = STATE
    file = tmp_path / "state.json"
    state("export", "--url", graph.origin, file)
    with MockGraph(seed=file) as other:
        assert other.state == graph.state


@pytest.mark.parametrize("file", [[], ["-"]])
def test_by_the_standard_streams(graph: MockGraph, file: list[str]) -> None:
    graph.state = STATE
    exported = state("export", "--url", graph.origin, *file)
    assert exported.exit_code == 0
    assert exported.stdout_bytes.startswith(b'{\n  "Security": {\n')
    assert exported.stdout_bytes.endswith(b"}\n")
    before = graph.state
    graph.reset()
    assert state("import", "--url", graph.origin, "-", input=exported.stdout_bytes).exit_code == 0
    assert graph.state == before


def test_of_a_tenant(graph: MockGraph, tmp_path: Path) -> None:
    file, fresh = tmp_path / "state.json", graph.state
    file.write_text(json.dumps(STATE))
    where = ("--url", f"{graph.origin}/", "--tenant", "team-a")
    assert state("import", *where, file).exit_code == 0
    assert graph.state == fresh
    assert graph.tenant("team-a").state["Directory"] == STATE["Directory"]
    assert json.loads(state("export", *where).stdout) == graph.tenant("team-a").state


def test_of_a_snapshot(graph: MockGraph, tmp_path: Path) -> None:
    fresh = graph.state
    graph.snapshot("fresh")
    graph.state = STATE
    where = ("--url", graph.origin, "--snapshot")
    assert json.loads(state("export", *where, "fresh").stdout) == fresh
    file = tmp_path / "state.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(STATE).encode())
    graph.reset()
    assert state("import", *where, "given", file).exit_code == 0
    assert graph.state == fresh
    graph.restore("given")
    assert graph.state["Directory"] == STATE["Directory"]


@pytest.mark.long
def test_a_state_that_is_larger_than_a_request_to_graph(graph: MockGraph, tmp_path: Path) -> None:
    alerts = [{"id": f"a{number}", "title": "x" * 1000} for number in range(6000)]
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"Security": {"alerts": alerts}}))
    assert file.stat().st_size > 5 * 1024 * 1024
    assert state("import", "--url", graph.origin, file).exit_code == 0
    assert len(graph.state["Security"]["alerts"]) == 6000
    assert state("export", "--url", graph.origin, tmp_path / "out.json").exit_code == 0
    assert json.loads((tmp_path / "out.json").read_bytes()) == graph.state


@pytest.mark.long
def test_with_a_control_token() -> None:
    with serving("--control-token", "t0ken") as server:
        command = ("state", "export", "--url", server.origin)
        refused = run(*command)
        assert refused.code == 1
        assert "asks for its token" in refused.err
        assert run(*command, MOCKGRAPH_CONTROL_TOKEN="wrong").code == 1
        assert run(*command, MOCKGRAPH_CONTROL_TOKEN="t0ken").code == 0
        assert run(*command, "--control-token", "t0ken").code == 0
        minted = run("token", MOCKGRAPH_CONTROL_TOKEN="t0ken", MOCKGRAPH_URL=server.origin)
        assert (minted.code, minted.out.count(".")) == (0, 2)


def test_no_proxy_is_asked(
    graph: MockGraph, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert state("export", "--url", graph.origin, tmp_path / "x").exit_code == 0


# -- files --------------------------------------------------------------------------------


@only_posix
def test_the_rights_of_an_export(graph: MockGraph, tmp_path: Path) -> None:
    new, old, link = tmp_path / "new", tmp_path / "old", tmp_path / "link"
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    for file in (new, link):
        assert state("export", "--url", graph.origin, file).exit_code == 0
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert json.loads(old.read_bytes()) == graph.state
    assert sorted(os.listdir(tmp_path)) == ["link", "new", "old"]


@only_posix
def test_an_export_to_what_is_no_file(graph: MockGraph, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert state("export", "--url", graph.origin, pipe).exit_code == 0
    reader.join()
    assert json.loads(read[0]) == graph.state
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("where", ["missing/state.json", "", "file/state.json"])
def test_a_file_that_cannot_be_written(graph: MockGraph, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    file = tmp_path / where
    assert f"{file} cannot be written: " in said(state("export", "--url", graph.origin, file))


@pytest.mark.parametrize("exists", [True, False])
def test_a_half_written_export_is_never_left_behind(
    graph: MockGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    file = tmp_path / "state.json"
    if exists:
        file.write_text("old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mockgraph.files.os.fsync", full)
    result = state("export", "--url", graph.origin, file)
    assert said(result) == f"{file} cannot be written: No space left on device."
    assert os.listdir(tmp_path) == (["state.json"] if exists else [])
    assert not exists or file.read_text() == "old"


def test_where_the_server_refuses_no_file_is_touched(graph: MockGraph, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text("old")
    result = state("export", "--url", graph.origin, "--snapshot", "none", file)
    assert said(result) == f"{graph.origin} refuses: There is no snapshot 'none'."
    assert file.read_text() == "old"


# -- documents that are refused ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ('{"Security": {"alerts": [{"id": 5}]}}', "refuses: Security/alerts/0/id: "),
        ('{"Security": {}, "Directory": {"apps": [{}]}}', "refuses: Directory/apps/0/appId: "),
        ("[]", "refuses: A state document is an object"),
        ("", "is not valid JSON: "),
        ('{"Security": ', "is not valid JSON: "),
        ('{"Security": {}}\x00', "is not valid JSON: "),
        ("[" * 100_000, "is not valid JSON: "),
    ],
)
def test_documents_that_are_refused(
    graph: MockGraph, tmp_path: Path, document: str, says: str
) -> None:
    file, before = tmp_path / "state.json", graph.state
    file.write_text(document)
    assert says in said(state("import", "--url", graph.origin, file))
    assert graph.state == before
    assert said(state("import", "--url", graph.origin, "-", input=document))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "none.json"
    assert said(state("import", file)) == f"{file} cannot be read: No such file or directory."


# -- servers that do not answer -----------------------------------------------------------------


@contextmanager
def answering(data: bytes) -> Iterator[str]:
    """Something that answers one connection with these bytes, whatever it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(data)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{other.getsockname()[1]}"
        thread.join()


ANOTHER, SILENT = "does not answer as MockGraph does.", "cannot be asked: "


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<ht>", ANOTHER),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", ANOTHER),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"error":1}', ANOTHER),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n<ht>", ANOTHER),
        (b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n[]", ANOTHER),
        (b"HTTP/1.1 500 No\r\nContent-Length: 20\r\n\r\n[]", ANOTHER),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{", "broke off its answer."),
        (b"220 smtp.example ESMTP\r\n", ANOTHER),
        (b"", SILENT),
    ],
)
def test_what_is_no_mockgraph(answer: bytes, says: str, tmp_path: Path) -> None:
    with answering(answer) as url:
        assert f"{url} {says}" in said(state("export", "--url", url, tmp_path / "x"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"value":5}'])
def test_the_tenants_of_what_is_no_mockgraph(body: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with answering(answer) as url:
        assert said(state("export", "--url", url, "--tenant", "a")) == f"{url} {ANOTHER}"


def test_a_token_of_what_is_no_mockgraph() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as url:
        assert said(CliRunner().invoke(main, ["token", "--url", url])) == f"{url} {ANOTHER}"


def test_where_nobody_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    assert f"{url} cannot be asked: " in said(state("export", "--url", url, tmp_path / "x"))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:8365", "ftp://x", "http://", "file:///etc/passwd", "http://a b", "http://x:y"],
)
def test_what_is_no_url(url: str) -> None:
    assert said(state("export", "--url", url)) == f"{url} is no http or https URL."


@pytest.mark.parametrize("token", ["a\nb", "schlüssel"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    says = said(state("export", "--control-token", token))
    assert says == "The control token is no text that a header can carry."


def test_an_export_makes_no_tenant(graph: MockGraph, tmp_path: Path) -> None:
    file, where = tmp_path / "state.json", ("--url", graph.origin, "--tenant", "team-1")
    for snapshot in ((), ("--snapshot", "before")):
        says = said(state("export", *where, *snapshot, file))
        assert says == f"There is no tenant 'team-1' at {graph.origin}; there is none."
    for name in ("blue", "team-a", "green"):
        graph.tenant(name)
    says = said(state("export", *where, file))
    assert says == f"There is no tenant 'team-1' at {graph.origin}; the nearest is 'team-a'."
    listed = requests.get(f"{graph.origin}/_mockgraph/tenants", timeout=9).json()
    assert listed == {"value": ["blue", "team-a", "green"]}
    assert not file.exists()


def test_a_tenant_that_can_be_none(graph: MockGraph) -> None:
    assert "is no name for a tenant" in said(
        state("export", "--url", graph.origin, "--tenant", "../a")
    )


@pytest.mark.parametrize("arguments", [["import"], ["export", "--urn", "x"], ["move"], []])
def test_what_is_no_command(arguments: list[str]) -> None:
    assert state(*arguments).exit_code == 2


# -- large ones -------------------------------------------------------------------------------


def test_a_large_state_goes_there_and_back(
    graph: MockGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_commands, "_IN_MEMORY", 1000)
    graph.state = {
        "Security": {
            "alerts": [{"id": f"a{n}", "title": "ü" * 100} for n in range(2000)],
            "cases": {"ediscoveryCases": [{"id": "c", "custodians": [{"id": "u"}]}]},
        }
    }
    exported, file = graph.state, tmp_path / "state.json"
    assert state("export", "--url", graph.origin, file).exit_code == 0
    expected = orjson.dumps(json.loads(json.dumps(exported)), option=orjson.OPT_INDENT_2)
    assert file.read_bytes() == expected + b"\n"
    graph.reset()
    assert state("import", "--url", graph.origin, file).exit_code == 0
    assert graph.state == exported


def test_a_large_file_that_is_no_json_is_refused_by_the_server(
    graph: MockGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_commands, "_IN_MEMORY", 1000)
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"Security": {"providerStatus": [{"region": "x" * 2000}]}})[:-1])
    before = graph.state
    assert "refuses: Unable to read JSON" in said(state("import", "--url", graph.origin, file))
    assert graph.state == before
