"""Actions of the control plane, each declared once: a function and what is said of it.

The name, the parameters with their types and help, and the summary are those of the function.
The HTTP endpoint, the command, the form in the console, the tool for agents and the OpenAPI
description derive from them.
"""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from mockgraph.control.parameters import ActionParameter, parameters_of
from mockgraph.testing.tenant import Tenant, Tenants

F = TypeVar("F", bound=Callable[..., Any])

# The type of a parameter that is the whole body of a request, any JSON.
Document = Annotated[Any, "The whole body, as JSON."]

_MARKUP = re.compile(r"``|:\w+:`[\w.]*?(\w+)`")
_IN_PATH = re.compile(r"\{(\w+)\}")


def summary_of(function: Callable[..., Any]) -> str:
    """Return the first line of a function's documentation, as plain text."""
    first = (inspect.getdoc(function) or "").partition("\n")[0]
    return _MARKUP.sub(lambda found: found[1] or "", first)


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@dataclass(frozen=True)
class ActionContext:
    """The tenant that an action is about, and all tenants beside it.

    ``origin`` is the tenant's base URL as the caller wrote it. ``sleep`` waits so many seconds
    while others are served, and returns whether the server is about to stop.
    """

    tenant: Tenant
    tenants: Tenants
    origin: str = ""
    sleep: Callable[[float], bool] = _sleep


class EventStream(NamedTuple):
    """An answer that goes on: events, each a name and a JSON value, None to wait."""

    events: Iterator[tuple[str, Any] | None]


@dataclass(frozen=True)
class Choice:
    """Forms of a document of which the text in one member names the one that is meant.

    A document without that member is of the form ``otherwise``. The parameters of a form are
    those of its function.
    """

    member: str
    forms: Mapping[str, Callable[..., Any]]
    otherwise: Callable[..., Any]


@dataclass(frozen=True)
class ControlAction:
    """An action: its function, and its endpoint below the control plane's prefix.

    ``run`` takes a ActionContext and the parameters, and returns the value to be answered, None for
    no content. ``only_reads`` says that nothing is changed, ``is_destructive`` that something
    is lost which no other action brings back. The body may be left out where it is not
    ``needs_body``; it is of at most ``max_body`` bytes, where that is not the server's own bound.
    ``takes_state`` says that its document is a state, which may be large.
    ``command`` has the words of the command line, by default the name. A document has the forms
    of ``choice``, where there is one.
    """

    method: str
    path: str
    run: Callable[..., Any]
    status: int = 200
    only_reads: bool = False
    is_destructive: bool = False
    needs_body: bool = True
    max_body: int | None = None
    takes_state: bool = False
    command: str = ""
    choice: Choice | None = None

    @property
    def name(self) -> str:
        """The name of the function, ``add_fault``."""
        return self.run.__name__

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its command, ``("faults", "add")``."""
        return tuple(self.command.split()) or (self.name.replace("_", "-"),)

    @cached_property
    def _returns(self) -> Any:
        return get_type_hints(self.run).get("return")

    @property
    def answer_type(self) -> Any:
        """The type of the value that it answers with."""
        told = get_type_hints(self.run, include_extras=True).get("return")
        return get_args(told)[1] if get_origin(told) is Annotated else told

    @property
    def answers(self) -> bool:
        """Whether it answers with a value."""
        return self._returns is not type(None)

    @property
    def is_stream(self) -> bool:
        """Whether it answers with events, for as long as the caller listens."""
        return self._returns is EventStream

    @property
    def summary(self) -> str:
        """The first line of the function's documentation."""
        return summary_of(self.run)

    @cached_property
    def parameters(self) -> tuple[ActionParameter, ...]:
        """All parameters: of the path, and of the query or the body."""
        return parameters_of(self.run)

    @property
    def path_names(self) -> tuple[str, ...]:
        """The parameters that are in the path."""
        return tuple(_IN_PATH.findall(self.path))

    @cached_property
    def document(self) -> str | None:
        """The parameter that is the whole body, if there is one."""
        hints = get_type_hints(self.run, include_extras=True)
        return next((name for name, hint in hints.items() if hint == Document), None)

    @property
    def is_asked_by_query(self) -> bool:
        """Whether its members are in the query, not in a body."""
        return self.method in ("GET", "DELETE")

    @property
    def members(self) -> tuple[ActionParameter, ...]:
        """The parameters in the query, or in the body."""
        elsewhere = {*self.path_names, self.document}
        return tuple(each for each in self.parameters if each.name not in elsewhere)


class Actions:
    """Actions of one subject, declared by decorators as Flask's routes are."""

    def __init__(self) -> None:
        self._actions: list[ControlAction] = []

    def __iter__(self) -> Iterator[ControlAction]:
        return iter(self._actions)

    def get(self, path: str, **more: Any) -> Callable[[F], F]:
        """Declare an action that changes nothing."""
        return self._declare("GET", path, only_reads=True, **more)

    def post(self, path: str, **more: Any) -> Callable[[F], F]:
        """Declare an action that makes something, or makes something happen."""
        return self._declare("POST", path, **more)

    def put(self, path: str, **more: Any) -> Callable[[F], F]:
        """Declare an action that replaces something."""
        return self._declare("PUT", path, is_destructive=True, **more)

    def delete(self, path: str, **more: Any) -> Callable[[F], F]:
        """Declare an action that takes something away."""
        return self._declare("DELETE", path, **{"is_destructive": True, **more})

    def _declare(self, method: str, path: str, **more: Any) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            self._actions.append(ControlAction(method, path, function, **more))
            return function

        return decorate
