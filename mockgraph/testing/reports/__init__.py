"""Reports from the journal: operations, permissions, guidance, latencies, faults that never struck.

Facts are taken of a tenant's exchanges, can be sent from one process to another, and are merged;
a report is made of them when all is over.
"""

from __future__ import annotations

from mockgraph.testing.reports.facts import Facts, facts_of, merged_facts
from mockgraph.testing.reports.report import Report

__all__ = ["Facts", "Report", "facts_of", "merged_facts"]
