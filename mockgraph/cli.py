"""The command line: ``mockgraph serve``, ``replay``, ``routes``, ``token`` and ``ca``.

Every option has an environment variable, ``MOCKGRAPH_`` and its name. Heavy imports wait
until a command runs.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mockgraph.errors import GraphError, MockGraphError
from mockgraph.version import __version__

if TYPE_CHECKING:
    from mockgraph.settings import Settings
    from mockgraph.tls import Certificate


def _option(name: str, *destination: str, **attributes: Any) -> Callable[[Any], Any]:
    """An option with its environment variable and default shown in the help."""
    variable = "MOCKGRAPH_" + name.partition("/")[0].strip("-").replace("-", "_").upper()
    shown: dict[str, Any] = {"envvar": variable, "show_envvar": True, "show_default": True}
    return click.option(name, *destination, **shown | attributes)


_docs = _option(
    "--docs",
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    help="Directory of reference pages to use instead of the bundled ones; may be repeated.",
)
_auth = _option(
    "--auth",
    type=click.Choice(["any", "off", "jwt"]),
    default="any",
    help="any: a bearer token must be there; off: the Authorization header is not looked at; "
    "jwt: the token is one that this server's sign-in issued, with a permission that will do.",
)


_ca_dir = _option(
    "--ca-dir",
    metavar="DIR",
    show_default=False,
    help="Where the authority for --tls is kept; by default where users keep such state.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="MockGraph")
def main() -> None:
    """A local, stateful emulator of the Microsoft Graph Security endpoint."""


@main.command()
@_option("--host", default="127.0.0.1", help="Address to listen on.")
@_option("--port", default=8365, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@_option(
    "--tls/--no-tls",
    "tls",
    default=False,
    help="Serve https as well, with a certificate of this user's own authority; see mockgraph ca.",
)
@_option("--tls-port", default=8366, type=click.IntRange(0, 65535), help="Port of https.")
@_option("--tls-cert", metavar="FILE", help="Certificate chain to serve https with, PEM.")
@_option("--tls-key", metavar="FILE", help="Its key, PEM.")
@_ca_dir
@_option(
    "--store",
    default="memory",
    metavar="FILE|memory",
    help="File that keeps the state over restarts.",
)
@_option(
    "--durability",
    type=click.Choice(["process", "disk"]),
    default="process",
    help="What an answered write in the store survives: a kill of the process, or a power cut.",
)
@_option(
    "--seed",
    multiple=True,
    type=click.Path(),
    metavar="FILE|demo",
    help="State document to start from, and to go back to on reset, or demo, a tenant that "
    "comes with MockGraph; may be repeated.",
)
@_docs
@_auth
@_option(
    "--json",
    "layout",
    type=click.Choice(["graph", "documented"]),
    default="graph",
    help="graph: compact, with OData control information; documented: as the pages print it.",
)
@_option(
    "--journal",
    default=1000,
    type=click.IntRange(0),
    metavar="NUMBER",
    help="How many requests are remembered; 0 is none.",
)
@_option(
    "--strict-client",
    is_flag=True,
    help="Refuse with 400 what a well-behaved client does not do, such as to come back before "
    "Retry-After has passed.",
)
@_option(
    "--allow-misdeed",
    "allowed_misdeeds",
    multiple=True,
    metavar="NAME",
    help="Misdeed that --strict-client puts up with, such as no-backoff; may be repeated.",
)
@_option(
    "--control-token",
    metavar="TEXT",
    help="What the control plane is to be sent as x-mockgraph-token; nothing if left out.",
)
@_option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Host name by which the control plane may be asked, beside addresses, localhost and "
    "names without a dot; may be repeated.",
)
def serve(
    host: str,
    port: int,
    tls: bool,
    tls_port: int,
    tls_cert: str | None,
    tls_key: str | None,
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
    """Serve until SIGTERM or Ctrl+C; requests under way are finished."""
    from mockgraph.seeds import read_seeds
    from mockgraph.settings import Settings

    with _told():
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
        certificate = _certificate(host, tls, tls_cert, tls_key, ca_dir)
        _serve(settings, host, port, tls_port, certificate)


@main.command()
@_option("--url", metavar="URL", help="Server to ask, by default one of its own.")
@_docs
@_option("--token", default="replay", help="Bearer token to send.")
def replay(url: str | None, docs: tuple[str, ...], token: str) -> None:
    """Send every documented request and compare the answer with the documented response."""
    from mockgraph.live import MockGraph
    from mockgraph.replay import replay_pages

    with _told():
        if url is not None:
            passed = replay_pages(url, docs, token, click.echo)
        else:
            with MockGraph(docs=docs) as graph:
                passed = replay_pages(graph.origin, docs, token, click.echo)
    sys.exit(0 if passed else 1)


@main.command()
def routes() -> None:
    """List every operation served."""
    from mockgraph.addressing import operations
    from mockgraph.resources import SERVICE

    for method, template in operations(SERVICE):
        click.echo(f"{method:<7} {template}")


@main.command()
@_option("--url", default="http://127.0.0.1:8365", metavar="URL", help="The server that issues it.")
@_option("--app", metavar="ID", help="App that it is for, by default any.")
@_option("--user", metavar="NAME", help="User that it is for; without, it is the app's own.")
@_option("--scope", multiple=True, metavar="NAME", help="Permission in it; may be repeated.")
@_option("--lifetime", default=3600.0, metavar="SECONDS", help="How long it is good for.")
def token(
    url: str, app: str | None, user: str | None, scope: tuple[str, ...], lifetime: float
) -> None:
    """Print an access token of a running server's, for scripts: good for --auth jwt."""
    from mockgraph.remote import mint

    scopes = [name for each in scope for name in each.split()]
    about = {"app": app, "user": user, "permissions": scopes or None, "lifetime": lifetime}
    with _told():
        click.echo(mint(url, about))


