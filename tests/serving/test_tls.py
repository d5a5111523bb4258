"""The authority that is kept for a user, and certificates of the user's own."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from wire import TIMEOUT

from mockgraph.errors import MockGraphError
from mockgraph.serving import tls
from mockgraph.serving.tls import Authority, Certificate, authority, given, how_to_trust

only_posix = pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")


@only_posix
def test_an_authority_is_its_owner_s_alone(tmp_path: Path) -> None:
    home = tmp_path / "of" / "the authority"
    ca = authority(home)
    assert ca.ca_path == home / "ca.pem"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for path in home.iterdir():
        private = b"PRIVATE KEY" in path.read_bytes()
        assert private == (path.name == "authority.pem")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ca.ca_path.chmod(0o644)
    assert stat.S_IMODE(authority(home).ca_path.stat().st_mode) == 0o644


def test_an_authority_is_used_again(tmp_path: Path) -> None:
    first = authority(tmp_path)
    kept = first.ca_path.read_bytes()
    first.ca_path.write_bytes(b"overwritten")
    second = authority(str(tmp_path))
    assert second.ca_path.read_bytes() == kept
    issuers = {
        x509.load_pem_x509_certificate(each.issue().chain).issuer for each in (first, second)
    }
    assert len(issuers) == 1


MAKE = (
    "import sys; from mockgraph.serving.tls import authority; print(authority(sys.argv[1]).ca_path)"
)


@pytest.mark.long
def test_processes_that_ask_at_once_get_one_authority(tmp_path: Path) -> None:
    def ask_process(_: int) -> bytes:
        command = [sys.executable, "-c", MAKE, str(tmp_path / "new")]
        path = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout
        return Path(path.decode().strip()).read_bytes()

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(ask_process, range(3)))) == 1
    assert not [path for path in (tmp_path / "new").iterdir() if path.name.startswith("tmp")]


def signed(
    begins: datetime, ends: datetime, *, ca: bool = True
) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    """A key and its own certificate in PEM, for a time."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test")])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begins, ends)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    return key, builder.public_bytes(Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(("days", "kept"), [(0, False), (29, False), (31, True), (360, True)])
def test_an_authority_is_renewed_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, kept: bool
) -> None:
    monkeypatch.setattr(tls, "_VALID", days * DAY)
    before = authority(tmp_path).ca_path.read_bytes()
    monkeypatch.undo()
    assert (authority(tmp_path).ca_path.read_bytes() == before) is kept
    assert authority(tmp_path).ca_path.read_bytes() in (tmp_path / "authority.pem").read_bytes()


@pytest.mark.parametrize("years", [1, 900])
def test_an_authority_for_any_name_is_replaced(tmp_path: Path, years: int) -> None:
    key, certificate = signed(NOW - DAY, NOW + years * 364 * DAY)
    file = tmp_path / "authority.pem"
    file.write_bytes(key_pem(key) + certificate)
    file.chmod(0o600)
    assert authority(tmp_path).ca_path.read_bytes() != certificate


def test_an_authority_is_good_for_a_year_and_signs_for_no_longer(tmp_path: Path) -> None:
    own = authority(tmp_path)
    made = x509.load_pem_x509_certificate(own.ca_path.read_bytes())
    leaf = x509.load_pem_x509_certificate(own.issue().chain)
    assert made.not_valid_after_utc - NOW <= 366 * DAY
    assert leaf.not_valid_after_utc <= made.not_valid_after_utc
    basic = made.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (basic.ca, basic.path_length) == (True, 0)
    names = made.extensions.get_extension_for_class(x509.NameConstraints)
    assert names.critical


def trusts(own: Authority, name: str, *names: str) -> bool:
    """Whether a client that trusts the authority trusts what it signed for a name."""
    server = own.issue(*names).context()
    client = ssl.create_default_context(cafile=str(own.ca_path))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for side in (theirs, ours):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("graph.microsoft.com", True),
        ("login.microsoftonline.com", True),
        ("eu.login.microsoft.com", True),
        ("evil.example", False),
        ("www.microsoft.com", False),
        ("203.0.113.7", False),
    ],
)
def test_an_authority_is_for_its_names_alone(tmp_path: Path, name: str, good: bool) -> None:
    assert trusts(authority(tmp_path), name, name) is good


def test_names_that_are_allowed_are_added(tmp_path: Path) -> None:
    first = authority(tmp_path).ca_path.read_bytes()
    own = authority(tmp_path, ["graph.test", "203.0.113.7", "127.0.0.5"])
    second = own.ca_path.read_bytes()
    assert second != first
    for name in ("graph.test", "203.0.113.7", "127.0.0.5", "localhost"):
        assert trusts(own, name, name)
    assert authority(tmp_path, ["graph.test"]).ca_path.read_bytes() == second
    assert authority(tmp_path).ca_path.read_bytes() == second
    assert trusts(authority(tmp_path, ["b.test"]), "graph.test", "graph.test")


@pytest.mark.skipif(os.name != "posix", reason="files have no owners here")
def test_the_directory_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(MockGraphError, match="belongs to another user"):
        authority(tmp_path)


