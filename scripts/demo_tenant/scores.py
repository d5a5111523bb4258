"""The secure scores of 90 days, the oldest first."""

from __future__ import annotations

from datetime import date, timedelta

from demo_tenant.controls import CONTROLS
from demo_tenant.world import DAYS, TENANT_ID, TODAY, Properties, guid

# How others did on the first day, and how much better on the last.
_OTHERS = {"AllTenants": (52.3, 1.9), "TotalSeats": (58.8, 2.6), "IndustryTypes": (61.4, 2.2)}

_SERVICES = ["Exchange", "SharePoint", "EntraIDP2", "DefenderForEndpoint", "Purview", "Azure"]


def secure_scores() -> list[Properties]:
    first = TODAY - timedelta(days=DAYS - 1)
    return [_score(first + timedelta(days=age), age) for age in range(DAYS)]


def _score(day: date, age: int) -> Properties:
    parts = [
        {
            "controlCategory": control.category,
            "controlName": control.name,
            "description": f"{control.title}.",
            "score": control.score(day),
        }
        for control in CONTROLS
    ]
    return {
        "id": guid("secureScore", day.isoformat()),
        "activeUserCount": _active_users(day, age),
        "averageComparativeScores": [
            {"averageScore": round(start + gain * age / (DAYS - 1), 2), "basis": basis}
            for basis, (start, gain) in _OTHERS.items()
        ],
        "azureTenantId": TENANT_ID,
        "controlScores": parts,
        "createdDateTime": f"{day.isoformat()}T00:00:00Z",
        "currentScore": round(sum(control.score(day) for control in CONTROLS), 2),
        "enabledServices": _SERVICES,
        "licensedUserCount": 260 + age // 30 * 4,
        "maxScore": sum(control.worth for control in CONTROLS),
        "vendorInformation": {"provider": "SecureScore", "vendor": "Microsoft"},
    }


def _active_users(day: date, age: int) -> int:
    """Fewer at the weekend, and never twice the same number running."""
    weekend = day.weekday() >= 5
    return (61 if weekend else 228) + age * 7 % 11