@main.command()
@_ca_dir
def ca(ca_dir: str | None) -> None:
    """Print where the certificate authority of --tls is, and how clients are told to trust it."""
    from mockgraph.tls import authority, how_to_trust

    with _told():
        click.echo(how_to_trust(authority(ca_dir).ca_path))


def _certificate(
    host: str, tls: bool, chain: str | None, key: str | None, ca_dir: str | None
) -> Certificate | None:
    """What https is served with, None where it is not."""
    if (chain is None) != (key is None):
        raise MockGraphError("--tls-cert and --tls-key go together.")
    if chain is not None and key is not None:
        from mockgraph.tls import given

        return given(chain, key)
    if not tls:
        return None
    from mockgraph.tls import authority

    return authority(ca_dir).issue(host)


def _serve(
    settings: Settings, host: str, port: int, tls_port: int, certificate: Certificate | None
) -> None:
    from mockgraph.app import create_app
    from mockgraph.server import AccessLog, Server

    _log_to_stderr()
    app = create_app(settings)
    try:
        log = AccessLog(app, sys.stderr)
        secure = None if certificate is None else tls_port
        server = Server(
            log, host, port, tls_port=secure, certificate=certificate, max_body=settings.max_body
        )
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        server.start()
        click.echo(f"MockGraph {__version__} is ready: {server.origin}/localtest/Security")
        if server.tls_origin:
            click.echo(
                f"  and {server.tls_origin}/localtest/Security; mockgraph ca tells how to trust it"
            )
        click.echo(f"  state in {settings.store or 'memory'}; stop it with Ctrl+C")
        sys.stdout.flush()
        while not stop.wait(0.5):  # a wait without end would hold up signals on Windows
            pass
        server.stop()
    finally:
        app.extensions["mockgraph"].close()


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("mockgraph")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class _told:
    """Faults of the setup as one line and exit code 1."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (MockGraphError, GraphError)):
            raise click.ClickException(str(error)) from None
