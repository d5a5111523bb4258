"""The RSA key that tokens are signed and verified with.

PyJWT signs and verifies, cryptography makes the key and its certificate; both are imported when
the first token is requested, and the key is made then: 2048 bits take some 50 ms.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mockgraph.errors import Unauthenticated
from mockgraph.metadata.names import Json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_ALGORITHM = "RS256"
_KEY_SIZE = 2048
_LONGEST_TOKEN = 32 * 1024
_MOST_KEPT = 1000
# The certificate is valid at any time that a test sets the clock to.
_FROM, _TO = datetime(2000, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)

Claims = Mapping[str, Json]


class _KeyPair(NamedTuple):
    """A private key, the thumbprint of its certificate, and the certificate in base64."""

    private: RSAPrivateKey
    thumbprint: str
    certificate: str


class SigningKey:
    """An RSA key, made when it is first needed, and the tokens that it has verified.

    The tenants of a server share it. Safe under threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: _KeyPair | None = None
        self._read: dict[str, Claims] = {}

    def sign(self, claims: Claims) -> str:
        """Return a JWT with these claims, its header as Entra writes it."""
        import jwt

        pair = self._pair()
        headers = {"kid": pair.thumbprint, "x5t": pair.thumbprint}
        return jwt.encode(dict(claims), pair.private, algorithm=_ALGORITHM, headers=headers)

    def read(self, token: str) -> Claims:
        """Return the claims of a token that this key signed, whatever its times.

        The last 1,000 verified tokens are kept. Raises Unauthenticated.
        """
        known = self._read.get(token)
        if known is None:
            known = MappingProxyType(self._verify(token))
            with self._lock:
                if len(self._read) >= _MOST_KEPT:
                    del self._read[next(iter(self._read))]
                self._read[token] = known
        return known

    def document(self) -> dict[str, str]:
        """Return the public key as a JSON Web Key (RFC 7517), with its certificate."""
        from jwt.algorithms import RSAAlgorithm

        pair = self._pair()
        key = json.loads(RSAAlgorithm.to_jwk(pair.private.public_key()))
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": pair.thumbprint,
            "x5t": pair.thumbprint,
            "n": key["n"],
            "e": key["e"],
            "x5c": [pair.certificate],
        }

    def _verify(self, token: str) -> dict[str, Any]:
        import jwt

        if len(token) > _LONGEST_TOKEN:
            raise _malformed("the token is too long")
        try:
            public = self._pair().private.public_key()
            claims: dict[str, Any] = json.loads(
                jwt.PyJWS().decode(token, public, algorithms=[_ALGORITHM])
            )
        except jwt.InvalidSignatureError:
            raise invalid_token("Access token validation failure. Invalid signature.") from None
        except jwt.InvalidAlgorithmError:
            raise invalid_token(
                "Access token validation failure. The token is not signed with RS256."
            ) from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _malformed("the token is not a well-formed JWT") from None
        return claims

    def _pair(self) -> _KeyPair:
        if self._made is None:
            with self._lock:
                self._made = self._made or _make()
        return self._made


def invalid_token(message: str) -> Unauthenticated:
    """Return a 401 whose challenge gives the reason, too (RFC 6750, 3)."""
    return Unauthenticated(
        message, challenge=f'error="invalid_token", error_description="{message}"'
    )


def base64url(data: bytes) -> str:
    """Encode bytes as JOSE does, without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _malformed(why: str) -> Unauthenticated:
    return invalid_token(f"CompactToken parsing failed: {why}.")


def _make() -> _KeyPair:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    private = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_SIZE)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "MockGraph")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_TO)
        .sign(private, hashes.SHA256())
    )
    # A name for the certificate in tokens (RFC 7515, 4.1.7), no security.
    digest = certificate.fingerprint(hashes.SHA1())
    thumbprint = base64url(digest)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return _KeyPair(private, thumbprint, base64.b64encode(der).decode())
