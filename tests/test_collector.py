"""The collector is out of the way for a moment, and back as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

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
