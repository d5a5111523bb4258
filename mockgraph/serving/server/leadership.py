"""Who leads: the thread that waits for sockets, until a request of its own takes too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mockgraph.serving.server.connection import Connection

_TICK = 0.005  # seconds after which a request is slow
_BUSY_TICK = 0.025  # the same among many: each look at them takes from their speed
_MANY = 20  # requests in a tick
_DOZE = 200  # ticks without a request after which nobody watches
_MAX_SLOW = 2000  # requests that may have threads of their own, some 50 KiB each


class Leadership:
    """The leader's turns at requests, watched by a thread that has another lead in time.

    ``succeed`` is called with the connection that the old leader keeps; it sees to it that a
    new one leads. It may raise RuntimeError where no thread can be had.
    """

    def __init__(self, succeed: Callable[[Connection], None]):
        self._succeed = succeed
        self._lock = threading.Lock()
        self._running: Connection | None = None  # whose request the leader is answering
        self._turns = 0
        self._slow = 0
        self._dozing = False
        self._roused = threading.Event()
        self._ended = False
        self._watcher = threading.Thread(target=self._watch, name="mockgraph-watch", daemon=True)

    def start(self) -> None:
        self._watcher.start()

    def end(self) -> None:
        self._ended = True
        self._roused.set()
        self._watcher.join()

    def begin(self, connection: Connection) -> None:
        """The leader turns to a request of this connection."""
        self._turns += 1
        self._running = connection
        if self._dozing:
            self._roused.set()

    def finish(self, connection: Connection) -> bool:
        """The request is answered; whether the thread that answered it still leads."""
        with self._lock:
            if self._running is connection:
                self._running = None
                return True
            self._slow -= 1
            return False

    def step_aside(self, connection: Connection) -> None:
        """Have another lead, where it is the leader that answers this connection."""
        with self._lock:
            if self._running is connection:
                self._hand_over(connection)

    def _hand_over(self, slow: Connection) -> None:
        if self._slow == _MAX_SLOW:
            return
        self._running = None
        self._slow += 1
        try:
            self._succeed(slow)
        except RuntimeError:  # others must wait
            self._running = slow
            self._slow -= 1

    def _watch(self) -> None:
        quiet, tick = 0, _TICK
        while not self._ended:
            turn = self._turns
            time.sleep(tick)
            if self._turns != turn:
                quiet, tick = 0, _BUSY_TICK if self._turns - turn >= _MANY else _TICK
            elif self._running is None:
                quiet += 1
                if quiet == _DOZE:
                    quiet = 0
                    self._doze(turn)
            else:
                with self._lock:
                    slow = self._running
                    if slow is not None and self._turns == turn:
                        self._hand_over(slow)

    def _doze(self, turn: int) -> None:
        self._roused.clear()
        self._dozing = True
        if self._turns == turn and not self._ended:
            self._roused.wait()
        self._dozing = False
