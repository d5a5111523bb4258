"""TLS: a certificate authority of the user's own, and the certificates of servers.

trustme makes them. It and cryptography are imported where they are used: they take long.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mockgraph.errors import MockGraphError
from mockgraph.files import put

if TYPE_CHECKING:
    import trustme

# The names of a server that stands in for Graph and for Entra.
NAMES = (
    "localhost",
    "127.0.0.1",
    "::1",
    "graph.microsoft.com",
    "login.microsoftonline.com",
)

# Apple's systems refuse certificates that are valid for more than 825 days.
_VALID = timedelta(days=365)
_RENEWED = timedelta(days=30)  # before its end an authority is replaced
_LOCK_SECONDS = 30


@dataclass(frozen=True)
class Certificate:
    """A server's certificate with the chain up to its authority, and its key, both PEM."""

    chain: bytes
    key: bytes

    def context(self) -> ssl.SSLContext:
        """Return the TLS context of a server: TLS 1.2 or later, HTTP/1.1.

        Raises MockGraphError where OpenSSL refuses the certificate.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        with _as_file(self.key + b"\n" + self.chain) as path:
            try:
                context.load_cert_chain(path, password=lambda: b"")  # or it would ask
            except ssl.SSLError as error:
                raise MockGraphError(f"TLS cannot use the certificate: {error}.") from error
        return context


class Authority:
    """A certificate authority; ``ca_path`` is the PEM file of its certificate."""

    def __init__(self, ca_path: Path, ca: trustme.CA):
        self.ca_path = ca_path
        self._ca = ca

    def issue(self, *names: str) -> Certificate:
        """Return a certificate for :data:`NAMES` and others, hosts or addresses, for a year.

        Raises MockGraphError where one of them is no name.
        """
        now = datetime.now(UTC)
        try:
            leaf = self._ca.issue_cert(
                *dict.fromkeys([*NAMES, *names]),
                common_name=NAMES[0],
                organization_name="MockGraph",
                not_before=now - timedelta(days=1),
                not_after=now + _VALID,
            )
        except ValueError as error:
            raise MockGraphError(f"No certificate can be issued for these names: {error}") from None
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return Certificate(chain, leaf.private_key_pem.bytes())


def default_directory() -> Path:
    """Return the directory of this user's authority."""
    from platformdirs import user_state_path

    return user_state_path("mockgraph", appauthor=False) / "ca"


def authority(directory: str | os.PathLike[str] | None = None) -> Authority:
    """Return the authority of a directory, made there if there is none or it is about to expire.

    Several processes may call it at once: one makes it. The directory and its files are made
    for their owner alone: ``authority.pem`` holds the key; ``ca.pem`` may be given to anybody,
    and permissions that its owner gives it later stay. Raises MockGraphError where the
    directory cannot be used, or others may write to it.
    """
    import trustme
    from filelock import FileLock, Timeout

    home = Path(directory).absolute() if directory is not None else default_directory()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_rights(home, stat.S_IWGRP | stat.S_IWOTH, "written to")
        with FileLock(home / "authority.lock", timeout=_LOCK_SECONDS, mode=0o600):
            kept = _kept(home / "authority.pem")
            if kept is None:
                kept = trustme.CA(
                    organization_name="MockGraph",
                    organization_unit_name="for tests on this machine only",
                )
                put(home / "authority.pem", kept.private_key_pem.bytes() + kept.cert_pem.bytes())
            ca_path = home / "ca.pem"
            if not ca_path.exists() or ca_path.read_bytes() != kept.cert_pem.bytes():
                put(ca_path, kept.cert_pem.bytes())
    except Timeout:
        raise MockGraphError(f"Another process holds the authority in {home}.") from None
    except OSError as error:
        raise MockGraphError(
            f"The certificate authority cannot be kept in {home}: {error.strerror or error}. "
            "Choose another directory with --ca-dir."
        ) from error
    return Authority(ca_path, kept)


