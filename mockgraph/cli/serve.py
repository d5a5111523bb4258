"""The command ``mockgraph serve``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from mockgraph.cli.arguments import ca_dir_option, docs_option, option, tell_unknown_variables, told
from mockgraph.collector import leave_alone, uncollected
from mockgraph.errors import MockGraphError
from mockgraph.version import __version__

if TYPE_CHECKING:
    from mockgraph.serving.server import Server, WSGIApp
    from mockgraph.serving.tls import Certificate
    from mockgraph.settings import Settings


@click.command()
@option("--host", default="127.0.0.1", help="Address to listen on.")
@option("--port", default=8365, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@option(
    "--tls/--no-tls",
    "tls",
    default=False,
    help="Serve https as well, with a certificate of this user's own authority; see mockgraph ca.",
)
@option("--tls-port", default=8366, type=click.IntRange(0, 65535), help="Port of https.")
@option("--tls-cert", metavar="FILE", help="Certificate chain to serve https with, PEM.")
@option("--tls-key", metavar="FILE", help="Its key, PEM.")
@option(
    "--proxy/--no-proxy",
    "proxy",
    default=False,
    help="Be an HTTP proxy as well, which answers for graph.microsoft.com and "
    "login.microsoftonline.com and refuses all else; see mockgraph ca.",
)
@option("--proxy-port", default=8367, type=click.IntRange(0, 65535), help="Port of the proxy.")
@ca_dir_option
@option(
    "--store",
    default="memory",
    metavar="FILE|memory",
    help="File that keeps the state over restarts.",
)
@option(
    "--durability",
    type=click.Choice(["process", "disk"]),
    default="process",
    help="What an answered write in the store survives: a kill of the process, or a power cut.",
)
@option(
    "--seed",
    multiple=True,
    type=click.Path(),
    metavar="FILE|demo",
    help="State document to start from, and to go back to on reset, or demo, a tenant that "
    "comes with MockGraph; may be repeated.",
)
@docs_option
@option(
    "--auth",
    type=click.Choice(["any", "off", "jwt"]),
    default="any",
    help="any: a bearer token must be there; off: the Authorization header is not looked at; "
    "jwt: the token is one that this server's sign-in issued, with a permission that will do.",
)
@option(
    "--json",
    "layout",
    type=click.Choice(["graph", "documented"]),
    default="graph",
    help="graph: compact, with OData control information; documented: as the pages print it.",
)
@option(
    "--journal",
    default=1000,
    type=click.IntRange(0),
    metavar="NUMBER",
    help="How many requests are remembered; 0 is none.",
)
@option(
    "--strict-client",
    is_flag=True,
    help="Refuse with 400 what a well-behaved client does not do, such as to come back before "
    "Retry-After has passed.",
)
@option(
    "--allow-misdeed",
    "allowed_misdeeds",
    multiple=True,
    metavar="NAME",
    help="Misdeed that --strict-client puts up with, such as no-backoff; may be repeated.",
)
@option(
    "--control-token",
    metavar="TEXT",
    help="What the control plane is to be sent as x-mockgraph-token; nothing if left out.",
)
@option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Host name by which the control plane may be asked, beside addresses, localhost and "
    "names without a dot, and that the certificate of --tls is for; may be repeated.",
)
def serve(
    host: str,
    port: int,
    tls: bool,
    tls_port: int,
    tls_cert: str | None,
    tls_key: str | None,
    proxy: bool,
    proxy_port: int,
    ca_dir: str | None,
    store: str,
    durability: str,
    seed: tuple[str, ...],
    docs: tuple[str, ...],
    auth: str,
    layout: str,
    journal: int,
    strict_client: bool,
    allowed_misdeeds: tuple[str, ...],
    control_token: str | None,
    allowed_hosts: tuple[str, ...],
) -> None:
    """Serve until SIGTERM or Ctrl+C; requests under way are finished, unless told twice."""
    from mockgraph.seeds import read_seeds
    from mockgraph.serving.server import Server
    from mockgraph.settings import Settings

    tell_unknown_variables(os.environ)
    with told():
        settings = Settings(
            store=None if store == "memory" else store,
            seeds=read_seeds(seed),
            docs=docs,
            auth=auth,
            json=layout,
            durability=durability,
            journal=journal,
            strict_client=strict_client,
            allowed_misdeeds=allowed_misdeeds,
            control_token=control_token,
            allowed_hosts=tuple(name.lower() for name in allowed_hosts),
        )
        certificate = _certificate((host, *allowed_hosts), tls, tls_cert, tls_key, ca_dir)
        proxy_certificate = _proxy_certificate(ca_dir) if proxy else None
        open_server = partial(
            Server,
            host=host,
            port=port,
            tls_port=tls_port if certificate else None,
            certificate=certificate,
            proxy_port=proxy_port if proxy else None,
            proxy_certificate=proxy_certificate,
            max_body=settings.max_body,
        )
        tell = partial(_tell, store=store, ca=_ca_command(ca_dir), is_own=tls_cert is not None)
        _serve(settings, open_server, proxy, tell)


def _certificate(
    names: tuple[str, ...], tls: bool, chain: str | None, key: str | None, ca_dir: str | None
) -> Certificate | None:
    """What https is served with, None where it is not."""
    if (chain is None) != (key is None):
        raise MockGraphError("--tls-cert and --tls-key go together.")
    if chain is not None and key is not None:
        from mockgraph.serving.tls import given

        return given(chain, key)
    if not tls:
        return None
    from mockgraph.serving.tls import authority

    return authority(ca_dir).issue(*names)


def _ca_command(ca_dir: str | None) -> str:
    """The command that tells of the authority kept in a directory; good wherever it is typed."""
    if ca_dir is None:
        return "mockgraph ca"
    path = os.path.abspath(ca_dir)
    return "mockgraph ca --ca-dir " + (f'"{path}"' if " " in path else path)


def _proxy_certificate(ca_dir: str | None) -> Certificate:
    from mockgraph.serving.proxy import certificate
    from mockgraph.serving.tls import authority

    return certificate(authority(ca_dir))


def _serve(
    settings: Settings,
    open_server: Callable[[WSGIApp], Server],
    proxy: bool,
    tell: Callable[[Server], None],
) -> None:
    with uncollected():
        from mockgraph.app import create_app
        from mockgraph.serving.server import AccessLog
        from mockgraph.serving.server.process import Shutdown, logging_to, take_descriptors
    with logging_to(sys.stderr) as writer:
        with uncollected():
            app = create_app(settings)
        take_descriptors()
        leave_alone()
        try:
            server = open_server(AccessLog(_proxied(app) if proxy else app, writer))
            shutdown = Shutdown(server)
            server.start()
            tell(server)
            shutdown.wait()
        finally:
            app.extensions["mockgraph"].close()


def _tell(server: Server, store: str, ca: str, is_own: bool) -> None:
    """Say that it is ready, and where; of a certificate that is the user's own, only that."""
    click.echo(f"MockGraph {__version__} is ready: {server.origin}/localtest/Security")
    if server.tls_origin:
        trust = "" if is_own else f"; {ca} tells how to trust it"
        click.echo(f"  and {server.tls_origin}/localtest/Security{trust}")
    if server.proxy_url:
        click.echo(f"  and, as a proxy, {server.proxy_url}; {ca} tells how to use it")
    click.echo(f"  state in {store}; stop it with Ctrl+C")
    sys.stdout.flush()


def _proxied(app: WSGIApp) -> WSGIApp:
    from mockgraph.serving.proxy import Gate

    return Gate(app)
