"""Secure scores, one a day (`/secureScores`)."""

from __future__ import annotations

from mockgraph.metadata import (
    Collection,
    Complex,
    ComplexType,
    DateTimeOffset,
    Double,
    EntityType,
    Int32,
    String,
)
from mockgraph.metadata.declarations import EntitySet
from mockgraph.service.permissions import SECURITY_EVENTS
from mockgraph.service.shared_types import SecurityVendorInformation


class AverageComparativeScore(ComplexType):
    """The average score of tenants alike in one respect."""

    is_open = True

    averageScore = Double()
    basis = String()


class ControlScore(ComplexType):
    """What one control adds to a secure score."""

    is_open = True

    controlCategory = String()
    controlName = String()
    description = String()
    score = Double()


class SecureScore(EntityType):
    """A tenant's secure score on one day."""

    is_open = True

    activeUserCount = Int32()
    averageComparativeScores = Collection(Complex(AverageComparativeScore))
    azureTenantId = String(nullable=False)
    controlScores = Collection(Complex(ControlScore))
    createdDateTime = DateTimeOffset(computed=True)
    currentScore = Double()
    enabledServices = Collection(String())
    licensedUserCount = Int32()
    maxScore = Double()
    vendorInformation = Complex(SecurityVendorInformation)


SECURE_SCORES = EntitySet(name="secureScores", type=SecureScore, permissions=SECURITY_EVENTS)
