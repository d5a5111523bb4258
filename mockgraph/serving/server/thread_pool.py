"""A pool of threads without a limit: to start a thread takes as long as to answer a request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

_KEEP_IDLE = 10.0  # seconds without a task after which a thread ends

Task = Callable[[], object]


class ThreadPool:
    """Runs each task at once, on an idle thread of the pool or on a new one.

    The threads are daemons; after :meth:`end` none is left that has no task.
    """

    def __init__(self, name: str):
        self._name = name
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0  # threads that wait, less those that a task in the queue is meant for
        self._ended = False

    def run(self, task: Task) -> None:
        """Run a task. Raises RuntimeError where no thread can be had."""
        with self._lock:
            has_idle = self._idle > 0
            self._idle -= has_idle
        if has_idle:
            self._tasks.put(task)
        else:
            thread = threading.Thread(target=self._work, args=[task], name=self._name, daemon=True)
            thread.start()

    def end(self) -> None:
        """End the idle threads now, and the others when they have done their tasks."""
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
            return self._tasks.get(timeout=_KEEP_IDLE)
        except Empty:
            with self._lock:
                if self._idle:
                    self._idle -= 1
                    return None
        return self._tasks.get()  # a task is on its way, meant for this thread
