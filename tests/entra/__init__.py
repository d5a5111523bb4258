"""A directory, a caller of the endpoints, and certificates, for the tests of Entra."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

from mockgraph.clock import Clock
from mockgraph.entra.directory import Catalogue, Directory, read_directory
from mockgraph.entra.endpoints import dispatch
from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey, base64url
from mockgraph.errors import Unauthenticated

Json = Any

PERMISSIONS = (
    "SecurityEvents.Read.All",
    "SecurityEvents.ReadWrite.All",
    "SecurityAlert.Read.All",
    "ThreatIndicators.ReadWrite.OwnedBy",
)
GRAPH = "https://graph.microsoft.com"
GRAPH_ID = "00000003-0000-0000-c000-000000000000"
DEFAULT = f"{GRAPH}/.default"

CONTOSO = "aaaaaaaa-0000-4000-8000-000000000001"
FABRIKAM = "aaaaaaaa-0000-4000-8000-000000000002"
HOST = "localhost:8365"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"

READER = "reader-app"
API = "api-app"
PUBLIC = {"client_id": "public-app"}
READ = "SecurityEvents.Read.All"

TOKEN_URL = "/contoso.com/oauth2/v2.0/token"
GOOD = {
    "client_id": "x",
    "client_secret": "y",
    "grant_type": "client_credentials",
    "scope": DEFAULT,
}
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

VERIFIER = "v" * 43
CHALLENGE = base64url(hashlib.sha256(VERIFIER.encode()).digest())
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}

SEED: dict[str, Json] = {
    "tenants": [
        {"id": CONTOSO, "domains": ["contoso.com", "contoso.example"]},
        {"id": FABRIKAM, "domains": ["fabrikam.com"]},
    ],
    "apps": [
        {
            "appId": READER,
            "displayName": "The reader",
            "secrets": ["s3cret", "a+b%41~c"],
            "expiredSecrets": ["stale"],
            "permissions": ["SecurityEvents.Read.All"],
            "redirectUris": ["https://app.example/done?x=1", "http://localhost/done"],
            "managedIdentity": True,
        },
        {"appId": API, "identifierUris": ["https://api.example/"], "accessTokenVersion": 2},
        {"appId": "public-app", "publicClient": True},
        {"appId": "both-app", "secrets": ["s3cret"], "publicClient": None},
    ],
    "users": [
        {
            "userPrincipalName": "Ada@contoso.com",
            "displayName": "Ada Lovelace",
            "password": "enchantress",
            "permissions": ["SecurityEvents.Read.All", "SecurityAlert.Read.All"],
        },
        {"userPrincipalName": "bob@fabrikam.com", "id": "bob-id"},
        {"userPrincipalName": "gone@contoso.com", "accountEnabled": False},
        {"userPrincipalName": "eve@outlook.com"},
    ],
}

_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


def seeded(key: SigningKey | None = None, **changes: Json) -> Entra:
    """Entra with the seed, some of its members changed."""
    catalogue = Catalogue(PERMISSIONS)
    return Entra(read_directory({**SEED, **changes}, catalogue), Clock(), PERMISSIONS, key)


def opened(key: SigningKey | None = None) -> Entra:
    """Entra where anyone may sign in."""
    return Entra(Directory(), Clock(), PERMISSIONS, key)


def wsgi(entra: Entra) -> Any:
    """Entra as a WSGI app; what is none of its paths is a 404 that says so."""

    @Request.application
    def app(request: Request) -> Response:
        return dispatch(entra, request) or Response("none of Entra's", 404)

    return app


class Caller:
    """A program that asks Entra for things, as ``https://login.test``."""

    def __init__(self, entra: Entra, tenant: str = "contoso.com"):
        self.entra = entra
        self.tenant = tenant
        self.http = Client(wsgi(entra))

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.http.get(path, base_url="https://login.test", **options)

    def post(self, path: str, data: Any = None, **options: Any) -> TestResponse:
        return self.http.post(path, base_url="https://login.test", data=data, **options)

    def token(self, grant: str, version: int = 2, /, **form: Any) -> TestResponse:
        """Ask for a token; what is None is left out."""
        sent = {"client_id": "some-app", "grant_type": grant, **form}
        path = f"/{self.tenant}/oauth2/{'v2.0/' if version == 2 else ''}token"
        return self.post(path, {name: each for name, each in sent.items() if each is not None})

    def app_token(self, scope: str = DEFAULT, secret: str = "any", **form: Any) -> TestResponse:
        return self.token("client_credentials", scope=scope, client_secret=secret, **form)

    def user_token(
        self, scope: str, name: str = "ada@contoso.com", password: str = "enchantress", **form: Any
    ) -> TestResponse:
        return self.token("password", scope=scope, username=name, password=password, **form)

    def authorize(self, version: int = 2, /, **query: Any) -> TestResponse:
        asked = {
            "client_id": "some-app",
            "response_type": "code",
            "redirect_uri": "https://app.example/cb",
            "scope": "openid SecurityEvents.Read.All",
            "state": "st",
            **query,
        }
        path = f"/{self.tenant}/oauth2/{'v2.0/' if version == 2 else ''}authorize"
        return self.get(path, query_string={k: v for k, v in asked.items() if v is not None})

    def code(self, **query: Any) -> str:
        """An authorization code, by a login hint."""
        answer = self.authorize(**{"login_hint": "ada@contoso.com", **query})
        return sent_back(answer)["code"]

    def redeem(self, code: str, version: int = 2, /, **form: Any) -> TestResponse:
        asked = {"code": code, "redirect_uri": "https://app.example/cb", **form}
        return self.token("authorization_code", version, **asked)

    def device(self, scope: str = f"offline_access {READ}") -> dict[str, Json]:
        """The codes of a new device."""
        form = {"client_id": "some-app", "scope": scope}
        answer = self.post(f"/{self.tenant}/oauth2/v2.0/devicecode", form)
        assert answer.status_code == 200, answer.text
        body: dict[str, Json] | None = answer.json
        assert body is not None
        return body

    def poll(self, code: str, grant: str = DEVICE_GRANT, **form: str) -> TestResponse:
        """Ask whether a device is signed in."""
        return self.token(grant, device_code=code, **form)


