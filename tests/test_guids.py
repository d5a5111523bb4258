"""New GUIDs and numbers."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from mockgraph.guids import new_guid, new_number


def test_guids_are_of_version_4_and_each_is_new() -> None:
    made = {new_guid() for _ in range(1000)}
    assert len(made) == 1000
    for each in made:
        parsed = uuid.UUID(each)
        assert (str(parsed), parsed.version, parsed.variant) == (each, 4, uuid.RFC_4122)


FORKED = """
import os
from mockgraph.guids import new_guid
new_guid()  # others are made with it
if os.fork() == 0:
    print(new_guid(), flush=True)
    os._exit(0)
os.wait()
for _ in range(1000):
    print(new_guid())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no forks")
def test_a_fork_makes_guids_of_its_own() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len({*printed}) == len(printed) == 1001


def test_threads_take_none_twice() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: new_guid(), range(10_000)))
    assert len({*made}) == 10_000


def test_numbers_stay_below() -> None:
    assert {new_number(3) for _ in range(200)} == {0, 1, 2}
