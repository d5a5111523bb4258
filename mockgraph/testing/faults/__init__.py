"""Faults on demand: a tenant's requests go wrong as those to Graph do.

``Faults`` are the rules of one tenant. The line asks them once a request::

    strike = tenant.faults.strike(request)
    response = strike.answer or <the work>
    return strike.apply(response)
"""

from __future__ import annotations

from mockgraph.testing.faults.presets import PRESETS, FaultOptions, Faults
from mockgraph.testing.faults.rules import Rule, Strike
from mockgraph.testing.faults.schedules import When

__all__ = ["PRESETS", "FaultOptions", "Faults", "Rule", "Strike", "When"]
