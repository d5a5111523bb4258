"""The options of a server, each declared once.

A field of :class:`Settings` is an option of ``mockgraph serve``, an environment variable and a
keyword of ``MockGraph``; where tests may choose it, an argument of the pytest marker and an
ini option, too. Each of these is made from the field by :func:`options`.
"""

# ruff: noqa: RUF009 - option() gives a dataclass field, which is no default shared by instances.

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Concatenate, NamedTuple, ParamSpec

from mockgraph.errors import MockGraphError

# A whole state, as the control plane takes it, is larger than any request to Graph. In bytes.
MAX_STATE = 2 * 1024 * 1024 * 1024
MAX_ROWS = 512 * 1024 * 1024

FilePath = str | os.PathLike[str]
Seed = Mapping[str, Any] | FilePath

P = ParamSpec("P")

_PORT = 65535  # the highest
_KEY = "option"


class Option(NamedTuple):
    """An option of the server, as all the ways to give it are made from.

    ``default`` is that of Python, ``cli_default`` that of the command line, where ``none`` is the
    word for None and ``flag`` the option's name if it is not ``name``. ``choices`` are the texts
    that it may be, ``least`` and ``most`` the bounds of a number of ``unit``. ``is_path`` says
    that its texts are paths, ``for_tests`` that a single test may choose it, ``may_be_empty`` that
    an empty variable is as good as none.
    """

    default: Any
    help: str
    cli_default: Any
    name: str = ""
    flag: str = ""
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int | None = None
    unit: str = ""
    none: str | None = None
    is_path: bool = False
    for_tests: bool = False
    may_be_empty: bool = True

    @property
    def is_many(self) -> bool:
        """Whether it may be given several times."""
        return isinstance(self.default, tuple)

    def check(self, value: Any) -> None:
        """Raise MockGraphError where it cannot have this value."""
        if value == "" and not self.may_be_empty:
            instead = f"; '{self.none}' is the word for none" if self.none else ""
            raise MockGraphError(f"{self.name} is empty{instead}.")
        if self.choices and value not in self.choices:
            listed = f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
            raise MockGraphError(f"{self.name} is {listed}, not {value!r}.")
        if type(self.default) is int:
            most = value if self.most is None else self.most
            if not isinstance(value, int) or not self.least <= value <= most:
                bounds = f"from {self.least} to {self.most}" if self.most else f"of {self.unit}"
                raise MockGraphError(f"{self.name} is a number {bounds}, not {value!r}.")


