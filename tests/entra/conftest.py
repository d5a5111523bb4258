"""Entra and callers of it; one key for all of them, since a key takes long to make."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from mockgraph.entra.entra import Entra
from mockgraph.entra.signing_keys import SigningKey

from . import Caller, Certificate, Make, make_certificate, opened, seeded


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey()


@pytest.fixture
def entra(key: SigningKey) -> Entra:
    """An Entra where anyone may sign in."""
    return opened(key)


@pytest.fixture
def known(key: SigningKey) -> Entra:
    """An Entra that knows the seed, and nothing else."""
    return seeded(key)


@pytest.fixture
def caller(entra: Entra) -> Caller:
    """A caller of an Entra where anyone may sign in."""
    return Caller(entra)


@pytest.fixture
def strict(known: Entra) -> Caller:
    """A caller of an Entra that knows the seed, and nothing else."""
    return Caller(known)


@pytest.fixture
def make(key: SigningKey) -> Make:
    """Makes a caller of an Entra that knows the seed with some of its members changed."""
    return lambda **changes: Caller(seeded(key, **changes))


@pytest.fixture
def manual(make: Make) -> Caller:
    """A caller of an Entra where someone has to approve a device."""
    users = [
        {"userPrincipalName": "ada@contoso.com", "password": "p"},
        {"userPrincipalName": "bob@fabrikam.com"},
    ]
    return make(
        apps=[{"appId": "some-app"}, {"appId": "other"}], users=users, deviceApproval="manual"
    )


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return make_certificate()


@pytest.fixture
def jwt_client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of the whole app in the mode ``jwt``, without a token."""
    client = make_client(auth="jwt")
    del client.environ_base["HTTP_AUTHORIZATION"]
    return client
