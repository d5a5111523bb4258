"""The documents that are sent and stored: the documented bodies, and any number of alerts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent.parent / "fixtures"

# So many alerts have titles of their own before titles repeat: more than there are answers that
# MockGraph remembers, so that a query for each in turn is a new one each time.
TITLES = 10_000

_BODY = re.compile(r"^\{.*?^\}", re.MULTILINE | re.DOTALL)
_PROPERTY = re.compile(r"^\|(\w+)\|([^|]+)\|", re.MULTILINE)


def security() -> dict[str, Any]:
    """The singleton as its page shows it answered to a PATCH."""
    body: dict[str, Any] = _bodies("security-update")[1]
    return body


def patches() -> list[dict[str, Any]]:
    """The documented PATCH of the singleton, and the same with the provider switched off.

    They are sent in turn, so that each is a change.
    """
    documented = _bodies("security-update")[0]
    other = json.loads(json.dumps(documented).replace("true", "false"))
    return [documented, other]


def posted() -> dict[str, Any]:
    """A whole alert of the demo tenant, without its key."""
    demo = json.loads((FIXTURES / "demo.json").read_text())
    return {name: value for name, value in demo["Security"]["alerts"][0].items() if name != "id"}


def alerts(count: int) -> Iterator[dict[str, Any]]:
    """Alerts with every property that the page lists, most of them unset, as they are answered."""
    page = (FIXTURES / "security-post-alerts.md").read_text()
    names = page.partition("## Request body")[2].partition("## What comes back")[0]
    unset: dict[str, Any] = {
        name: [] if kind.endswith("collection") else None
        for name, kind in _PROPERTY.findall(names)
        if name != "Property"
    }
    return ({**unset, **alert(number)} for number in range(count))


def alert(number: int) -> dict[str, Any]:
    """The properties that are set of one alert."""
    return {
        "id": key(number),
        "title": title(number),
        "severity": ("informational", "low", "medium", "high")[number % 4],
        "status": "newAlert",
        "vendorInformation": {"provider": "Sentry", "vendor": "Fabrikam"},
        "tags": [f"tag{number % 10}"],
        "eventDateTime": f"2026-11-{number % 28 + 1:02}T12:00:00Z",
    }


def key(number: int) -> str:
    return f"alert-{number:06}"


def title(number: int) -> str:
    return f"Alert {number * 7 % TITLES:04}"  # not in the order in which they are stored


def some_keys(count: int, most: int = 1_000) -> list[str]:
    """Keys spread over all that are stored."""
    return [key(number) for number in range(0, count, max(1, count // most))]


def changes() -> list[dict[str, Any]]:
    """Two changes of an alert, sent in turn."""
    return [
        {"status": "resolved", "comments": ["seen"]},
        {"status": "inProgress", "comments": []},
    ]


def write_seed(path: Path, count: int) -> Path:
    """A state document with so many alerts, in a file."""
    stored = [alert(number) for number in range(count)]
    path.write_text(json.dumps({"Security": {"alerts": stored}}))
    return path


def _bodies(page: str) -> list[Any]:
    return [json.loads(found) for found in _BODY.findall((FIXTURES / f"{page}.md").read_text())]
