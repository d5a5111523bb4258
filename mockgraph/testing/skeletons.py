"""A test's skeleton, written from a journal: the faults in force, and what the program asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pprint import pformat
from typing import Any

from mockgraph.testing.exchange import Exchange

_HEAD = '''\
"""What the program asks of Graph, as a journal has it."""


def run_the_program(url):
    """Run the code under test, which takes this URL for Graph's."""
    raise NotImplementedError("call your own code here")


def test_the_program(mockgraph):
'''
_MOST = 100  # requests that are told apart
_NOT_ASKED = frozenset({"id", "preset", "struck"})


def skeleton(exchanges: Iterable[Exchange], faults: Iterable[Mapping[str, Any]] = ()) -> str:
    """Return a module of pytest's with one test, which fails until the program is called in it.

    It expects the requests that were recorded, as often as they were made, with their query
    options and, of writes, their bodies; of more than a hundred different ones the first.
    ``faults`` are those in force, as the control plane shows them.
    """
    lines = [f"    mockgraph.faults.{_fault(each)}" for each in faults]
    lines += ["    run_the_program(mockgraph.v1)", ""]
    lines += _expectations(exchanges)
    lines.append("    mockgraph.assert_well_behaved()")
    return _HEAD + "\n".join(lines) + "\n"


def _fault(told: Mapping[str, Any]) -> str:
    given = {name: value for name, value in told.items() if name not in _NOT_ASKED}
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return f"{told.get('preset', 'add')}({arguments})"


def _expectations(exchanges: Iterable[Exchange]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for each in exchanges:
        if each.answered_by == "sign-in":
            continue
        asked = [repr(each.method), repr(each.below)]
        asked += [f"query={dict(each.query)!r}"] if each.query else []
        if each.json is not None and each.method != "GET":
            asked.append(f"json={pformat(each.json, width=10_000)}")
        expected = ", ".join(asked)
        if expected in counts or len(counts) < _MOST:
            counts[expected] = counts.get(expected, 0) + 1
    for expected, times in counts.items():
        yield f"    mockgraph.assert_called({expected}, times={times})"
