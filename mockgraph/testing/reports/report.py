"""A report: what facts come to, as values, JSON, text, HTML and JUnit's XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mockgraph.errors import MockGraphError
from mockgraph.testing.police import HINTS as MISDEED_HINTS
from mockgraph.testing.reports.facts import Facts
from mockgraph.testing.reports.guidance import HINTS
from mockgraph.testing.reports.least_privilege import Needs, Privilege, privileges
from mockgraph.testing.reports.operation_templates import resource_of

# What may fail a run, beside a coverage that is too small.
CHECKS = ("misdeeds", "advice", "permissions", "idle-faults", "unemulated")


class ResourceCoverage(NamedTuple):
    """A resource that was used: the operations of it that were called, and those that were not."""

    resource: str
    called: tuple[str, ...]
    uncalled: tuple[str, ...]


class Latency(NamedTuple):
    """How long an operation took, in milliseconds within the server, faults included."""

    operation: str
    times: int
    median: float
    p95: float
    most: float


class Remark(NamedTuple):
    """A rule, where it was broken, how often, and by which request first."""

    rule: str
    operation: str
    times: int
    first: int
    hint: str


@dataclass(frozen=True)
class Report:
    """A report on the requests of a tenant, a server or a test run."""

    facts: Facts

    @property
    def requests(self) -> int:
        """How many requests were looked at."""
        return int(self.facts.get("requests", 0))

    @cached_property
    def coverage(self) -> list[ResourceCoverage]:
        """The operations that were called, and of the same resources those that were not."""
        called = self.facts.get("operations", {})
        by_resource: dict[str, list[str]] = {}
        for each in called:
            by_resource.setdefault(resource_of(each), []).append(each)
        others: dict[str, list[str]] = {}
        for each in self.facts.get("served", ()):
            if each not in called and (resource := resource_of(each)) in by_resource:
                others.setdefault(resource, []).append(each)
        return [
            ResourceCoverage(name, tuple(sorted(found)), tuple(others.get(name, ())))
            for name, found in sorted(by_resource.items())
        ]

    @property
    def covered(self) -> float:
        """The share of the operations of the resources used that were called, in percent."""
        called = sum(len(each.called) for each in self.coverage)
        every = called + sum(len(each.uncalled) for each in self.coverage)
        return 100.0 * called / every if every else 100.0

    @cached_property
    def permissions(self) -> list[Privilege]:
        """The fewest permissions that would do, delegated and application, and those granted."""
        operations = self.facts.get("operations", {})
        needs = {
            name: Needs(about["needs"]["delegated"], about["needs"]["application"])
            for name, about in operations.items()
        }
        return privileges(needs, self.facts.get("granted", {}))

    @cached_property
    def misdeeds(self) -> list[Remark]:
        """The rules of Graph's guidance that clients broke."""
        return _remarks(self.facts.get("misdeeds", {}), MISDEED_HINTS)

    @cached_property
    def advice(self) -> list[Remark]:
        """Advice that Graph's guidance has for such requests."""
        return _remarks(self.facts.get("advice", {}), HINTS)

    @cached_property
    def latencies(self) -> list[Latency]:
        """How long each operation took, the slowest first."""
        found = [
            Latency(name, about["count"], *_spread(sorted(about["ms"])))
            for name, about in self.facts.get("operations", {}).items()
        ]
        return sorted(found, key=lambda each: -each.p95)

    @property
    def idle_faults(self) -> list[Mapping[str, Any]]:
        """The faults in force that struck no request."""
        return list(self.facts.get("idleFaults", ()))

    @property
    def unemulated(self) -> list[str]:
        """The requests that were neither emulated nor answered by a stub."""
        return list(self.facts.get("unemulated", ()))

    def failures(self, fail_under: float | None = None, fail_on: tuple[str, ...] = ()) -> list[str]:
        """Return, a sentence each, why a run fails: by its coverage, or by one of ``CHECKS``.

        Raises MockGraphError for a check that there is not.
        """
        if unknown := set(fail_on) - set(CHECKS):
            raise MockGraphError(
                f"A report does not check {min(unknown)!r}; it checks {', '.join(CHECKS)}."
            )
        found = []
        if fail_under is not None and self.covered < fail_under:
            found.append(f"{self.covered:.1f} % of the operations were called, not {fail_under} %.")
        counts = {
            "misdeeds": len(self.misdeeds),
            "advice": len(self.advice),
            "permissions": sum(len(each.unneeded) for each in self.permissions),
            "idle-faults": len(self.idle_faults),
            "unemulated": len(self.unemulated),
        }
        found += [f"There are {name}: {counts[name]}." for name in fail_on if counts[name]]
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the report as the control plane answers it."""
        return {
            "requests": self.requests,
            "dropped": self.facts.get("dropped", 0),
            "covered": round(self.covered, 1),
            "coverage": [each._asdict() for each in self.coverage],
            "permissions": [each._asdict() for each in self.permissions],
            "misdeeds": [each._asdict() for each in self.misdeeds],
            "advice": [each._asdict() for each in self.advice],
            "latencies": [each._asdict() for each in self.latencies],
            "idleFaults": self.idle_faults,
            "unemulated": self.unemulated,
        }

    def text(self) -> str:
        """Return the report as lines for a terminal."""
        from mockgraph.testing.reports.writers import report_text

        return report_text(self)

    def write(self, path: str | Path) -> None:
        """Write it to a file, as HTML, JSON, JUnit's XML or text by the ending of its name.

        Raises MockGraphError for another ending, or where it cannot be written.
        """
        from mockgraph.testing.reports.writers import write_report

        write_report(self, Path(path))


def _remarks(said: Mapping[str, Any], hints: Mapping[str, str]) -> list[Remark]:
    return [
        Remark(rule, place, count, first, hints.get(rule, ""))
        for rule, places in sorted(said.items())
        for place, (count, first) in sorted(places.items())
    ]


def _spread(ms: list[float]) -> tuple[float, float, float]:
    """Return the median, the 95th percentile and the largest of sorted values."""
    last = len(ms) - 1
    return ms[last // 2], ms[round(last * 0.95)], ms[last]
