"""``mockgraph routes`` and ``mockgraph drift``: what is served, and what newer metadata has."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mockgraph.cli.arguments import csdl_option, operations_option, option, reporting_errors
from mockgraph.spelling import suggestion


@click.command()
@click.argument("prefix", default="/")
@csdl_option
@operations_option
def routes(prefix: str, csdl: tuple[str, ...], operations: tuple[str, ...]) -> None:
    """List every operation served, or those whose paths begin with PREFIX.

    What a 501 stands behind is answered so until somebody says what it does.
    """
    from mockgraph.odata.routes import routes as served
    from mockgraph.service import behaviours_of, service_of

    with reporting_errors():
        service, behaviours = service_of(csdl), behaviours_of(operations)
    wanted = f"/{prefix.strip('/').lower()}"
    every = list(served(service, behaviours))
    found = [each for each in every if each.template.lower().startswith(wanted)]
    for route in found:
        mark = "" if route.emulated else "  501"
        click.echo(f"{route.method:<7} {route.template}{mark}")
    if not found:
        near = suggestion(wanted, (each.template for each in every))
        raise click.ClickException(f"Nothing that is served begins with {prefix}.{near}")


@click.command()
@csdl_option
@option(
    "--root",
    type=click.Choice(["v1.0", "beta", "localtest"]),
    default="v1.0",
    help="Root whose bundled metadata is compared.",
)
@option("--json", "as_json", variable="DRIFT_JSON", is_flag=True, help="Print JSON.")
def drift(csdl: tuple[str, ...], root: str, as_json: bool) -> None:
    """Compare the bundled metadata with newer CSDL files; exit with 1 where they differ."""
    import orjson

    from mockgraph.metadata import csdl_cache
    from mockgraph.metadata.drift import bundled_drift
    from mockgraph.metadata.roots import declared

    if not csdl:
        raise click.UsageError("Name the files to compare with: --csdl FILE.")
    with reporting_errors():
        given = csdl_cache.read_cached([Path(each) for each in csdl], declared(root))
    found = bundled_drift(root, given)
    if as_json:
        click.echo(orjson.dumps(found.as_json(), option=orjson.OPT_INDENT_2))
    else:
        click.echo(str(found) if found else f"No drift: {root} is as the files say.")
    sys.exit(1 if found else 0)
