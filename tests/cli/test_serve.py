"""``mockgraph serve`` in processes of its own: serving, stopping, and refusing to."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
from processes import ROOT, run, serving
from wire import TIMEOUT, ask, patch, port_of

from mockgraph import __version__

SECURITY = "/localtest/Security"
SEED = {"Security": {"providerStatus": [{"region": "seed"}]}}
ENDING = [signal.SIGTERM, signal.SIGINT]

only_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are otherwise there")


# -- serving ------------------------------------------------------------------------------


@only_posix
@pytest.mark.parametrize("number", ENDING, ids=lambda each: each.name)
def test_serve_until_told_to_stop(number: signal.Signals) -> None:
    with serving() as server:
        assert server.ready.startswith(f"MockGraph {__version__} is ready: http://127.0.0.1:")
        assert ask(server.origin, "GET", SECURITY).status == 200
        assert ask(server.origin, "GET", "/nowhere?$select=id").status == 400
        ended = server.stop(number)
    assert ended.code == 0
    assert f"  console at {server.origin}/, state in memory; " in ended.out
    first, second = ended.err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET /localtest/Security 200 \d+\.\d ms", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d GET /nowhere\?\$select=id 400 \d+\.\d ms", second)


@pytest.mark.long
@only_posix
def test_a_request_under_way_is_finished() -> None:
    body = b'{"providerStatus":[]}'
    head = (
        b"PATCH /localtest/Security HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    with serving() as server:
        address = ("127.0.0.1", port_of(server.origin))
        with socket.create_connection(address, timeout=TIMEOUT) as connection:
            connection.sendall(head + body[:5])
            ask(server.origin, "GET", SECURITY)  # by now the other one has begun
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(TimeoutError):
                wait_briefly(connection)
            connection.sendall(body[5:])
            connection.settimeout(TIMEOUT)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert server.end().code == 0


@pytest.mark.long
@only_posix
def test_whoever_tells_it_twice_waits_for_nobody() -> None:
    with serving() as server:
        address = ("127.0.0.1", port_of(server.origin))
        with socket.create_connection(address, timeout=TIMEOUT) as connection:
            connection.sendall(b"PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
            ask(server.origin, "GET", SECURITY)  # by now the other one has begun
            for number in ENDING:
                server.process.send_signal(number)
            assert server.end().code == 0


@pytest.mark.long
@only_posix
def test_it_ends_though_nobody_reads_what_it_logs() -> None:
    """As where a test starts it with pipes that it forgets."""
    with serving() as server:
        for number in range(150):
            ask(server.origin, "GET", f"/localtest/Security?{number}={'x' * 1000}")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(TIMEOUT) == 0


def wait_briefly(connection: socket.socket) -> None:
    connection.settimeout(0.3)
    connection.recv(1)


@pytest.mark.long
@only_posix
def test_a_store_and_a_seed(tmp_path: Path) -> None:
    store, seed = tmp_path / "graph.store", tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED))
    options = ("--store", str(store), "--seed", str(seed))
    with serving(*options) as server:
        (status,) = ask(server.origin, "GET", SECURITY).json["providerStatus"]
        assert status["region"] == "seed"
        assert patch(server.origin, {"providerStatus": []}).status == 200
        second = run("serve", "--port", "0", *options)
        assert second.code == 1
        assert "is in use by another process" in second.err
        ended = server.stop()
    assert (ended.code, str(store) in ended.out) == (0, True)
    assert "goes on" not in ended.err
    with serving(*options) as server:
        assert ask(server.origin, "GET", SECURITY).json["providerStatus"] == []
        server.process.kill()  # no goodbye: what was answered is in the store all the same
        server.end()
    with serving(*options) as server:
        assert ask(server.origin, "GET", SECURITY).json["providerStatus"] == []
        first, *_ = server.stop().err.splitlines()
    assert f"The store {store} goes on with the state in it: the seeds are for resets" in first
    with serving("--store", str(store)) as server:  # without a seed there is nothing to tell
        assert "goes on" not in server.stop().err


@pytest.mark.long
@only_posix
def test_every_option_is_an_environment_variable(tmp_path: Path) -> None:
    store, seed, docs = tmp_path / "graph.store", tmp_path / "seed.json", tmp_path / "docs"
    seed.write_text(json.dumps({"Security": {"alerts": [{"id": "a"}]}}))
    docs.mkdir()
    page = (ROOT / "fixtures" / "security-get.md").read_text()
    (docs / "page.md").write_text(page.replace("Region value", "from the page"))
    with serving(
        MOCKGRAPH_HOST="127.0.0.1",
        MOCKGRAPH_PORT="0",
        MOCKGRAPH_STORE=str(store),
        MOCKGRAPH_SEED=str(seed),
        MOCKGRAPH_DOCS=str(docs),
        MOCKGRAPH_AUTH="off",
        MOCKGRAPH_JSON="documented",
    ) as server:
        answer = ask(server.origin, "GET", SECURITY, headers={})
        assert answer.status == 200
        assert b'\r\n      "region": "from the page",\r\n' in answer.body
        assert ask(server.origin, "GET", f"{SECURITY}/alerts/a", headers={}).status == 200
        assert server.stop().code == 0
    assert store.read_bytes().startswith(b'{"mockgraph":"store"')


@pytest.mark.long
@pytest.mark.parametrize("name", ["store", "control-token"])
def test_what_must_not_be_empty(name: str) -> None:
    says = f"Error: {name.replace('-', '_')} is empty"
    assert refused("--port", "0", f"--{name}", "").startswith(says)
    ended = run("serve", "--port", "0", **{f"MOCKGRAPH_{name.replace('-', '_').upper()}": ""})
    assert (ended.code, ended.err.startswith(says)) == (1, True)


@pytest.mark.long
@only_posix
def test_a_variable_of_no_option_is_told_of() -> None:
    said = "MOCKGRAPH_SEEDS is the variable of no option; the nearest is MOCKGRAPH_SEED."
    with serving(MOCKGRAPH_SEEDS="demo", MOCKGRAPH_CA_DIR="", MOCKGRAPH_URL="") as server:
        assert ask(server.origin, "GET", f"{SECURITY}/alerts").status == 200
        ended = server.stop()
    assert ended.code == 0
    assert [line for line in ended.err.splitlines() if "MOCKGRAPH" in line] == [said]
    many = {f"MOCKGRAPH_PROT_{number}": "" for number in range(14)}
    with serving(**many) as server:
        told = [line for line in server.stop().err.splitlines() if "variable" in line]
    assert len(told) == 11
    assert all(line.endswith("the nearest is MOCKGRAPH_PORT.") for line in told[:-1])
    assert told[-1] == "... and 4 more such variables."


# -- what cannot be served ------------------------------------------------------------------


def refused(*arguments: str) -> str:
    """The one line that the command says before it exits with 1."""
    ended = run("serve", *arguments)
    assert ended.code == 1, ended
    assert ended.out == ""
    (line,) = ended.err.splitlines()
    assert line.startswith("Error: ")
    return line


@pytest.mark.long
def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("--port", str(port))
    assert f"Cannot listen on 127.0.0.1 port {port}" in line
    assert "--port 0" in line


@pytest.mark.long
def test_a_seed_that_is_missing_or_does_not_fit(tmp_path: Path) -> None:
    missing, bad = tmp_path / "none.json", tmp_path / "bad.json"
    assert f"The seed {missing} cannot be read" in refused("--port", "0", "--seed", str(missing))
    beside = tmp_path / "one.json"
    beside.touch()
    assert f"Did you mean {beside}?" in refused("--port", "0", "--seed", str(missing))
    assert "Did you mean demo" in refused("--port", "0", "--seed", "demos")
    bad.write_text('{"Security": {"alerts": [{"title": 5}]}}')
    assert f"{bad}: Security/alerts/0/title" in refused("--port", "0", "--seed", str(bad))


@pytest.mark.long
def test_a_damaged_store(tmp_path: Path) -> None:
    store = tmp_path / "graph.store"
    content = b'{"mockgraph":"store","version":2}\nnonsense\n'
    store.write_bytes(content)
    line = refused("--port", "0", "--store", str(store))
    assert f"The store {store} is damaged at byte 34" in line
    assert store.read_bytes() == content


@pytest.mark.long
def test_a_misdeed_that_there_is_not() -> None:
    said = refused("--port", "0", "--strict-client", "--allow-misdeed", "haste")
    assert "There is no misdeed 'haste'; there are retry-after-ignored, " in said


@pytest.mark.long
def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for store in (tmp_path, tmp_path / "file" / "graph.store"):
        assert f"{store} cannot be opened" in refused("--port", "0", "--store", str(store))


@pytest.mark.long
def test_pages_that_are_missing(tmp_path: Path) -> None:
    docs = str(tmp_path / "none")
    assert f"{docs}: no such directory" in refused("--port", "0", "--docs", docs)


def exchange(request: str, body: str = "{}") -> str:
    """A documented exchange as pages mark it."""
    return (
        f'<!-- {{"blockType": "request"}} -->\n```http\n{request}\n```\n'
        '<!-- {"blockType": "response"} -->\n```http\nHTTP/1.1 200 OK\n'
        f"Content-Type: application/json\n\n{body}\n```\n"
    )


@pytest.mark.long
@only_posix
def test_pages_that_are_not_used_in_whole_are_told_of(tmp_path: Path) -> None:
    good = (ROOT / "fixtures" / "security-get.md").read_text()
    (tmp_path / "a.md").write_text(good)
    (tmp_path / "b.md").write_text("# Prose\n\nNothing else.\n")
    (tmp_path / "c.md").write_text(exchange("no request"))
    (tmp_path / "d.md").write_text(
        exchange("GET /localtest/Security", "plain") + exchange("GET /no")
    )
    with serving("--docs", str(tmp_path)) as server:
        lines = server.stop().err.splitlines()
    told = [line.partition("The page ")[2] for line in lines if "page" in line]
    assert [line.partition(": ")[0] for line in told] == [
        "c.md is not used in whole",
        "d.md is not used in whole",
    ]
    assert "the request does not start with a request line (and 1 more)" in told[0]
    assert "GET /localtest/Security: The documented body is not JSON" in told[1]
    for number in range(12):
        (tmp_path / f"e{number}.md").write_text(
            exchange(f"GET /localtest/Security?{'x' * 4000}", "plain")
        )
    with serving("--docs", str(tmp_path)) as server:
        lines = server.stop().err.splitlines()
    told = [line for line in lines if "page" in line]
    assert len(told) == 11
    assert max(map(len, told)) < 400
    assert told[-1].endswith("... and 4 more pages; mockgraph replay lists all")


@pytest.mark.long
@only_posix
def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for make in (lambda page: page.symlink_to("nowhere"), os.mkfifo):
        page = tmp_path / "page.md"
        make(page)
        with serving("--docs", str(tmp_path)) as server:
            told = server.stop().err
        assert "The page page.md is not used in whole: is no file" in told
        page.unlink()
