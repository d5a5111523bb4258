"""The retry police: finds what Graph's guidance tells clients not to do.

A client is judged by its requests alone, in their order and by the tenant's clock. Apps are
told apart by the id in their tokens, or by the tokens. In doubt a client is right: a request
counts as made after an answer only where its sender must have had that answer, and only the
same request, sent again at once, is a retry; anything in between may be a reason for it.
"""

from __future__ import annotations

from mockgraph.testing.police.conduct import HINTS, RULES, rules
from mockgraph.testing.police.watch import Police, misdeeds, with_misdeeds

__all__ = ["HINTS", "RULES", "Police", "misdeeds", "rules", "with_misdeeds"]
