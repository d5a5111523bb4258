"""``mockgraph hunt``: a hunting query over seeds, without a server."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockgraph.cli.arguments import reporting_errors
from mockgraph.errors import MockGraphError

if TYPE_CHECKING:
    from mockgraph.service.hunting.engine import HuntingAnswer

_WIDEST = 60  # characters of a cell of a printed table


@click.command()
@click.argument("query", metavar="QUERY|FILE|-")
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    metavar="FILE",
    help="State document, or a table's rows as DeviceEvents.parquet, .csv or .jsonl; demo is the "
    "bundled tenant. May be repeated.",
)
@click.option("--timespan", metavar="ISO8601", help="Time to look back on, by default P30D.")
@click.option("--at", metavar="TIME", help="Time that now() is, in ISO 8601; by default it is now.")
@click.option(
    "--format",
    "layout",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How the rows are printed.",
)
def hunt(
    query: str, seeds: tuple[str, ...], timespan: str | None, at: str | None, layout: str
) -> None:
    """Run a hunting query, given as a text or in a file, over seeds and print what it finds."""
    from mockgraph.app import create_app
    from mockgraph.seeds import read_seeds
    from mockgraph.server_options import Settings
    from mockgraph.testing.tenant import Tenants

    with reporting_errors():
        text = _read(query)
        tenants: Tenants = create_app(Settings(seed=read_seeds(seeds))).extensions["mockgraph"]
        tenant = tenants.default
        if at is not None:
            tenant.state.clock.freeze(at)
        answer = tenant.hunts.hunt(text, timespan)
        click.echo(_PRINTERS[layout](answer), nl=False)


def _read(query: str) -> str:
    """Return the text of a query: of the standard input, of a file, or the argument itself."""
    if query == "-":
        return sys.stdin.read()
    is_file = query.endswith((".kql", ".txt")) and "\n" not in query and "|" not in query
    if not is_file:
        return query
    try:
        return Path(query).read_text("utf-8")
    except OSError as error:
        raise MockGraphError(f"The query {query} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise MockGraphError(f"The query {query} is not UTF-8.") from None


def _as_json(answer: HuntingAnswer) -> str:
    import orjson

    written = {"schema": answer.schema, "results": answer.results}
    return orjson.dumps(written, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _as_csv(answer: HuntingAnswer) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([each["name"] for each in answer.schema])
    writer.writerows([[_cell(value) for value in row.values()] for row in answer.results])
    return text.getvalue()


def _as_table(answer: HuntingAnswer) -> str:
    lines = [[each["name"] for each in answer.schema]]
    lines += [[_short(_cell(value)) for value in row.values()] for row in answer.results]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width for width in widths]
    printed = "".join(f"{_padded(line, widths)}\n" for line in [lines[0], rule, *lines[1:]])
    count = len(answer.results)
    return f"{printed}{count} row{'' if count == 1 else 's'}\n"


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(cells, widths, strict=True)
    return "  ".join(cell.ljust(width) for cell, width in pairs).rstrip()


def _cell(value: Any) -> str:
    import orjson

    if value is None:
        return ""
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 3]}..."


_PRINTERS = {"table": _as_table, "csv": _as_csv, "json": _as_json}
