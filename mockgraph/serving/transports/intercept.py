"""The intercept: calls to Microsoft's hosts are answered in process, calls to others refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, Self, TypeVar, cast

from mockgraph.serving.hosts import GRAPH_HOSTS, SIGN_IN_HOSTS, host_matches
from mockgraph.serving.transports import patches
from mockgraph.serving.transports.endpoint import Endpoint
from mockgraph.serving.transports.patches import Attempt, CallRefused, Patches
from mockgraph.wsgi import WSGIApp

F = TypeVar("F", bound=Callable[..., Any])


class Intercept:
    """A context manager, or a decorator, within which an app answers for ``hosts``.

    Names in ``hosts`` and ``allow`` may have a ``*`` for anything. Calls to this machine and to
    ``allow`` go out as ever, others are refused with CallRefused and listed in ``refused``,
    where they are found also if the code under test catches every exception. ``headers`` are
    added to every request that is answered. It holds for all threads of the process, and may be
    nested: the innermost that knows a host answers.
    """

    def __init__(
        self,
        app: WSGIApp,
        hosts: Iterable[str] = (*GRAPH_HOSTS, *SIGN_IN_HOSTS),
        headers: Mapping[str, str] | None = None,
        allow: Iterable[str] = (),
    ):
        self.refused: list[Attempt] = []
        self._endpoint = Endpoint(app, headers=headers)
        self._hosts = _names(hosts)
        self._allowed = _names(allow)
        self._entered: list[Patches] = []

    def __enter__(self) -> Self:
        self._entered.append(patches.enter_patches(self))
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.pop().leave(self)

    def __call__(self, function: F) -> F:
        """Return the function with its calls intercepted each time that it runs."""

        @wraps(function)
        def intercepted(*args: Any, **options: Any) -> Any:
            with self:
                return function(*args, **options)

        @wraps(function)
        async def intercepted_async(*args: Any, **options: Any) -> Any:
            with self:
                return await function(*args, **options)

        is_async = inspect.iscoroutinefunction(function)
        return cast("F", intercepted_async if is_async else intercepted)

    def __repr__(self) -> str:
        entered = "in force" if self._entered else "not in force"
        return f"<Intercept {', '.join(self._hosts)}: {entered}, {len(self.refused)} refused>"

    @classmethod
    def end_all(cls, app: WSGIApp) -> int:
        """End those in force for this app, however often entered, and return how many."""
        left = [
            each
            for each in patches.in_force()
            if isinstance(each, cls) and each._endpoint.app is app
        ]
        for each in left:
            each.__exit__(None, None, None)
        return len(left)

    def check(self) -> None:
        """Raise CallRefused with every call that was refused, if any was."""
        if self.refused:
            raise CallRefused(self.refused)

    # -- for Patches ----------------------------------------------------------------------

    def answers(self, host: str) -> Endpoint | None:
        return self._endpoint if host_matches(host, self._hosts) else None

    def allows(self, host: str) -> bool:
        return host_matches(host, self._allowed)

    def note(self, attempt: Attempt) -> None:
        self.refused.append(attempt)


def _names(hosts: Iterable[str]) -> tuple[str, ...]:
    return (hosts,) if isinstance(hosts, str) else tuple(hosts)