def option(default: Any, help: str, **facts: Any) -> Any:
    """Declare a field of settings to be an option; ``facts`` are those of :class:`Option`."""
    about = {"cli_default": default, **facts}
    return field(default=default, metadata={_KEY: Option(default=default, help=help, **about)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one server. Raises MockGraphError where one cannot have its value.

    What may be one or several is a tuple once it is here, except ``seed``; see :attr:`seeds`.
    """

    host: str = option("127.0.0.1", "Address to listen on.")
    port: int = option(0, "Port; 0 takes a free one.", cli_default=8365, most=_PORT)
    tls: bool = option(
        False,
        "Serve https as well, with a certificate of this user's own authority; see mockgraph ca.",
        for_tests=True,
    )
    tls_port: int = option(0, "Port of https.", cli_default=8366, most=_PORT)
    tls_cert: FilePath | None = option(
        None, "Certificate chain to serve https with, PEM.", metavar="FILE"
    )
    tls_key: FilePath | None = option(None, "Its key, PEM.", metavar="FILE")
    proxy: bool = option(
        False,
        "Be an HTTP proxy as well, which answers for graph.microsoft.com and "
        "login.microsoftonline.com and refuses all else; see mockgraph ca.",
    )
    proxy_port: int = option(0, "Port of the proxy.", cli_default=8367, most=_PORT)
    ca_dir: FilePath | None = option(
        None,
        "Where the authority for --tls and --proxy is kept; by default where users keep such "
        "state.",
        metavar="DIR",
    )
    store: FilePath | None = option(
        None,
        "File that keeps the state over restarts.",
        metavar="FILE|memory",
        none="memory",
        is_path=True,
        may_be_empty=False,
    )
    durability: str = option(
        "process",
        "What an answered write in the store survives: a kill of the process, or a power cut.",
        choices=("process", "disk"),
    )
    seed: Seed | Sequence[Seed] = option(
        (),
        "State document to start from, and to go back to on reset, or demo, a tenant that "
        "comes with MockGraph (demo?scale=10000: a large one); may be repeated.",
        metavar="FILE|demo",
        is_path=True,
        for_tests=True,
    )
    docs: Sequence[FilePath] = option(
        (),
        "Directory of reference pages: what they describe is served, what they show is the first "
        "state; may be repeated.",
        metavar="DIR",
        is_path=True,
        for_tests=True,
    )
    csdl: Sequence[FilePath] = option(
        (),
        "CSDL file of metadata, of which v1.0 and beta serve whatever it declares beside what "
        "comes with MockGraph; may be repeated.",
        metavar="FILE",
        is_path=True,
        for_tests=True,
    )
    operations: Sequence[FilePath] = option(
        (),
        "Python file of functions, marked by mockgraph.operation, that say what actions and "
        "functions do; may be repeated. It is run.",
        metavar="FILE",
        is_path=True,
        for_tests=True,
    )
    auth: str = option(
        "any",
        "any: a bearer token must be there; off: the Authorization header is not looked at; "
        "jwt: the token is one that this server's sign-in issued, with a permission that will do.",
        choices=("any", "off", "jwt"),
        for_tests=True,
    )
    legacy_alerts: str = option(
        "deprecated",
        "/security/alerts on v1.0 and beta. deprecated: served, with Deprecation, Sunset and Link; "
        "retired: no data is returned, as announced for October 2026; current: served as before.",
        choices=("deprecated", "retired", "current"),
        for_tests=True,
    )
    json: str = option(
        "graph",
        "graph: compact, with OData control information; documented: as the pages print it.",
        choices=("graph", "documented"),
        for_tests=True,
    )
    journal: int = option(
        1000,
        "How many requests are remembered; 0 is none.",
        metavar="NUMBER",
        unit="requests",
    )
    journal_bytes: int = option(
        64 * 1024 * 1024,
        "How many bytes the requests take that are remembered; the oldest go beyond.",
        metavar="BYTES",
        unit="bytes",
    )
    strict_client: bool = option(
        False,
        "Refuse with 400 what a well-behaved client does not do, such as to come back before "
        "Retry-After has passed.",
        for_tests=True,
    )
    allow: Iterable[str] = option(
        (),
        "Misdeed that --strict-client puts up with, such as no-backoff; may be repeated.",
        flag="allow-misdeed",
        metavar="NAME",
        for_tests=True,
    )
    control_token: str | None = option(
        None,
        "What the control plane is to be sent as x-mockgraph-token; nothing if left out.",
        metavar="TEXT",
        may_be_empty=False,
    )
    allowed_hosts: Sequence[str] = option(
        (),
        "Host name by which MockGraph may be asked, beside addresses, localhost, Microsoft's own "
        "and names without a dot, and that the certificate of --tls is for; may be repeated.",
        flag="allowed-host",
        metavar="NAME",
    )
    allowed_origins: Sequence[str] = option(
        (),
        "Origin, such as https://app.example, whose web pages may ask the control plane, beside "
        "MockGraph's own and those of the loopback; may be repeated.",
        flag="allowed-origin",
        metavar="ORIGIN",
    )
    max_body: int = option(
        4 * 1024 * 1024,
        "The largest body of a request that is read, a state document's aside.",
        metavar="BYTES",
        unit="bytes",
    )

    def __post_init__(self) -> None:
        for each in options(type(self)):
            value = getattr(self, each.name)
            each.check(value)
            if each.is_many and each.name != "seed":
                value = (value,) if isinstance(value, (str, os.PathLike)) else tuple(value)
                object.__setattr__(self, each.name, value)
        object.__setattr__(self, "allowed_hosts", tuple(map(str.lower, self.allowed_hosts)))
        origins = tuple(each.lower().rstrip("/") for each in self.allowed_origins)
        object.__setattr__(self, "allowed_origins", origins)
        if (self.tls_cert is None) != (self.tls_key is None):
            raise MockGraphError("--tls-cert and --tls-key go together.")

    @property
    def seeds(self) -> tuple[Any, ...]:
        """The seeds as they were given, one after another."""
        if isinstance(self.seed, (Mapping, str, os.PathLike)):
            return (self.seed,)
        return tuple(self.seed)


def options(of: type[Settings] = Settings) -> tuple[Option, ...]:
    """Return the options that the fields of a class of settings declare, in their order."""
    return tuple(each.metadata[_KEY]._replace(name=each.name) for each in fields(of))


def takes(
    settings: Callable[P, Settings],
) -> Callable[[Callable[[Any, Any], None]], Callable[Concatenate[Any, P], None]]:
    """Have an ``__init__`` that is written for settings be called with their options instead.

    It has the signature of the class of settings, for type checkers and at run time.
    """
    declared = inspect.signature(settings)

    def decorate(init: Callable[[Any, Any], None]) -> Callable[Concatenate[Any, P], None]:
        @functools.wraps(init)
        def __init__(self: Any, /, *given: P.args, **named: P.kwargs) -> None:
            declared.bind(*given, **named)  # raises TypeError that names no class
            init(self, settings(*given, **named))

        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        parameters = [own, *declared.parameters.values()]
        vars(__init__)["__signature__"] = declared.replace(
            parameters=parameters, return_annotation=None
        )
        return __init__

    return decorate
