"""TLS: a certificate authority of the user's own, and the certificates of servers.

The authority is good for a year, and for the names of this machine and of those that MockGraph
stands in for alone (RFC 5280, 4.2.1.10): who gets hold of its key can be nobody else. trustme
makes the certificates. It and cryptography are imported where they are used: they take long.
"""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from mockgraph.errors import MockGraphError
from mockgraph.files import put
from mockgraph.serving.hosts import GRAPH_HOSTS, SIGN_IN_HOSTS

if TYPE_CHECKING:
    import trustme
    from cryptography.x509 import GeneralName

# The names of a server that stands in for Graph and for Entra.
NAMES = (
    "localhost",
    "127.0.0.1",
    "::1",
    "graph.microsoft.com",
    "login.microsoftonline.com",
)

# Addresses of this machine, and private ones: RFC 1918, RFC 4193, RFC 3927, RFC 4291.
_NETWORKS = (
    "127.0.0.0/8", "::1/128", "0.0.0.0/32", "::/128", "10.0.0.0/8", "172.16.0.0/12",
    "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
)  # fmt: skip
# What every authority may sign for.
_PERMITTED = (*NAMES, *GRAPH_HOSTS, *SIGN_IN_HOSTS, *_NETWORKS)
_DOMAIN = re.compile(r"[\w-]+(\.[\w-]+)*")
_USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip

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

        It is good for no longer than the authority, nor for names that this is not for. Raises
        MockGraphError where one of them is no name.
        """
        from cryptography.x509 import load_pem_x509_certificate

        now = datetime.now(UTC)
        end = load_pem_x509_certificate(self._ca.cert_pem.bytes()).not_valid_after_utc
        try:
            leaf = self._ca.issue_cert(
                *dict.fromkeys([*NAMES, *names]),
                common_name=NAMES[0],
                organization_name="MockGraph",
                not_before=now - timedelta(days=1),
                not_after=min(now + _VALID, end),
            )
        except ValueError as error:
            raise MockGraphError(f"No certificate can be issued for these names: {error}") from None
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return Certificate(chain, leaf.private_key_pem.bytes())


def default_directory() -> Path:
    """Return the directory of this user's authority."""
    from platformdirs import user_state_path

    return user_state_path("mockgraph", appauthor=False) / "ca"


def authority(
    directory: str | os.PathLike[str] | None = None, names: Iterable[str] = ()
) -> Authority:
    """Return the authority of a directory, made there if there is none or it is about to expire.

    It is one for ``names``, hosts or addresses, beside those of this machine, private addresses and
    Microsoft's: where the one that is there is not, another is made, which has to be trusted anew.
    Several processes may call it at once: one makes it. The directory and its files are made
    for their owner alone: ``authority.pem`` holds the key; ``ca.pem`` may be given to anybody,
    and permissions that its owner gives it later stay. Raises MockGraphError where the
    directory cannot be used, others may write to it, or it is another user's.
    """
    from filelock import FileLock, Timeout

    home = Path(directory).absolute() if directory is not None else default_directory()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_rights(home, stat.S_IWGRP | stat.S_IWOTH, "written to")
        with FileLock(home / "authority.lock", timeout=_LOCK_SECONDS, mode=0o600):
            kept, permitted = _kept(home / "authority.pem")
            wanted = {each for each in _subtrees(names) if not _is_below(each, permitted)}
            if kept is None or wanted:
                pem = _made(permitted | wanted | _subtrees(_PERMITTED))
                put(home / "authority.pem", pem)
                kept = _authority_in(pem)
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


def _kept(path: Path) -> tuple[trustme.CA | None, frozenset[str]]:
    """Return the authority in a file, and the names that it is for.

    It is None where there is none, it is about to expire, or is for any name or for longer than a
    year, as those of earlier versions.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not path.exists():
        return None, frozenset()
    _check_rights(path, stat.S_IRWXG | stat.S_IRWXO, "read")
    pem = path.read_bytes()
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        if load_pem_private_key(pem, None).public_key() != certificate.public_key():
            raise ValueError("the key of another certificate")
        kept = _authority_in(pem)
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None, frozenset()
    except (ValueError, TypeError):
        raise MockGraphError(
            f"{path} is damaged; remove it to have another certificate authority made."
        ) from None
    permitted = frozenset(str(each.value) for each in constraints.permitted_subtrees or ())
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    return (kept if _RENEWED < left <= _VALID else None), permitted


def _authority_in(pem: bytes) -> trustme.CA:
    import trustme

    return trustme.CA.from_pem(cert_bytes=pem, private_key_bytes=pem)


def _subtrees(names: Iterable[str]) -> frozenset[str]:
    """Return names as an authority is constrained to them: domains and networks.

    Raises MockGraphError where one of them is no name.
    """
    found = set()
    for name in names:
        try:
            found.add(str(ip_network(name.strip("[]"))))
        except ValueError:
            domain = name.removeprefix("*.").removesuffix(".").lower()
            if not domain.isascii() or not _DOMAIN.fullmatch(domain):
                raise MockGraphError(
                    f"No certificate can be issued for these names: {name!r} is none."
                ) from None
            found.add(domain)
    within = {str(ip_network(each)) for each in _NETWORKS}
    return frozenset(each for each in found if each in within or not _is_within(each))


def _is_below(domain: str, permitted: Iterable[str]) -> bool:
    return any(domain == each or domain.endswith(f".{each}") for each in permitted)


def _is_within(subtree: str) -> bool:
    """Return whether any authority is for an address."""
    try:
        wanted = ip_network(subtree)
    except ValueError:
        return False
    networks = map(ip_network, _NETWORKS)
    return any(
        (
            isinstance(each, IPv4Network)
            and isinstance(wanted, IPv4Network)
            and wanted.subnet_of(each)
        )
        or (
            isinstance(each, IPv6Network)
            and isinstance(wanted, IPv6Network)
            and wanted.subnet_of(each)
        )
        for each in networks
    )


def _made(permitted: Iterable[str]) -> bytes:
    """Return a new authority for these domains and networks, its key and certificate in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "MockGraph"),
            x509.NameAttribute(
                x509.NameOID.ORGANIZATIONAL_UNIT_NAME, "for tests on this machine only"
            ),
        ]
    )
    now = datetime.now(UTC)
    usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID - timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(
            x509.NameConstraints([_general_name(each) for each in sorted(permitted)], None),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)


def _general_name(subtree: str) -> GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_network(subtree))
    except ValueError:
        return x509.DNSName(subtree)


def _check_rights(path: Path, forbidden: int, verb: str) -> None:
    if sys.platform == "win32":
        return
    if {path.stat().st_uid, path.lstat().st_uid} != {os.geteuid()}:
        raise MockGraphError(
            f"{path} belongs to another user, who could sign what you trust; choose another "
            "directory."
        )
    if path.stat().st_mode & forbidden:
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
