"""The Security singleton."""

from __future__ import annotations

from mockgraph.metadata import Boolean, Collection, Complex, ComplexType, EntityType, String
from mockgraph.metadata.declarations import Singleton
from mockgraph.service.permissions import SECURITY_EVENTS


class SecurityProviderStatus(ComplexType):
    """Whether a provider of security data is connected, and where."""

    enabled = Boolean()
    endpoint = String()
    provider = String()
    region = String()
    vendor = String()


class Security(EntityType):
    """The singleton that the service hangs on."""

    providerStatus = Collection(Complex(SecurityProviderStatus))


SECURITY = Singleton(name="Security", type=Security, permissions=SECURITY_EVENTS)