def given(certificate: str | os.PathLike[str], key: str | os.PathLike[str]) -> Certificate:
    """Return a certificate and key from PEM files of the user's, checked.

    Certificates of intermediate authorities may follow in the first file. Raises MockGraphError
    where a file cannot be read or is not PEM, the key is not the certificate's or has a
    password, or the certificate is not valid now.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    chain, secret = _read(certificate, "--tls-cert"), _read(key, "--tls-key")
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise MockGraphError(f"--tls-cert: {certificate} holds no PEM certificate.") from error
    try:
        private = load_pem_private_key(secret, None)
    except TypeError:
        raise MockGraphError(f"--tls-key: the key in {key} has a password.") from None
    except ValueError as error:
        raise MockGraphError(f"--tls-key: {key} holds no PEM key.") from error
    if private.public_key() != leaf.public_key():
        raise MockGraphError(f"--tls-key: the key in {key} is not that of {certificate}.")
    now = datetime.now(UTC)
    if now > leaf.not_valid_after_utc:
        raise MockGraphError(
            f"--tls-cert: {certificate} has expired on {leaf.not_valid_after_utc:%Y-%m-%d}."
        )
    if now < leaf.not_valid_before_utc:
        raise MockGraphError(
            f"--tls-cert: {certificate} is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}."
        )
    return Certificate(chain, secret)


def how_to_trust(ca_path: str | os.PathLike[str]) -> str:
    """Return a text for people: the authority's file, and how each client trusts it."""
    return _TRUST.format(ca=os.fspath(ca_path))


_TRUST = """\
{ca}

is the certificate of the authority that MockGraph's https is signed by. It was made on this
machine, and only this user can sign with it. Tell one client at a time to trust it:

  Python: requests, azure-identity, MSAL   export REQUESTS_CA_BUNDLE="{ca}"
  Python: httpx, msgraph-sdk, aiohttp      export SSL_CERT_FILE="{ca}"
  Node.js                                  export NODE_EXTRA_CA_CERTS="{ca}"
  curl                                     curl --cacert "{ca}" https://localhost:PORT/...
                                           or export CURL_CA_BUNDLE="{ca}"
  Go, and .NET on Linux                    export SSL_CERT_FILE="{ca}"
  Java    keytool -importcert -noprompt -alias mockgraph -file "{ca}" \\
            -keystore mockgraph.p12 -storetype PKCS12 -storepass changeit
          java -Djavax.net.ssl.trustStore=mockgraph.p12 \\
            -Djavax.net.ssl.trustStorePassword=changeit ...

All but NODE_EXTRA_CA_CERTS take the place of the public authorities in that process.

Or have all programs of yours trust it, which .NET on Windows and macOS needs, as browsers do:

  Windows   certutil -user -addstore Root "{ca}"
  macOS     security add-trusted-cert -r trustRoot \\
              -k ~/Library/Keychains/login.keychain-db "{ca}"
  Debian    sudo install -m 644 "{ca}" /usr/local/share/ca-certificates/mockgraph.crt
            sudo update-ca-certificates
  Fedora    sudo trust anchor "{ca}"

To be rid of it, take it out there again and remove the directory that the file is in.
"""


def _kept(path: Path) -> trustme.CA | None:
    """Return the authority in a file, None where there is none or it is about to expire."""
    import trustme
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificate

    if not path.exists():
        return None
    _check_rights(path, stat.S_IRWXG | stat.S_IRWXO, "read")
    pem = path.read_bytes()
    try:
        certificate = load_pem_x509_certificate(pem)
        if load_pem_private_key(pem, None).public_key() != certificate.public_key():
            raise ValueError("the key of another certificate")
        expires = certificate.not_valid_after_utc
        kept = trustme.CA.from_pem(cert_bytes=pem, private_key_bytes=pem)
    except (ValueError, TypeError):
        raise MockGraphError(
            f"{path} is damaged; remove it to have another certificate authority made."
        ) from None
    return kept if expires - datetime.now(UTC) > _RENEWED else None


def _check_rights(path: Path, forbidden: int, verb: str) -> None:
    if os.name == "posix" and path.stat().st_mode & forbidden:
        raise MockGraphError(
            f"{path} can be {verb} by other users, who could sign what you trust; "
            f"chmod go-rwx it, or choose another directory."
        )


@contextlib.contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """Yield a temporary file that its owner alone can read: OpenSSL takes nothing else."""
    number, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        yield name
    finally:
        os.unlink(name)


def _read(path: str | os.PathLike[str], option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MockGraphError(f"{option}: cannot read {path}: {error.strerror or error}.") from error
