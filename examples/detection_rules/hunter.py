"""Hunts by each rule of a folder and raises an alert for each row found.

python hunter.py URL_OF_SECURITY TOKEN

A rule is a KQL query; comments at its beginning give its title and severity, and its column
``Entity`` says what the alert is about.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import requests

RULES = Path(__file__).parent / "rules"


@dataclass(frozen=True)
class Rule:
    title: str
    severity: str
    query: str


def read_rule(path: Path) -> Rule:
    query = path.read_text(encoding="utf-8")
    said = {
        name.lower(): value for name, value in re.findall(r"^// (\w+): (.+)$", query, re.MULTILINE)
    }
    return Rule(said["title"], said["severity"], query)


def hunt(security: str, token: str, folder: Path = RULES) -> int:
    """Return how many alerts were raised; raise HTTPError where Graph refuses."""
    raised = 0
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        for path in sorted(folder.glob("*.kql")):
            rule = read_rule(path)
            answer = session.post(f"{security}/runHuntingQuery", json={"Query": rule.query})
            answer.raise_for_status()
            for row in answer.json()["results"]:
                alert = {
                    "title": f"{rule.title}: {row['Entity']}",
                    "severity": rule.severity,
                    "eventDateTime": row["First"],
                    "vendorInformation": {"provider": "Hunter", "vendor": "Tidewell"},
                }
                session.post(f"{security}/alerts", json=alert).raise_for_status()
                raised += 1
    return raised


if __name__ == "__main__":
    print(f"{hunt(sys.argv[1], sys.argv[2])} alerts were raised.")
