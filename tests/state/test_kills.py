"""Killed at random moments, with writers at work and compactions under way: nothing is lost."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import environment
from profiles import examples

from mockgraph.state.store import DURABILITIES
from state.stores import kept_in
from state.writers import WRITERS, after

ROUNDS = examples(3)
PROGRAM = Path(__file__).with_name("writers.py")


def killed(store: Path, durability: str, prefix: str, answers: int) -> dict[str, int]:
    """How many answers each writer had when the program was killed, after so many in all."""
    process = subprocess.Popen(
        [sys.executable, PROGRAM, store, durability, prefix],
        env=environment({}),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    had = {f"{prefix}{number}": 0 for number in range(WRITERS)}
    with process:
        try:
            for number, line in enumerate(process.stdout):
                name, count = line.split()
                had[name] = int(count)
                if number == answers:
                    process.kill()
        finally:
            process.kill()
    return had


def alerts(state: Any) -> dict[str, Any]:
    """The alerts that writers wrote, by id."""
    kept = state.get("security/alerts", [])
    return {key: (each["title"], each["own"]) for key, _, _, each in kept if "own" in each}


@pytest.mark.long
@pytest.mark.parametrize("durability", DURABILITIES)
def test_what_was_answered_is_there_and_nothing_is_half_done(
    tmp_path: Path, durability: str
) -> None:
    seed = os.environ.get("KILLS_SEED") or str(random.randrange(10**6))
    print(f"KILLS_SEED={seed} makes the same choices again.")  # shown where the test fails
    store, chance = tmp_path / "graph.store", random.Random(seed)
    known: dict[str, Any] = {}
    for turn in range(ROUNDS):
        answers = chance.randrange(400)
        had = killed(store, durability, f"{turn}w", answers)
        state = kept_in(store)
        found = alerts(state)
        for name, count in had.items():
            own = {key: found.pop(key) for key in [*found] if key.startswith(f"{name}-")}
            # One write more than was answered may be there, but whole.
            assert own in (after(name, count), after(name, count + 1)), (turn, answers, name)
            known.update(own)
            found.update(own)
        assert found == known, (turn, answers)
        assert sum(had.values()) > answers
        needed = len(json.dumps(state))
        # Besides, what four writers write while a compaction lasts.
        assert store.stat().st_size < 500_000 + 3 * needed
