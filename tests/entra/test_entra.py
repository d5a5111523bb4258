"""Entra for one tenant: minted tokens, forks, resets, and what a start does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey
from mockgraph.errors import BadRequest, NotFound

from . import (
    CONTOSO,
    FABRIKAM,
    HOST,
    PERMISSIONS,
    PERSONAL,
    READER,
    Caller,
    Make,
    granted,
    opened,
    refused,
)


def test_minted_tokens(known: Entra) -> None:
    claims = known.verify(known.mint(), HOST)
    assert (claims["appid"], claims["tid"], claims["ver"]) == (READER, CONTOSO, "1.0")
    assert claims["roles"] == ["SecurityEvents.Read.All"]
    assert claims["iss"] == f"https://sts.windows.net/{CONTOSO}/"
    claims = known.verify(known.mint(user="ada@contoso.com", app="api-app", version=2), HOST)
    assert claims["scp"] == "SecurityAlert.Read.All SecurityEvents.Read.All"
    assert claims["iss"] == f"https://login.microsoftonline.com/{CONTOSO}/v2.0"
    claims = known.verify(known.mint(permissions=["Any.Thing"], tenant="fabrikam.com"), HOST)
    assert (claims["roles"], claims["tid"]) == (["Any.Thing"], FABRIKAM)
    claims = known.verify(known.mint(user="bob@fabrikam.com", permissions=["A.B"]), HOST)
    assert (claims["scp"], claims["tid"]) == ("A.B", FABRIKAM)
    assert known.verify(known.mint(user="eve@outlook.com"), HOST)["tid"] == PERSONAL
    assert known.verify(known.mint(tenant="consumers"), HOST)["tid"] == PERSONAL
    assert known.verify(known.mint(authority="http://x.test/t/one/common"), HOST)["iss"].startswith(
        "http://x"
    )
    assert known.verify(known.mint(capabilities=["cp1"]), HOST)["xms_cc"] == ["cp1"]


def test_minted_in_an_open_directory(entra: Entra) -> None:
    claims = entra.verify(entra.mint(app="mine", user="who@ever.example"), HOST)
    assert (claims["appid"], claims["upn"]) == ("mine", "who@ever.example")
    assert entra.verify(entra.mint(), HOST)["roles"] == sorted(PERMISSIONS)


def test_what_cannot_be_minted(known: Entra, make: Make) -> None:
    with pytest.raises(NotFound):
        known.mint(app="nobody")
    with pytest.raises(NotFound):
        known.mint(user="nobody@x.example")
    with pytest.raises(NotFound):
        known.mint(tenant="x.example")
    with pytest.raises(NotFound):
        make(apps=[]).entra.mint(app="")
    with pytest.raises(BadRequest, match="one of the flaws expired, future"):
        known.mint(flaw="ugly")
    with pytest.raises(BadRequest):
        known.mint(version=3)
    for lifetime in (1e300, -1e300, float("inf"), float("nan")):
        with pytest.raises(BadRequest):
            known.mint(lifetime=lifetime)


def test_reset_keeps_the_tokens_that_clients_have(entra: Entra) -> None:
    token = entra.mint()
    entra.reset()
    entra.verify(token, HOST)


def test_tenants_of_one_server_share_a_key_and_nothing_else(key: SigningKey) -> None:
    first = opened(key)
    second: Entra = first.fork(first.clock)
    refresh = granted(Caller(first).user_token("offline_access User.Read"))["refresh_token"]
    answer = Caller(second).token("refresh_token", refresh_token=refresh)
    refused(answer, 9002313, "invalid_grant")


def test_nothing_heavy_is_imported_before_someone_signs_in() -> None:
    program = (
        "import sys; from mockgraph.clock import Clock; "
        "from mockgraph.entra.entra import Entra; from mockgraph.entra.directory import Catalogue; "
        "from mockgraph.entra.directory import read_directory; "
        "entra = Entra(read_directory({'apps': [{'appId': 'x'}]}, Catalogue([])), Clock(), []); "
        "heavy = {'jwt', 'cryptography', 'jinja2', 'flask'} & sys.modules.keys(); "
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
