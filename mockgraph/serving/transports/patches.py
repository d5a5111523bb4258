"""What is patched in this process while calls are intercepted.

``Patches`` stand in ``sys.meta_path``, where Python keeps what sees to imports: so there are one
in a process, or none, and a library that is imported later is patched then. None is imported
for the sake of being patched.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import update_wrapper
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from mockgraph.serving.transports.endpoint import Endpoint
from mockgraph.serving.transports.hosts import is_local
from mockgraph.serving.transports.refusals import Attempt, CallRefused

# What is patched, by the module that does it: its ``patch(module, patches)``.
_LIBRARIES: Mapping[str, str] = {
    "socket": "mockgraph.serving.transports.over_socket",
    "http.client": "mockgraph.serving.transports.over_http_client",
    "urllib3.connectionpool": "mockgraph.serving.transports.over_urllib3",
    "httpx": "mockgraph.serving.transports.over_httpx",
    "aiohttp": "mockgraph.serving.transports.over_aiohttp",
}
_UNKNOWN_CLIENT = (
    "MockGraph answers this host in process, but not through this client: it knows requests, "
    "urllib3, httpx, aiohttp and http.client. Give others the URL of a live server."
)
_ABSENT = object()
_LOCK = threading.RLock()
# Set while a client connects for a call that may pass, to whatever address that leads.
_passing: ContextVar[bool] = ContextVar("mockgraph_passing", default=False)


class Interceptor(Protocol):
    """What decides on calls."""

    def answers(self, host: str) -> Endpoint | None:
        """What answers for a host, if anything does."""

    def allows(self, host: str) -> bool:
        """Whether calls to a host may leave the machine."""

    def note(self, attempt: Attempt) -> None:
        """Remember a call that was refused."""


class _Replaced(NamedTuple):
    owner: Any
    name: str
    before: Any
    by: Any


class Patches(MetaPathFinder):
    """The patches of this process and the interceptors that they serve, the last one first."""

    def __init__(self) -> None:
        self._interceptors: tuple[Interceptor, ...] = ()
        self._patched: dict[str, ModuleType] = {}
        self._replaced: list[_Replaced] = []
        self._resolved: set[str] = set()

    @classmethod
    def enter(cls, interceptor: Interceptor) -> Patches:
        """Intercept calls from now on."""
        with _LOCK:
            patches = next((each for each in sys.meta_path if isinstance(each, cls)), None)
            if patches is None:
                patches = cls()
                sys.meta_path.insert(0, patches)
            patches._interceptors = (interceptor, *patches._interceptors)
        try:
            for name in _LIBRARIES:
                if sys.modules.get(name) is not None:
                    # Another thread may be importing it: this waits until it has.
                    patches.patch(importlib.import_module(name))
        except BaseException:
            patches.leave(interceptor)
            raise
        return patches

    @classmethod
    def interceptors(cls) -> tuple[Interceptor, ...]:
        """Those in force in this process."""
        return next((each._interceptors for each in sys.meta_path if isinstance(each, cls)), ())

    def leave(self, interceptor: Interceptor) -> None:
        """Intercept no more; without any other interceptor all is as it was before."""
        with _LOCK:
            left = list(self._interceptors)
            left.remove(interceptor)
            self._interceptors = tuple(left)
            if not left:
                self._restore()

    def patch(self, module: ModuleType) -> None:
        """Patch a library, unless it is or nothing is intercepted any more."""
        name = module.__name__
        with _LOCK:
            if self._interceptors and self._patched.get(name) is not module:
                self._patched[name] = module
                importlib.import_module(_LIBRARIES[name]).patch(module, self)

    def replace(self, owner: Any, name: str, by: Callable[..., Any]) -> None:
        """Put a function in the place of another, until nothing is intercepted any more."""
        update_wrapper(by, getattr(owner, name))
        self._replaced.append(_Replaced(owner, name, vars(owner).get(name, _ABSENT), by))
        setattr(owner, name, by)

    def _restore(self) -> None:
        with suppress(ValueError):
            sys.meta_path.remove(self)
        for owner, name, before, by in reversed(self._replaced):
            if vars(owner).get(name) is not by:
                continue  # patched once more by others: ours lies below and lets all pass
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        self._replaced.clear()
        self._patched.clear()

    # -- calls ----------------------------------------------------------------------------

    def route(self, attempt: Attempt) -> Endpoint | None:
        """What answers a call, None where it may pass. Raises CallRefused, and remembers it."""
        __tracebackhide__ = True
        interceptors = self._interceptors
        for each in interceptors:
            if endpoint := each.answers(attempt.host):
                return endpoint
        if not self._may_pass(attempt.host):
            raise self._refusal(attempt)
        return None

    def check(self, attempt: Attempt) -> None:
        """Raises CallRefused for a connection, or a look-up of a name, that may not pass."""
        __tracebackhide__ = True
        if _passing.get() or attempt.host in self._resolved:
            return
        if any(each.answers(attempt.host) for each in self._interceptors):
            raise self._refusal(attempt, _UNKNOWN_CLIENT)
        if not self._may_pass(attempt.host):
            raise self._refusal(attempt)

    def resolved(self, addresses: Iterable[str]) -> None:
        """Let connections to addresses pass: a name that may pass has them."""
        self._resolved.update(addresses)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Let connections pass that are made within the block, by this thread or task."""
        token = _passing.set(True)
        try:
            yield
        finally:
            _passing.reset(token)

    def _may_pass(self, host: str) -> bool:
        interceptors = self._interceptors
        return not interceptors or is_local(host) or any(each.allows(host) for each in interceptors)

    def _refusal(self, attempt: Attempt, why: str = "") -> CallRefused:
        for each in self._interceptors:
            each.note(attempt)
        return CallRefused([attempt], why)

    # -- imports --------------------------------------------------------------------------

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a library as others do, and patch it as soon as it is loaded."""
        if name not in _LIBRARIES:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self)
                return spec
        return None


class _Loader(Loader):
    """Loads a module as another loader does, and has it patched."""

    def __init__(self, loader: Loader, patches: Patches):
        self._loader = loader
        self._patches = patches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # what finders are asked for besides: sources, data

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._patches.patch(module)
