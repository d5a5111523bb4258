"""Threads that are kept for what comes next: to start one takes as long as to answer a request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

_KEPT = 10.0  # seconds without a task after which a thread ends

Task = Callable[[], object]


class Threads:
    """Runs each task at once, on a thread that has nothing to do or on a new one.

    They are daemons. None is left without a task after :meth:`end`.
    """

    def __init__(self, name: str):
        self._name = name
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0  # threads that wait, less those that a task in the queue is meant for
        self._ended = False

    def run(self, task: Task) -> None:
        """Raises RuntimeError where no thread can be had."""
        with self._lock:
            waits = self._idle > 0
            self._idle -= waits
        if waits:
            self._tasks.put(task)
        else:
            thread = threading.Thread(target=self._work, args=[task], name=self._name, daemon=True)
            thread.start()

    def end(self) -> None:
        """Let those end that have no task, and the others when they have done theirs."""
        with self._lock:
            self._ended = True
            for _ in range(self._idle):
                self._tasks.put(None)
            self._idle = 0

    def _work(self, task: Task | None) -> None:
        while task is not None:
            task()
            task = self._next()

    def _next(self) -> Task | None:
        with self._lock:
            if self._ended:
                return None
            self._idle += 1
        try:
            return self._tasks.get(timeout=_KEPT)
        except Empty:
            with self._lock:
                if self._idle:
                    self._idle -= 1
                    return None
        return self._tasks.get()  # a task is on its way, meant for this thread
