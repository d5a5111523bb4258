"""The bundled tenant as a seed: told as of a moment, and as large as a test of load wants it.

``demo`` tells its story as of now: its newest alert is minutes old.
``demo?at=2026-11-20T08:02:00Z`` tells it as of another moment, ``demo?scale=10000`` has that many
alerts_v2 with their incidents. The same name and moment give the same tenant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid5

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.files import fixtures
from mockgraph.instants import to_utc

BUNDLED = ("demo",)
TOLD = datetime(2026, 11, 20, 8, 2, tzinfo=UTC)  # the moment as of which the files tell it
_MOST = 200_000  # alerts
_SPAN = timedelta(days=60)  # how far back the copies of the stories go
_INSTANT = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z"')

Entity = dict[str, Any]


def is_bundled(seed: str) -> bool:
    """Tell whether a seed is named that is bundled, with options or without."""
    return seed.partition("?")[0] in BUNDLED


def read_bundled(seed: str) -> Entity:
    """Return the state document of a bundled seed. Raises MockGraphError for wrong options."""
    name, _, written = seed.partition("?")
    moment, number = _options(name, written)
    text = (fixtures() / f"{name}.json").read_bytes()
    try:
        document: Entity = orjson.loads(_told(text, moment))
    except OverflowError:
        raise MockGraphError(f"The seed {name}: 'at' is out of range.") from None
    security = document["Security"]
    copies = list(_copies(security["incidents"], security["alerts_v2"], number))
    security["incidents"] += [incident for incident, _ in copies]
    security["alerts_v2"] += [alert for _, alerts in copies for alert in alerts]
    return document


def _options(name: str, written: str) -> tuple[datetime, int]:
    """Return the moment as of which the story is told, and how many alerts there are."""
    try:
        options = dict(parse_qsl(written, strict_parsing=True)) if written else {}
    except ValueError:
        options = {written: ""}
    moment, number = datetime.now(UTC).replace(microsecond=0), 1
    for option, value in options.items():
        if option == "at":
            try:
                moment = datetime.fromisoformat(to_utc(value)).replace(microsecond=0)
            except ValueError:
                raise MockGraphError(f"The seed {name}: '{value}' is no instant.") from None
        elif option == "scale":
            if not (value.isascii() and value.isdigit() and 0 < int(value) <= _MOST):
                raise MockGraphError(f"The seed {name}: scale is a number from 1 to {_MOST}.")
            number = int(value)
        else:
            raise MockGraphError(f"The seed {name} takes 'at' and 'scale', not '{option}'.")
    return moment, number


def _told(text: bytes, moment: datetime) -> bytes:
    """Return the tenant's document as of a moment; what is of a whole day stays at midnight."""
    return _moved(text, moment - TOLD, timedelta(days=(moment.date() - TOLD.date()).days))


def _moved(text: bytes, by: timedelta, days: timedelta) -> bytes:
    """Return JSON with its instants moved, those at midnight by ``days``."""

    def moved(match: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(match[1].decode())
        step = days if moment.time() == datetime.min.time() else by
        return f'"{(moment + step).isoformat(timespec="seconds")}Z"'.encode()

    return _INSTANT.sub(moved, text)


def _copies(
    incidents: list[Entity], alerts: list[Entity], number: int
) -> Iterator[tuple[Entity, list[Entity]]]:
    """Return the stories again and again, each time earlier, until there are so many alerts."""
    missing = number - len(alerts)
    times = -(-missing // len(alerts))
    own = {each["id"]: [a for a in alerts if a["incidentId"] == each["id"]] for each in incidents}
    numbers = count(max(int(each["id"]) for each in incidents) + 1)
    for turn in range(1, times + 1):
        by = -timedelta(seconds=_SPAN.total_seconds() * turn // times)
        for incident in incidents:
            taken = own[incident["id"]][:missing]
            if not taken:
                return
            missing -= len(taken)
            key = str(next(numbers))
            copy = _copy(incident, by, key)
            yield copy, [_alert(each, by, turn, copy) for each in taken]


def _copy(entity: Entity, by: timedelta, key: str) -> Entity:
    copy: Entity = orjson.loads(_moved(orjson.dumps(entity), by, by))
    for name, value in copy.items():
        if name == "id" or name.endswith("WebUrl"):
            copy[name] = value.replace(entity["id"], key)
    return copy


def _alert(alert: Entity, by: timedelta, turn: int, incident: Entity) -> Entity:
    """Return an alert of a copied incident."""
    return _copy(alert, by, _derived(alert["id"], turn)) | {
        "incidentId": incident["id"],
        "incidentWebUrl": incident["incidentWebUrl"],
        "providerAlertId": _derived(alert["providerAlertId"], turn),
    }


def _derived(key: str, turn: int) -> str:
    return str(uuid5(UUID(key), str(turn)))
