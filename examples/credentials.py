"""The ways to sign in that azure-identity knows, each against MockGraph.

    make serve ARGS=--tls
    export REQUESTS_CA_BUNDLE="$(.venv/bin/mockgraph ca | head -n 1)"
    python examples/credentials.py https://localhost:8366

pip install azure-identity
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import requests
from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.identity import (
    AuthorizationCodeCredential,
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    DeviceCodeCredential,
    ManagedIdentityCredential,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

ORIGIN = sys.argv[1] if len(sys.argv) > 1 else "https://localhost:8366"
SCOPE = "https://graph.microsoft.com/.default"
TENANT = "contoso.example"
USER = "ada@contoso.example"
APP = "an-app"

HERE = {"authority": ORIGIN, "disable_instance_discovery": True}


def check(fine: object, message: str) -> None:
    if not fine:
        sys.exit(f"credentials.py: {message}")


def secret() -> TokenCredential:
    return ClientSecretCredential(TENANT, APP, "its secret", **HERE)


def certificate() -> TokenCredential:
    """Without a directory in the seed, an app may sign in with any certificate."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, APP)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    data = private + signed.public_bytes(pem)
    return CertificateCredential(TENANT, APP, certificate_data=data, **HERE)


def device_code() -> TokenCredential:
    """The control plane stands in for the person who enters the code in a browser."""

    def prompt(_: str, code: str, __: datetime) -> None:
        url = f"{ORIGIN}/_mockgraph/devices/{code}/approve"
        approved = requests.post(url, json={"user": USER}, timeout=10)
        check(approved.ok, f"the device is not approved: {approved.text}")

    return DeviceCodeCredential(APP, tenant_id=TENANT, prompt_callback=prompt, **HERE)


def authorization_code() -> TokenCredential:
    """With a hint of who signs in, the page sends the browser back at once."""
    redirect_uri = "http://localhost/signed-in"
    query = {
        "client_id": APP,
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": f"openid offline_access {SCOPE}",
        "login_hint": USER,
    }
    url = f"{ORIGIN}/{TENANT}/oauth2/v2.0/authorize"
    page = requests.get(url, query, allow_redirects=False, timeout=10)
    check(page.is_redirect, f"no code: {page.text}")
    code = parse_qs(urlsplit(page.headers["Location"]).query)["code"][0]
    return AuthorizationCodeCredential(TENANT, APP, code, redirect_uri, **HERE)


def environment() -> TokenCredential:
    os.environ |= {
        "AZURE_AUTHORITY_HOST": ORIGIN,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": APP,
        "AZURE_CLIENT_SECRET": "its secret",
    }
    return DefaultAzureCredential(disable_instance_discovery=True)


def app_service() -> TokenCredential:
    os.environ |= {"IDENTITY_ENDPOINT": f"{ORIGIN}/msi/token", "IDENTITY_HEADER": "any"}
    return ManagedIdentityCredential()


def virtual_machine() -> TokenCredential:
    os.environ["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = ORIGIN
    return ManagedIdentityCredential()


WAYS: tuple[Callable[[], TokenCredential], ...] = (
    secret,
    certificate,
    device_code,
    authorization_code,
    environment,
    app_service,
    virtual_machine,
)


def read(credential: TokenCredential) -> None:
    headers = {"Authorization": f"Bearer {credential.get_token(SCOPE).token}"}
    answer = requests.get(f"{ORIGIN}/localtest/security", headers=headers, timeout=10)
    check(answer.ok, f"the token is refused: {answer.text}")


def be_refused() -> None:
    try:
        ClientSecretCredential(TENANT, APP, "wrong", **HERE).get_token(SCOPE)
    except ClientAuthenticationError as error:
        check("AADSTS7000215" in str(error), f"refused otherwise: {error}")
        print("  refused a wrong secret")
    else:
        check(False, "a wrong secret was taken")


def be_challenged() -> None:
    """A token that was revoked is answered with a challenge, which gets a new one."""
    policy = BearerTokenCredentialPolicy(secret(), SCOPE, enable_cae=True)
    client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(ORIGIN, policies=[policy])
    read_security = HttpRequest("GET", f"{ORIGIN}/localtest/security")
    check(client.send_request(read_security).status_code == 200, "no answer")
    challenge = {"preset": "challenge", "path": "/security", "times": 1}
    put = requests.post(f"{ORIGIN}/_mockgraph/faults", json=challenge, timeout=10)
    check(put.ok, f"no fault: {put.text}")
    answer = client.send_request(read_security)
    check(answer.status_code == 200, f"challenged, and not met: {answer.status_code}")
    left = requests.get(f"{ORIGIN}/_mockgraph/faults", timeout=10).json()["value"]
    check(put.json()["id"] not in [each["id"] for each in left], "not challenged")
    print("  met a claims challenge")


def main() -> None:
    for way in WAYS:
        before = dict(os.environ)
        read(way())
        os.environ.clear()
        os.environ.update(before)
        print(f"  signed in: {way.__name__.replace('_', ' ')}")
    be_refused()
    be_challenged()


if __name__ == "__main__":
    main()
