"""The collector is out of the way for a moment, and back as it was."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockgraph.collector import _keep, leave_alone, uncollected


@pytest.fixture(autouse=True)
def _as_before(whole_collections: None) -> Iterator[None]:  # noqa: ARG001
    gc.unfreeze()
    yield
    if _keep in gc.callbacks:
        gc.callbacks.remove(_keep)
    gc.freeze()
    gc.enable()


def test_no_collection_within_and_the_collector_back_afterwards() -> None:
    with uncollected():
        assert not gc.isenabled()
        made = [[n] for n in range(5)]
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    # They are old ones now: the next quick collection does not look at them.
    young = {id(each) for each in gc.get_objects(generation=0)}
    assert not young & {id(each) for each in made}


def test_back_whatever_happens() -> None:
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()


def test_who_wants_no_collector_gets_none() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_what_others_froze_stays_so() -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    with uncollected():
        pass
    # Objects that die go, too, so a few are less.
    assert 0 < gc.get_freeze_count() <= frozen


def test_what_stays_is_left_alone() -> None:
    class Held:
        pass

    before = Held()
    leave_alone()
    after = Held()
    alone = {id(each) for each in gc.get_objects()}
    assert id(after) in alone
    assert id(before) not in alone
    gc.collect(1)
    assert id(after) in {id(each) for each in gc.get_objects()}
    gc.collect()
    assert id(after) not in {id(each) for each in gc.get_objects()}
    assert gc.isenabled()


# A process that says at its very end whether it has been spared the collections, and what it held
# in cycles, as all classes are, when it ended.
_ENDING = """
import atexit, gc, gzip, io, os, socket, tempfile
from mockgraph.collector import spare_the_end

def say(text, write=os.write):
    write(1, f"{text}\\n".encode())

def waiting():
    try:
        yield
    finally:
        say("left")

def ended():
    yield

class Told:
    def __del__(self, say=say):
        say("told")

class Compressing(io.BufferedWriter):
    def close(self):
        if not self.closed:
            self.write(b" closed")
        super().close()

atexit.register(lambda: say("spared" if gc.get_freeze_count() > 1000 else "as ever"))
if SPARED:
    atexit.register(spare_the_end)

class Held:
"""

_PLAIN = {
    "nothing": ("pass", {}),
    "a text that is not flushed": ("own = open('a', 'w'); own.write('last')", {"a": b"last"}),
    "bytes that are not flushed": ("own = open('a', 'wb'); own.write(b'last')", {"a": b"last"}),
    "both ways": ("own = open('a', 'w+b'); own.write(b'last')", {"a": b"last"}),
    "a stream that is closed": ("own = open('a', 'w'); own.close()", {"a": b""}),
    "a socket": ("own = socket.create_server(('127.0.0.1', 0))", {}),
    "a generator that has ended": ("own = ended(); list(own)", {}),
}
_FINALIZED = {
    "a finalizer": "own = Told()",
    "a generator that waits": "own = waiting(); next(own)",
    "a temporary file": "own = tempfile.NamedTemporaryFile(dir='.')",
    "a stream with an end of its own": "own = Compressing(io.FileIO('a', 'w'))",
}


def _end(folder: Path, held: str, *options: str, spared: bool) -> tuple[str, dict[str, bytes]]:
    """Return what a process says that ends with something held, and the files it leaves."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, *options, "-c", f"SPARED = {spared}\n{_ENDING}    {held}\n"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout, {each.name: each.read_bytes() for each in folder.iterdir()}


@pytest.mark.parametrize(("held", "files"), _PLAIN.values(), ids=_PLAIN)
def test_an_end_is_spared_where_nothing_is_missed(
    held: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    assert _end(tmp_path / "slow", held, spared=False) == ("as ever\n", files)
    assert _end(tmp_path / "quick", held, spared=True) == ("spared\n", files)


@pytest.mark.parametrize("held", _FINALIZED.values(), ids=_FINALIZED)
def test_an_end_is_as_ever_where_something_is_finalized(held: str, tmp_path: Path) -> None:
    slow = _end(tmp_path / "slow", held, spared=False)
    assert slow[0].startswith("as ever\n")
    assert _end(tmp_path / "quick", held, spared=True) == slow


def test_an_end_is_as_ever_where_warnings_are_asked_for(tmp_path: Path) -> None:
    said, _ = _end(tmp_path / "quick", "pass", "-Wdefault", spared=True)
    assert said == "as ever\n"