Make = Callable[..., Caller]


def granted(answer: TestResponse) -> dict[str, Json]:
    """The body of a good token response."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store, no-cache"
    body: dict[str, Json] | None = answer.json
    assert body is not None
    assert body["token_type"] == "Bearer"
    return body


def claims_of(token: str) -> dict[str, Json]:
    """The claims of a token, unverified."""
    payload = token.split(".")[1]
    claims: dict[str, Json] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return claims


def refused(answer: TestResponse, number: int, error: str, status: int = 400) -> str:
    """The description of a refusal, once it has Entra's shape."""
    body = answer.json
    assert body is not None, answer.text
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    description: str = body["error_description"]
    assert description.startswith(f"AADSTS{number}: ")
    assert body["error_uri"] == f"https://login.microsoftonline.com/error?code={number}"
    for name in ("trace_id", "correlation_id"):
        assert str(uuid.UUID(body[name])) == body[name]
        assert body[name] in description
    datetime.strptime(body["timestamp"], "%Y-%m-%d %H:%M:%SZ")
    assert body["trace_id"] == answer.headers["x-ms-request-id"]
    assert answer.headers["Cache-Control"] == "no-store, no-cache"
    return description


def pending(answer: TestResponse) -> None:
    """The device waits for its user."""
    refused(answer, 70016, "authorization_pending")


def bearer(token: str) -> dict[str, str]:
    """The header with an access token."""
    return {"Authorization": f"Bearer {token}"}


def reason(entra: Entra, token: str, host: str = HOST) -> str:
    """The message of a token's refusal, which stands in its challenge as well."""
    with pytest.raises(Unauthenticated) as caught:
        entra.verify(token, host)
    error = caught.value
    ((name, challenge),) = error.headers
    assert name == "WWW-Authenticate"
    assert challenge.endswith(f', error="invalid_token", error_description="{error.message}"')
    return error.message


def sent_back(answer: TestResponse) -> dict[str, str]:
    """The values with which the browser is sent back to the app."""
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["Location"])
    return dict(parse_qsl(parts.fragment or parts.query))


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of a page, its forms together."""
    return dict(_INPUT.findall(page))


class Certificate(NamedTuple):
    """A private key and the certificate of its public half."""

    key: rsa.RSAPrivateKey
    pem: str
    der: bytes

    @property
    def private_pem(self) -> str:
        form = serialization.PrivateFormat.PKCS8
        none = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, form, none).decode()

    @property
    def thumbprint(self) -> str:
        return x509.load_pem_x509_certificate(self.pem.encode()).fingerprint(hashes.SHA1()).hex()


def make_certificate(key: Any = None) -> Certificate:
    """A certificate, self-signed."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding
    return Certificate(
        key, made.public_bytes(encoding.PEM).decode(), made.public_bytes(encoding.DER)
    )
