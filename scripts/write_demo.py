"""Write the state document of the demo tenant, ``fixtures/demo.json``.

    python scripts/write_demo.py [FILE]

The document follows from the modules in ``demo_tenant`` alone, one entity a line: after a
change there, run this and commit both.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from demo_tenant import compliance, sensors
from demo_tenant.actions import actions
from demo_tenant.control_profiles import control_profiles
from demo_tenant.incidents import alerts_v2, incidents
from demo_tenant.indicators import indicators
from demo_tenant.profiles import addresses, apps, domains, files, hosts, users
from demo_tenant.scores import secure_scores
from demo_tenant.stories import alerts
from demo_tenant.world import Properties, provider_settings, provider_status

DEMO = Path(__file__).parent.parent / "fixtures" / "demo.json"


def collections() -> dict[str, list[Properties]]:
    """The collections of the tenant by their names below ``Security``."""
    return {
        "providerStatus": provider_status(),
        "alerts": [alert.legacy() for alert in alerts()],
        "tiIndicators": indicators(),
        "secureScores": secure_scores(),
        "secureScoreControlProfiles": control_profiles(),
        "securityActions": actions(),
        "userSecurityProfiles": users(),
        "hostSecurityProfiles": hosts(),
        "ipSecurityProfiles": addresses(),
        "domainSecurityProfiles": domains(),
        "fileSecurityProfiles": files(),
        "cloudAppSecurityProfiles": apps(),
        "providerTenantSettings": provider_settings(),
        "alerts_v2": alerts_v2(),
        "incidents": incidents(),
    }


def rooms() -> dict[str, dict[str, list[Properties]]]:
    """The collections that lie below a singleton, by its name and theirs."""
    return {
        "identities": {"healthIssues": sensors.health_issues(), "sensors": sensors.sensors()},
        "cases": {"ediscoveryCases": compliance.cases()},
        "auditLog": {"queries": compliance.audit_queries()},
        "labels": {"retentionLabels": compliance.retention_labels()},
        "triggerTypes": {"retentionEventTypes": compliance.event_types()},
    }


def _written(collections: dict[str, list[Properties]]) -> str:
    """Collections as members of an object, one entity a line."""
    written = []
    for name, entities in collections.items():
        lines = ",\n".join(json.dumps(entity, ensure_ascii=False) for entity in entities)
        written.append(f'"{name}": [\n{lines}\n]')
    return ",\n".join(written)


def document() -> str:
    """The state document as text, one entity a line."""
    written = [_written(collections())]
    written += [f'"{name}": {{\n{_written(room)}\n}}' for name, room in rooms().items()]
    # What hunting finds is made of the alerts when a first query needs it.
    hunting = '"Hunting": {"generated": ["demo"]}'
    return '{"Security": {\n' + ",\n".join(written) + "\n},\n" + hunting + "}\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO
    target.write_text(document(), encoding="utf-8", newline="\n")
