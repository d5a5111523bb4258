"""Calls that would have left the machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Attempt(NamedTuple):
    """A call, as much of it as is known where it is made: to a host, at least.

    ``what`` is ``GET https://example.com/`` or ``a call to 192.0.2.1 port 443``.
    """

    host: str
    what: str


class CallRefused(AssertionError):
    """A call was refused that would have left the machine; ``attempts`` has it.

    It is no error of the network on purpose. Clients retry those and code under test handles
    them, so that the call would go unnoticed; what fails here is the test's assumption that
    all calls are answered, which is what an AssertionError is for, and clients pass it on.
    """

    def __init__(self, attempts: Iterable[Attempt], why: str = ""):
        self.attempts = tuple(attempts)
        refused = "; ".join(each.what for each in self.attempts)
        super().__init__(f"Refused: {refused}. {why or self._why()}")

    def _why(self) -> str:
        hosts = ", ".join(f'"{host}"' for host in dict.fromkeys(a.host for a in self.attempts))
        return (
            "It would have left this machine; to let it through, allow its host: "
            f"intercept(allow=[{hosts}]), or allow_hosts=[{hosts}] in the marker."
        )
