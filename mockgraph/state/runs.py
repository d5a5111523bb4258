"""Runs: the work that goes on after a request was answered, and ends by the tenant's clock.

A run is about an entity, and takes it from ``notStarted`` by ``running`` to how it ends. Runs are
documents of a table of their own, so a snapshot, a reset and a store have them as they have
entities. Nothing waits for the time: the runs that are due take their steps before the next
request is done, each at the time at which it was due.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, get_args

from mockgraph.clock import instant_text
from mockgraph.errors import BadRequest
from mockgraph.instants import to_utc
from mockgraph.metadata.names import Json, Properties
from mockgraph.state.snapshots import Rows

NOT_STARTED: Final = "notStarted"
RUNNING: Final = "running"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"

# How a run may end.
Ending = Literal["succeeded", "failed"]

# Clients poll every 10 to 15 seconds; the second time at the latest they find it done.
STARTS_AFTER: Final = timedelta(seconds=1)
LASTS: Final = timedelta(seconds=9)

_MEMBERS: Final = {"status": (NOT_STARTED, RUNNING), "ending": get_args(Ending)}
_CALLER: Final = frozenset({"name", "id", "is_app"})
LATEST: Final = "9999-12-31T23:59:59.999999Z"


class Run(NamedTuple):
    """A run, with the ``status`` that it has come to.

    ``name`` is what the behaviour is registered under that began it, ``table`` and ``key`` are
    those of the entity. ``starts`` and ``ends`` are instants, ``ending`` is the status that it
    ends with; ``about`` is what the behaviour noted, ``caller`` tells who set it going: ``name``,
    ``id`` and ``is_app``.
    """

    name: str
    table: str
    key: str
    starts: str
    ends: str
    status: str = NOT_STARTED
    ending: str = SUCCEEDED
    about: Properties = {}
    caller: Properties = {}

    @property
    def due(self) -> str:
        """The instant of the next step."""
        return self.starts if self.status == NOT_STARTED else self.ends

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self.status not in (NOT_STARTED, RUNNING)

    @property
    def has_succeeded(self) -> bool:
        """Whether it has come to a good end."""
        return self.status == SUCCEEDED

    def stepped(self) -> Run:
        """Return the run one step on."""
        return self._replace(status=RUNNING if self.status == NOT_STARTED else self.ending)

    def document(self) -> dict[str, Json]:
        """Return the run as a document of its table."""
        return {**self._asdict(), "about": dict(self.about), "caller": dict(self.caller)}


def later(moment: datetime, after: timedelta) -> str:
    """Return the instant so much later, or the last that there is."""
    try:
        return instant_text(moment + after)
    except OverflowError:
        return LATEST


def normal(instant: str) -> str:
    """Return an instant as runs have it, so that they compare as texts. Raise ValueError."""
    return instant_text(datetime.fromisoformat(to_utc(instant)))


def due_runs(rows: Rows, now: str) -> list[tuple[str, Run]]:
    """Return the keys and the runs whose next step is due, the first one first."""
    due = [
        each
        for each in rows.in_order
        if each["starts" if each["status"] == NOT_STARTED else "ends"] <= now
    ]
    runs = [(each.key, Run(**each)) for each in due]
    return sorted(runs, key=lambda each: each[1].due)


def read_runs(value: Json, path: str) -> dict[str, Mapping[str, Json]]:
    """Return the runs of a state document by their keys. Raise BadRequest, with the path."""
    if not isinstance(value, list):
        raise BadRequest(f"{path}: an array is expected.")
    return {str(number): _read(item, f"{path}/{number}") for number, item in enumerate(value)}


def _read(value: Json, path: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise BadRequest(f"{path}: an object is expected.")
    for name in value:
        if name not in Run._fields:
            raise BadRequest(f"{path}/{name}: A run has no such member.")
    read = {**Run._field_defaults, **value}
    for name in Run._fields:
        is_object = name in ("about", "caller")
        if not isinstance(read.get(name), dict if is_object else str):
            expected = "an object" if is_object else "a text"
            raise BadRequest(f"{path}/{name}: {expected} is expected.")
    if not read["caller"].keys() <= _CALLER:
        raise BadRequest(f"{path}/caller: Its members are {', '.join(sorted(_CALLER))}.")
    for name, members in _MEMBERS.items():
        if read[name] not in members:
            raise BadRequest(f"{path}/{name}: One of {', '.join(members)} is expected.")
    for name in ("starts", "ends"):
        try:
            read[name] = normal(read[name])
        except ValueError:
            raise BadRequest(f"{path}/{name}: an instant is expected.") from None
    return read
