"""Callers of Entra; one key for all of them, since a key takes long to make."""

from __future__ import annotations

import pytest

from mockgraph.entra.signing_keys import SigningKey

from . import Caller, Certificate, Make, make_certificate, opened, seeded


@pytest.fixture(scope="session")
def keys() -> SigningKey:
    return SigningKey()


@pytest.fixture
def caller(keys: SigningKey) -> Caller:
    """A caller of an Entra where anyone may sign in."""
    return Caller(opened(keys))


@pytest.fixture
def strict(keys: SigningKey) -> Caller:
    """A caller of an Entra that knows the seed, and nothing else."""
    return Caller(seeded(keys))


@pytest.fixture
def make(keys: SigningKey) -> Make:
    """Makes a caller of an Entra that knows the seed with some of its members changed."""
    return lambda **changes: Caller(seeded(keys, **changes))


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return make_certificate()
