"""Long-running operations of one tenant: what was set going and has not ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, get_args

from mockgraph.errors import BadRequest
from mockgraph.metadata.resources import View
from mockgraph.state import State
from mockgraph.state.runs import Ending, Run


class LongOperation(NamedTuple):
    """Work that was set going and has not ended: the entity that it is about, and when it ends.

    ``path`` is that of the entity, below a root; ``status`` is ``notStarted`` or ``running``.
    ``starts`` and ``ends`` are instants of the tenant's clock; ``ending`` is how it will end.
    """

    path: str
    status: str
    starts: str
    ends: str
    ending: str

    def as_json(self) -> dict[str, Any]:
        """Return it as the control plane shows it."""
        return self._asdict()


class LongOperations(Sequence[LongOperation]):
    """The operations that run, the first that was begun first; they end by the clock.

    ::

        graph.clock.advance(10)
        graph.operations.complete()
    """

    def __init__(self, state: State, changed: Callable[[], None] = lambda: None):
        self._state = state
        self._changed = changed

    def complete(self, status: Ending | None = None) -> int:
        """End all of them now, and what they set going in turn. Return how many ended.

        They end as they would by themselves, or all as ``succeeded`` or ``failed``. Raises
        BadRequest for another status.
        """
        if status is not None and status not in get_args(Ending):
            raise BadRequest(f"status: One of {', '.join(get_args(Ending))} is expected.")
        ended = self._state.complete(status)
        self._changed()
        return ended

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[LongOperation]:
        return iter(self._all)

    def __repr__(self) -> str:
        return f"<LongOperations {self._all}>"

    @property
    def _all(self) -> list[LongOperation]:
        view = self._state.service.stored
        return [_of(run, view) for run in self._state.runs]


def _of(run: Run, view: View) -> LongOperation:
    resource = view.resource(run.table)
    path = run.table if resource is None else resource.url(run.key)
    return LongOperation(path, run.status, run.starts, run.ends, run.ending)
