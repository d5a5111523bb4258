"""Alerts as the tests of tenants and of the control plane make and list them."""

from __future__ import annotations

from flask.testing import FlaskClient

ALERTS = "/v1.0/security/alerts"
ALERT = {"title": "one", "vendorInformation": {"provider": "P", "vendor": "V"}}


def titles(client: FlaskClient, prefix: str = "", **headers: str) -> list[str]:
    """Return the titles of the alerts below a prefix, in their order."""
    answer = client.get(f"{prefix}{ALERTS}", headers=headers)
    assert answer.json is not None, answer.data
    return [each["title"] for each in answer.json["value"]]
