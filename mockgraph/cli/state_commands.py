"""``mockgraph state export`` and ``import``: the state document of a running server."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import click

from mockgraph.cli.arguments import option, reporting_errors, server_options
from mockgraph.errors import MockGraphError

_STANDARD = "-"

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
    import orjson

    from mockgraph.cli.remote import Remote

    with reporting_errors():
        document = Remote(url, tenant, control_token).state(snapshot)
        written = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        _write(file, written)


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
        Remote(url, tenant, control_token).put_state(read_json_file(file), snapshot)


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


def _write(file: str, data: bytes) -> None:
    """Write a file whole, or not at all. Raises MockGraphError."""
    try:
        if file == _STANDARD:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            _replace(Path(os.path.realpath(file)), data)  # a link stays one
    except BrokenPipeError:
        raise  # whoever reads it has had enough
    except (OSError, ValueError) as error:
        called = "The standard output" if file == _STANDARD else file
        raise MockGraphError(f"{called} cannot be written: {_why(error)}.") from None


def _replace(path: Path, data: bytes) -> None:
    from mockgraph import files

    if not path.exists():
        files.put(path, data)
    elif path.is_file():
        with path.open("ab"):  # who may not write to it may not replace it
            pass
        files.put(path, data, stat.S_IMODE(path.stat().st_mode))
    else:  # a device or a pipe
        path.write_bytes(data)


def _called(file: str) -> str:
    return "The standard input" if file == _STANDARD else file


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