SIGNED, OTHER = (signed(NOW - DAY, NOW + 100 * DAY) for _ in range(2))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"-----BEGIN CERTIFICATE-----\nx\n",
        SIGNED[1],
        key_pem(SIGNED[0]),
        key_pem(SIGNED[0]) + OTHER[1],
        (key_pem(SIGNED[0]) + SIGNED[1])[:-40],
        key_pem(SIGNED[0], b"password") + SIGNED[1],
    ],
)
def test_an_authority_that_is_damaged_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "authority.pem"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(MockGraphError, match=r"authority\.pem is damaged; remove it"):
        authority(tmp_path)
    assert file.read_bytes() == content


@only_posix
def test_an_authority_that_others_could_use_is_refused(tmp_path: Path) -> None:
    authority(tmp_path)
    (tmp_path / "authority.pem").chmod(0o640)
    with pytest.raises(MockGraphError, match=r"authority\.pem can be read by other users"):
        authority(tmp_path)
    tmp_path.chmod(0o777)
    with pytest.raises(MockGraphError, match="can be written to by other users"):
        authority(tmp_path)


def test_an_authority_that_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MockGraphError, match=r"cannot be kept in .*file"):
        authority(tmp_path / "file" / "below")


def test_an_authority_that_another_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr(tls, "_LOCK_SECONDS", 0.01)
    with FileLock(tmp_path / "authority.lock"), pytest.raises(MockGraphError, match="holds the"):
        authority(tmp_path)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(MockGraphError, match="No space left on device"):
        authority(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []


def test_where_the_authority_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "XDG_STATE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    assert "mockgraph" in authority().ca_path.parts
    assert tls.default_directory() == authority().ca_path.parent


@pytest.mark.parametrize("name", ["", "a b", "ex\nample", "." * 300])
def test_what_is_no_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(MockGraphError, match="No certificate can be issued"):
        authority(tmp_path).issue(name)


def test_how_to_trust() -> None:
    text = how_to_trust(Path("/home/a b/ca.pem"))
    assert text.startswith("/home/a b/ca.pem\n")
    for client in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "--cacert"):
        assert any(client in line and "/home/a b/ca.pem" in line for line in text.splitlines())


# -- certificates of the user's -----------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    leaf = trustme.CA().issue_cert("localhost")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return certificate, key


def refused(certificate: Path, key: Path) -> str:
    with pytest.raises(MockGraphError) as raised:
        given(certificate, key)
    return str(raised.value)


def test_files_that_are_missing(files: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = files
    none = tmp_path / "none"
    assert refused(none, key) == f"--tls-cert: cannot read {none}: No such file or directory."
    assert refused(certificate, none).startswith(f"--tls-key: cannot read {none}: ")
    assert "Is a directory" in refused(tmp_path, key)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\x00", b"-----BEGIN X-----\n"])
def test_files_that_are_no_pem(files: tuple[Path, Path], content: bytes) -> None:
    certificate, key = files
    right = key.read_bytes()
    key.write_bytes(content)
    assert refused(certificate, key) == f"--tls-key: {key} holds no PEM key."
    key.write_bytes(right)
    certificate.write_bytes(content)
    assert refused(certificate, key) == f"--tls-cert: {certificate} holds no PEM certificate."


def test_files_that_are_mixed_up(files: tuple[Path, Path]) -> None:
    certificate, key = files
    assert refused(key, certificate) == f"--tls-cert: {key} holds no PEM certificate."


def test_a_key_of_another(files: tuple[Path, Path]) -> None:
    certificate, key = files
    key.write_bytes(key_pem(ec.generate_private_key(ec.SECP256R1())))
    assert refused(certificate, key).endswith(f"{key} is not that of {certificate}.")


def test_a_key_with_a_password(files: tuple[Path, Path]) -> None:
    certificate, key = files
    key.write_bytes(key_pem(ec.generate_private_key(ec.SECP256R1()), b"secret"))
    assert refused(certificate, key) == f"--tls-key: the key in {key} has a password."


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [
        (NOW - 9 * DAY, NOW - DAY, f"has expired on {NOW - DAY:%Y-%m-%d}."),
        (NOW + DAY, NOW + 9 * DAY, f"is not valid before {NOW + DAY:%Y-%m-%d}."),
    ],
)
def test_a_certificate_out_of_its_time(
    files: tuple[Path, Path], begins: datetime, ends: datetime, says: str
) -> None:
    certificate, key = files
    private, content = signed(begins, ends, ca=False)
    certificate.write_bytes(content)
    key.write_bytes(key_pem(private))
    assert refused(certificate, key) == f"--tls-cert: {certificate} {says}"


def test_what_tls_itself_refuses(tmp_path: Path) -> None:
    certificate = authority(tmp_path).issue()
    with pytest.raises(MockGraphError, match="TLS cannot use the certificate"):
        Certificate(certificate.chain, b"").context()


def test_nothing_is_imported_before_it_is_used() -> None:
    program = (
        "import sys, mockgraph.serving.server, mockgraph.serving.tls; "
        "print([n for n in ('trustme', 'cryptography', 'platformdirs') if n in sys.modules])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    assert done.stdout == "[]\n"
