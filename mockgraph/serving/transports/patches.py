"""The patches of client libraries while calls are intercepted, one set of them in a process.

A library that is imported later is patched then: the patches are an import hook as well. No
library is imported to be patched.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from functools import update_wrapper
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from mockgraph.redaction import masked_url
from mockgraph.serving.hosts import is_local
from mockgraph.serving.transports.endpoint import Endpoint

# The libraries that are patched, each by ``patch(module, patches)`` of a module here.
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
_MADE = "_mockgraph_made"  # the attribute of a function that is a patch
_LOCK = threading.RLock()
# Set while a client connects for a call that may pass, to whatever address that leads.
_passing: ContextVar[bool] = ContextVar("mockgraph_passing", default=False)


class Attempt(NamedTuple):
    """A call, as much of it as is known where it is made.

    ``what`` is ``GET https://example.com/`` or ``a call to 192.0.2.1 port 443``.
    """

    host: str
    what: str


class CallRefused(AssertionError):
    """A call was refused that would have left the machine; ``attempts`` has it.

    It is no error of the network, on purpose. Clients retry those and code under test handles
    them, so that the call would go unnoticed; what fails here is the test's assumption that
    all calls are answered, which is what an AssertionError is for, and clients pass it on.
    """

    def __init__(self, attempts: Iterable[Attempt], why: str = ""):
        self.attempts = tuple(attempts)
        refused = "; ".join(masked_url(each.what) for each in self.attempts)
        super().__init__(f"Refused: {refused}. {why or self._why()}")

    def _why(self) -> str:
        hosts = ", ".join(f'"{host}"' for host in dict.fromkeys(a.host for a in self.attempts))
        return (
            "It would have left this machine; to let it through, allow its host: "
            f"intercept(allow=[{hosts}]), or allow_hosts=[{hosts}] in the marker."
        )


class Interceptor(Protocol):
    """An object that decides on calls."""

    def answers(self, host: str) -> Endpoint | None:
        """Return the endpoint that answers for a host, None where none does."""

    def allows(self, host: str) -> bool:
        """Return whether calls to a host may leave the machine."""

    def note(self, attempt: Attempt) -> None:
        """Remember a call that was refused."""


class _Replaced(NamedTuple):
    owner: Any
    name: str
    before: Any  # in the owner itself, _ABSENT where it is inherited
    wrapped: Any
    by: Any

    @property
    def is_as_it_was(self) -> bool:
        return getattr(self.owner, self.name, _ABSENT) is self.wrapped

    @property
    def is_in_place(self) -> bool:
        return vars(self.owner).get(self.name) is self.by

    def put_back(self) -> None:
        """Put back what was there before all patches, unless others have patched it since."""
        now = before = vars(self.owner).get(self.name)
        while (made := getattr(before, _MADE, None)) is not None and made.by is before:
            before = made.before
        if before is _ABSENT:
            delattr(self.owner, self.name)
        elif before is not now:
            setattr(self.owner, self.name, before)


class Patches(MetaPathFinder):
    """The patches, and the interceptors that they serve, the last one first."""

    def __init__(self) -> None:
        self._interceptors: tuple[Interceptor, ...] = ()
        self._stays = False
        self._patched: dict[str, ModuleType] = {}
        self._made: dict[str, tuple[ModuleType, list[_Replaced]]] = {}
        self._replaced: list[_Replaced] = []
        self._resolved: set[str] = set()

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """The interceptors in force, the last one first."""
        return self._interceptors

    def enter(self, interceptor: Interceptor) -> None:
        """Have an interceptor decide on calls from now on."""
        with _LOCK:
            if not (self._interceptors or self._is_in_place()):
                self._restore()
                sys.meta_path.insert(0, self)
            self._interceptors = (interceptor, *self._interceptors)
            loaded = {name: sys.modules.get(name) for name in _LIBRARIES}
            patched = self._patched
            lacking = [name for name in loaded if loaded[name] not in (None, patched.get(name))]
        try:
            for name in lacking:
                # Another thread may be importing it: this waits until it has.
                self.patch(importlib.import_module(name))
        except BaseException:
            self.leave(interceptor)
            raise

    def leave(self, interceptor: Interceptor) -> None:
        """End an interceptor; after the last one all is as before the first, unless they stay."""
        with _LOCK:
            left = list(self._interceptors)
            left.remove(interceptor)
            self._interceptors = tuple(left)
            if not left:
                self._resolved.clear()
            if not (left or self._stays):
                self._restore()

    def stay(self, stays: bool) -> None:
        """Stay in place after the last interceptor, and let all pass then; or do so no more."""
        with _LOCK:
            self._stays = stays
            if not (self._interceptors or stays):
                self._restore()

    def _is_in_place(self) -> bool:
        """Return whether they stayed in place, and nobody has undone one since."""
        return sys.meta_path[:1] == [self] and all(each.is_in_place for each in self._replaced)

    def patch(self, module: ModuleType) -> None:
        """Patch a library, unless it is patched or nothing is intercepted any more."""
        name = module.__name__
        with _LOCK:
            if self._interceptors and self._patched.get(name) is not module:
                self._patched[name] = module
                if not self._patch_again(name, module):
                    begin = len(self._replaced)
                    importlib.import_module(_LIBRARIES[name]).patch(module, self)
                    self._made[name] = module, self._replaced[begin:]

    def replace(self, owner: Any, name: str, by: Callable[..., Any]) -> None:
        """Replace a function until nothing is intercepted any more."""
        wrapped = getattr(owner, name)
        update_wrapper(by, wrapped)
        own = vars(owner).get(name, _ABSENT)
        made = _Replaced(owner, name, own, wrapped, by)
        setattr(by, _MADE, made)
        self._replaced.append(made)
        setattr(owner, name, by)

    def _patch_again(self, name: str, module: ModuleType) -> bool:
        """Patch a library as the last time, if nothing of it has become another since."""
        made_of, made = self._made.get(name, (None, []))
        if made_of is not module or not all(each.is_as_it_was for each in made):
            return False
        for each in made:
            setattr(each.owner, each.name, each.by)
        self._replaced += made
        return True

    def _restore(self) -> None:
        with suppress(ValueError):
            sys.meta_path.remove(self)
        for each in reversed(self._replaced):
            each.put_back()
        self._replaced.clear()
        self._patched.clear()

    # -- calls ----------------------------------------------------------------------------

    def route(self, attempt: Attempt) -> Endpoint | None:
        """Return what answers a call, None where it may pass. Raises CallRefused, and notes it."""
        __tracebackhide__ = True
        if _passing.get():
            return None
        interceptors = self._interceptors
        for each in interceptors:
            if endpoint := each.answers(attempt.host):
                return endpoint
        if not self._may_pass(attempt.host):
            raise self._refusal(attempt)
        return None

    def check(self, attempt: Attempt) -> None:
        """Raise CallRefused for a connection, or a look-up of a name, that may not pass."""
        __tracebackhide__ = True
        if _passing.get() or attempt.host in self._resolved:
            return
        if any(each.answers(attempt.host) for each in self._interceptors):
            raise self._refusal(attempt, _UNKNOWN_CLIENT)
        if not self._may_pass(attempt.host):
            raise self._refusal(attempt)

    def resolved(self, addresses: Iterable[str]) -> None:
        """Let connections to these addresses of an allowed name pass."""
        self._resolved.update(addresses)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Let the calls of this thread or task within the block pass."""
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
        """Find a library by the other finders, and patch it as soon as it is imported."""
        if name not in _LIBRARIES:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self)
                return spec
        return None


class _Loader(Loader):
    """A loader that has another one load a module, and then has it patched."""

    def __init__(self, loader: Loader, patches: Patches):
        self._loader = loader
        self._patches = patches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # get_source, get_data and the like

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._patches.patch(module)


_patches = Patches()


def enter_patches(interceptor: Interceptor) -> Patches:
    """Have an interceptor decide on this process's calls, until it leaves the patches."""
    _patches.enter(interceptor)
    return _patches


def stay(stays: bool) -> None:
    """Have the patches stay in place where nothing is intercepted any more, or no longer do so.

    All calls pass then. To put them in place takes longer than a call that they intercept.
    """
    _patches.stay(stays)


def passing() -> AbstractContextManager[None]:
    """Let the calls of this thread or task within a block pass, whoever would answer them."""
    return _patches.passing()


def in_force() -> tuple[Interceptor, ...]:
    """Return the interceptors of this process, the last one first."""
    return _patches.interceptors
