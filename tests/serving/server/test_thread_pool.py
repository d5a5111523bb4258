"""ThreadPool that are kept: each task at once, none waits for another, none is left at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from mockgraph.serving.server import thread_pool
from mockgraph.serving.server.thread_pool import ThreadPool

PATIENCE = 10


@pytest.fixture
def kept() -> Iterator[ThreadPool]:
    kept = ThreadPool("kept")
    yield kept
    kept.end()
    for each in alive():
        each.join(PATIENCE)
    assert alive() == []


def alive() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "kept"]


def who_runs(kept: ThreadPool) -> threading.Thread:
    """The thread that a task ran on, once it waits for the next."""
    ran: list[threading.Thread] = []
    kept.run(lambda: ran.append(threading.current_thread()))
    idle(kept, 1)
    return ran[0]


def idle(kept: ThreadPool, count: int) -> None:
    """Wait until so many have nothing to do; none wakes for being looked at."""
    for _ in range(PATIENCE * 1000):
        if kept._idle == count:
            return
        threading.Event().wait(0.001)
    raise AssertionError(f"{kept._idle} are idle, not {count}")


def test_one_thread_does_one_task_after_another(kept: ThreadPool) -> None:
    assert len({who_runs(kept) for _ in range(5)}) == 1


def test_tasks_at_once_wait_for_none(kept: ThreadPool) -> None:
    barrier = threading.Barrier(9, timeout=PATIENCE)
    for _ in range(2):  # the second time on the threads of the first
        for _ in range(8):
            kept.run(barrier.wait)
        barrier.wait()
        idle(kept, 8)
    assert len(alive()) == 8


def test_a_thread_without_a_task_ends(kept: ThreadPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_pool, "_KEEP_IDLE", 0.01)
    ran: list[threading.Thread] = []
    kept.run(lambda: ran.append(threading.current_thread()))
    for each in alive():
        each.join(PATIENCE)
    assert len(ran) == 1
    assert kept._idle == 0
    monkeypatch.setattr(thread_pool, "_KEEP_IDLE", PATIENCE)
    assert who_runs(kept) is not ran[0]


def test_a_task_that_comes_when_a_thread_was_about_to_end_is_done(
    kept: ThreadPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_pool, "_KEEP_IDLE", 1e-6)
    done = [threading.Event() for _ in range(2000)]
    for each in done:
        kept.run(each.set)
    assert all(each.wait(PATIENCE) for each in done)


def test_after_the_end_a_thread_ends_with_its_task(kept: ThreadPool) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def task() -> None:
        begun.set()
        go_on.wait(PATIENCE)

    kept.run(task)
    assert begun.wait(PATIENCE)
    (busy,) = alive()
    kept.end()
    assert busy.is_alive()
    go_on.set()
    busy.join(PATIENCE)
    assert not busy.is_alive()
