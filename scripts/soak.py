"""``make soak``: run the tests with random input for so many minutes, new input each time.

``python -m scripts.soak MINUTES`` takes their files in an order of chance, again and again, one for
each processor at a time; what still runs when the time is up is cut off. A line tells of each file
with the seed that makes the same input again; what failed is shown whole, and the exit code is 1.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock

ENVIRONMENT = {**os.environ, "HYPOTHESIS_PROFILE": "soak"}
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
# Of random input, but not by Hypothesis.
OTHERS = ["tests/state/test_kills.py"]
NO_TESTS = 5  # pytest's exit code


def files() -> list[str]:
    """Return the files that have tests with random input."""
    collected = subprocess.run(
        [*PYTEST, "-n0", "--collect-only", "-m", "hypothesis"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    tests = [line for line in collected.stdout.splitlines() if "::" in line]
    return [*dict.fromkeys(each.partition("::")[0] for each in tests), *OTHERS]


def turns(names: list[str], until: float) -> Iterator[str]:
    """Give the files in an order of chance, round after round, until the time is up."""
    for number in count(1):
        for index, name in enumerate(random.sample(names, len(names))):
            if time.monotonic() >= until:
                print(f"Time is up in round {number}, after {index} of {len(names)} files.")
                return
            yield name


def run(name: str, until: float) -> bool:
    """Run the tests of a file with new input, until some time. Return whether none failed."""
    seed = str(random.randrange(2**32))
    command = [*PYTEST, "-n0", f"--hypothesis-seed={seed}", name]
    command += [] if name in OTHERS else ["-m", "hypothesis"]
    began = time.monotonic()
    try:
        done = subprocess.run(
            command,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=max(until - began, 1),
        )
    except subprocess.TimeoutExpired:
        print(f"cut off {name} --hypothesis-seed={seed}", flush=True)
        return True
    seconds = time.monotonic() - began
    passed = done.returncode in (0, NO_TESTS)
    print(f"{'passed' if passed else 'FAILED'} {name} --hypothesis-seed={seed} {seconds:.0f} s")
    if not passed:
        print(done.stdout)
    sys.stdout.flush()
    return passed


def main(minutes: float) -> int:
    """Run until the time is up, and return the exit code."""
    until, lock = time.monotonic() + 60 * minutes, Lock()
    queue = turns(files(), until)

    def work(_: int) -> list[str]:
        failed = []
        while True:
            with lock:
                name = next(queue, None)
            if name is None:
                return failed
            if not run(name, until):
                failed.append(name)

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        failed = [name for each in pool.map(work, range(workers)) for name in each]
    print(
        f"{len(failed)} runs failed: {', '.join(sorted(set(failed)))}" if failed else "All passed."
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30))
