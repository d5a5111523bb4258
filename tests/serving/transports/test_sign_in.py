"""Sign-in and Graph by their own names, as programs use them: nothing leaves the process."""

from __future__ import annotations

import msal
import requests

from mockgraph.app import create_app
from mockgraph.serving.transports import Intercept

TENANT = "https://login.microsoftonline.com/contoso.onmicrosoft.com"
GRAPH = "https://graph.microsoft.com"


def test_msal_with_its_own_authority() -> None:
    app = create_app()
    with Intercept(app) as intercept:
        client = msal.ConfidentialClientApplication(
            "an app", client_credential="its secret", authority=TENANT
        )
        token = client.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{GRAPH}/v1.0/security/alerts", headers=headers, timeout=20)
    assert answer.status_code == 200
    assert intercept.refused == []
    app.extensions["mockgraph"].close()
