"""``mockgraph state export`` and ``import``: the state document of a running server."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import click

from mockgraph.cli.arguments import option, reporting_errors, server_options
from mockgraph.errors import MockGraphError

_STANDARD = "-"
# A larger file is not read before it is sent: the server says what is wrong with it. In bytes.
_IN_MEMORY = 16 * 1024 * 1024

_snapshot = option("--snapshot", metavar="NAME", help="A snapshot of that name instead.")


@click.group()
def state() -> None:
    """Export and import the state of a running server as one document."""


@state.command("export")
@server_options
@_snapshot
@click.argument("file", default=_STANDARD, metavar="[FILE|-]")
def export_state(
    url: str, tenant: str | None, control_token: str | None, snapshot: str | None, file: str
) -> None:
    """Write the state document to a file, or to the standard output.

    With the directory of who may sign in, where there is one, its secrets included; a new file is
    therefore its owner's alone to read.
    """
    from mockgraph.cli.remote import Remote
    from mockgraph.state.document_writer import indented
    from mockgraph.wsgi import new_file

    with reporting_errors(), new_file() as answer:
        document = Remote(url, tenant, control_token).state(answer, snapshot)
        _write(file, indented(document))


@state.command("import")
@server_options
@_snapshot
@click.argument("file", metavar="FILE|-")
def import_state(
    url: str, tenant: str | None, control_token: str | None, snapshot: str | None, file: str
) -> None:
    """Make the document in a file, or on the standard input, the state of a server.

    All of it, or nothing where the server refuses it.
    """
    from mockgraph.cli.remote import Remote

    with reporting_errors():
        remote = Remote(url, tenant, control_token)
        if file != _STANDARD and os.path.isfile(file) and os.path.getsize(file) > _IN_MEMORY:
            with _opened(file) as document:
                remote.put_state(document, snapshot)
        else:
            remote.put_state(read_json_file(file), snapshot)


def read_json_file(file: str) -> bytes:
    """Return what is in a file, ``-`` being the standard input, once it is seen to be JSON.

    Raises MockGraphError.
    """
    import orjson

    try:
        data = sys.stdin.buffer.read() if file == _STANDARD else Path(file).read_bytes()
        orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise MockGraphError(f"{_called(file)} cannot be read: {_why(error)}.") from None
    except ValueError as error:
        raise MockGraphError(f"{_called(file)} is not valid JSON: {error}.") from None
    return data


def _opened(file: str) -> IO[bytes]:
    try:
        return open(file, "rb")
    except OSError as error:
        raise MockGraphError(f"{file} cannot be read: {_why(error)}.") from None


def _write(file: str, data: Iterable[bytes]) -> None:
    """Write a file whole, or not at all. Raises MockGraphError."""
    try:
        if file == _STANDARD:
            sys.stdout.buffer.writelines(data)
            sys.stdout.buffer.flush()
        else:
            _replace(Path(os.path.realpath(file)), data)  # a link stays one
    except BrokenPipeError:
        raise  # whoever reads it has had enough
    except (OSError, ValueError) as error:
        called = "The standard output" if file == _STANDARD else file
        raise MockGraphError(f"{called} cannot be written: {_why(error)}.") from None


def _replace(path: Path, data: Iterable[bytes]) -> None:
    from mockgraph import files

    if not path.exists():
        files.put(path, data)
    elif path.is_file():
        with path.open("ab"):  # who may not write to it may not replace it
            pass
        files.put(path, data, stat.S_IMODE(path.stat().st_mode))
    else:  # a device or a pipe
        with path.open("wb") as file:
            file.writelines(data)


def _called(file: str) -> str:
    return "The standard input" if file == _STANDARD else file


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
