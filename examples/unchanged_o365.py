"""python-o365 as it signs in to Entra itself, and a password: their environment leads to MockGraph.

pip install o365 azure-identity
mockgraph serve --proxy --ca-dir ca &
export HTTPS_PROXY=http://127.0.0.1:8367 REQUESTS_CA_BUNDLE=ca/ca.pem
python examples/unchanged_o365.py
"""

from __future__ import annotations

import warnings

from azure.identity import UsernamePasswordCredential
from O365 import Account
from O365.utils.token import MemoryTokenBackend

TENANT = "contoso.onmicrosoft.com"
GRAPH = "https://graph.microsoft.com"


def with_a_secret() -> None:
    account = Account(
        ("an-app", "its secret"),
        auth_flow_type="credentials",
        tenant_id=TENANT,
        token_backend=MemoryTokenBackend(),
    )
    assert account.authenticate(requested_scopes=[f"{GRAPH}/.default"])
    security = f"{account.protocol.service_url}security"
    account.connection.patch(security, {"providerStatus": [{"provider": "Sentry"}]})
    assert account.connection.get(security).json()["providerStatus"][0]["provider"] == "Sentry"
    assert account.connection.refresh_token()
    print("python-o365 by the proxy: signed in, patched the singleton, renewed its token")


def with_a_password() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as Entra's guidance has it
        credential = UsernamePasswordCredential(
            "an-app", f"ada@{TENANT}", "her password", tenant_id=TENANT
        )
        assert credential.get_token(f"{GRAPH}/SecurityEvents.Read.All").token
    print("azure-identity by the proxy: signed in with a password")


if __name__ == "__main__":
    with_a_secret()
    with_a_password()
