"""The loop that serves: one thread leads, and another takes over where a request is slow.

The leader waits for sockets, and calls the app itself as soon as a request is complete: no
thread waits for another, and none fights it for the interpreter. A request that takes more than
a few milliseconds, or says that it sleeps, keeps its thread and its connection; another thread
leads from then on. So one slow request costs the others a few milliseconds, and a client that
sends or reads slowly costs nothing.
"""

from __future__ import annotations

import logging
import selectors
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from mockgraph.serving.server.answers import WSGIApp
from mockgraph.serving.server.connection import Connection
from mockgraph.serving.server.doors import Door
from mockgraph.serving.server.leadership import Leadership
from mockgraph.serving.server.threads import Threads

_LINGER = 2.0  # seconds that a refused client may take to read why
_REST = 0.2  # seconds between looks at what has no event
_IDLE = 5.0  # seconds without a request after which a connection makes room for others
_ADMITTED = 64  # connections admitted at a time
# Windows waits for 512 sockets at a time, of which two are ours and two are doors.
_MAX_CONNECTIONS = 500 if sys.platform == "win32" else 10_000
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

_logger = logging.getLogger("mockgraph")


class Loop:
    """Serves an app through doors, from :meth:`start` to :meth:`stop`."""

    def __init__(self, app: WSGIApp, doors: Sequence[Door], max_body: int):
        self._app = app
        self._doors = doors
        self._max_body = max_body
        self._selector = selectors.DefaultSelector()
        self._waker, self._wakee = socket.socketpair()
        self._connections: set[Connection] = set()
        self._lingering: dict[Connection, float] = {}
        self._returned: deque[Connection] = deque()
        self._leadership = Leadership(self._succeed)
        self._threads = Threads("mockgraph-serve")
        self._leader: threading.Thread | None = None
        self._is_serving = False
        self._is_open = False
        self._open_at = 0.0
        self._crowded = False
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._hurried = False
        self._ended = threading.Event()

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()

    def start(self) -> None:
        """Serve from now on, on threads of its own."""
        self._waker.setblocking(False)
        self._wakee.setblocking(False)
        self._selector.register(self._wakee, _READ, None)
        self._open_doors()
        self._is_serving = True
        self._threads.run(self._lead)
        self._leadership.start()

    def stop(self, grace: float) -> None:
        """Admit nobody, let requests under way finish for so many seconds, and end."""
        if not self._is_serving:
            self._end()
            return
        self._deadline = 0.0 if self._hurried else time.monotonic() + grace
        self._stopping.set()
        self._wake()
        self._ended.wait(grace + _LINGER)
        self._leadership.end()
        self._threads.end()
        if self._leader is not None:
            self._leader.join(_LINGER)

    def hurry(self) -> None:
        """End what :meth:`stop` lets finish, be it called before or afterwards."""
        self._hurried = True
        self._deadline = 0.0
        self._wake()

    def sleep(self, connection: Connection, seconds: float) -> None:
        """Wait in the midst of a connection's request, while another thread leads."""
        if seconds or len(self._connections) > 1:  # who comes only now is seen to in a moment
            self._leadership.step_aside(connection)
        self._stopping.wait(seconds)

    def _succeed(self, slow: Connection) -> None:
        """Leave a connection to the thread that answers it, and have another lead."""
        if slow.events:
            self._selector.unregister(slow)
            slow.events = 0
        self._threads.run(self._lead)

    def _answer(self, connection: Connection) -> bool:
        """Have one request answered; whether this thread still leads."""
        self._leadership.begin(connection)
        connection.answer(self._app, self._stopping.is_set)
        connection.used_at = time.monotonic()
        if self._leadership.finish(connection):
            return True
        self._returned.append(connection)
        self._wake()
        if self._ended.is_set():
            self._let_go()
        return False

    def _lead(self) -> None:
        self._leader = threading.current_thread()
        try:
            while True:
                chores = bool(self._lingering) or self._stopping.is_set() or not self._is_open
                if chores:
                    self._tidy()
                    if self._stopping.is_set() and not self._connections:
                        self._end()
                        return
                if not self._turn(_REST if chores else None):
                    return
        except BaseException:
            _logger.critical("The server failed, and serves no more.", exc_info=True)
            self._end()

    def _turn(self, patience: float | None) -> bool:
        """Attend to what happens next; whether this thread still leads."""
        if self._returned:
            return self._proceed(self._returned.popleft())
        for key, events in self._selector.select(patience):
            subject = key.data
            if isinstance(subject, Connection):
                if not self._attend(subject, events):
                    return False
            elif subject is None:
                self._sleep_off()
            else:
                self._admit(subject)
        return True

    def _attend(self, connection: Connection, events: int) -> bool:
        if connection in self._lingering:
            if connection.drain():
                self._close(connection)
            return True
        try:
            if events & _WRITE:
                connection.flush()
            else:
                connection.receive()
        except Exception:
            _logger.exception("A connection failed")
            connection.cut()
        return self._proceed(connection)

    def _proceed(self, connection: Connection) -> bool:
        """Answer what was asked and wait for what is next; whether this thread still leads."""
        while connection.can_answer:
            if not self._answer(connection):
                return False
        connection.conclude()
        if connection.is_over or (self._stopping.is_set() and connection.is_idle):
            self._dismiss(connection)
        else:
            self._wait_for(connection, _WRITE if connection.out else _READ)
        return True

    def _wait_for(self, connection: Connection, events: int) -> None:
        if connection.events == events:
            return
        if connection.events:
            self._selector.modify(connection, events, connection)
        else:
            self._selector.register(connection, events, connection)
        connection.events = events

    def _admit(self, door: Door) -> None:
        for _ in range(_ADMITTED):
            try:
                if len(self._connections) >= _MAX_CONNECTIONS:
                    raise OSError(f"there are {_MAX_CONNECTIONS}")
                connection = door.admit(self._max_body, self.sleep)
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # gone before it came in
            except OSError as error:  # there may be no descriptor left
                self._rest(error)
                return
            self._connections.add(connection)
            self._wait_for(connection, _READ)

    def _rest(self, error: OSError) -> None:
        """Admit nobody for a moment, in which some may leave."""
        if not self._crowded:  # said once
            _logger.warning("Connections have to wait: %s", error)
        self._crowded = True
        self._open_at = time.monotonic() + _REST
        self._shut_doors()
        self._make_room()

    def _make_room(self) -> None:
        """Close what has been idle for long, the longest first, for those who may be waiting."""
        until = time.monotonic() - _IDLE
        idle = [
            connection
            for connection in self._connections
            if connection.used_at < until and connection.events == _READ and connection.is_idle
        ]
        for connection in sorted(idle, key=lambda each: each.used_at)[:_ADMITTED]:
            self._close(connection)

    def _dismiss(self, connection: Connection) -> None:
        if connection.requests.abandoned and not connection.is_cut:
            connection.finish()
            self._lingering[connection] = time.monotonic() + _LINGER
            self._wait_for(connection, _READ)
        else:
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        if connection.events:
            self._selector.unregister(connection)
            connection.events = 0
        self._lingering.pop(connection, None)
        self._connections.discard(connection)
        connection.close()

    def _tidy(self) -> None:
        """What no event tells: linger no longer, open again, stop."""
        now = time.monotonic()
        for connection, until in list(self._lingering.items()):
            if now > until:
                self._close(connection)
        if not self._stopping.is_set():
            if now > self._open_at:
                self._open_doors()
            return
        self._shut_doors()
        for door in self._doors:
            door.close()
        late = now > self._deadline
        for connection in list(self._connections):
            unasked = connection.is_idle and not connection.is_sent_to
            if connection.events and (late or unasked):
                self._close(connection)
            elif late:
                self._connections.discard(connection)
                connection.cut()  # its thread has it still, and closes it

    def _open_doors(self) -> None:
        if not self._is_open:
            self._is_open = True
            for door in self._doors:
                self._selector.register(door, _READ, door)

    def _shut_doors(self) -> None:
        if self._is_open:
            self._is_open = False
            for door in self._doors:
                self._selector.unregister(door)

    def _end(self) -> None:
        self._selector.close()
        self._waker.close()
        self._wakee.close()
        for door in self._doors:
            door.close()
        for connection in self._connections:
            connection.close()
        self._ended.set()
        self._let_go()

    def _let_go(self) -> None:
        """Close what was returned when all had ended."""
        with suppress(IndexError):
            while True:
                self._returned.popleft().close()

    def _wake(self) -> None:
        with suppress(OSError):  # full: it will wake; closed: there is nothing to wake
            self._waker.send(b"!")

    def _sleep_off(self) -> None:
        with suppress(BlockingIOError):
            while self._wakee.recv(4096):
                pass
