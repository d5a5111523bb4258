"""The event loop: one thread waits for sockets and calls the app; a slow request gives it up.

It works in phases: it receives from all connections that have sent something, answers what they
ask, and sends the responses. The thread of the loop calls the app itself, so no thread waits
for another or competes with it for the interpreter. A request that takes more than a few
milliseconds, or says that it sleeps, keeps its thread and its connection, and another thread
goes on with the loop. So one slow request costs the others a few milliseconds, and a client
that sends or reads slowly costs nothing. (The pattern is known as Leader/Followers.)
"""

from __future__ import annotations

import logging
import math
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from mockgraph.errors import ServiceUnavailable
from mockgraph.serving.http1_parser import BodyLimit, RequestTimeout
from mockgraph.serving.server import keep_alive
from mockgraph.serving.server.access_log import LineWriter
from mockgraph.serving.server.connection import Connection
from mockgraph.serving.server.listener import Listener
from mockgraph.serving.server.thread_pool import ThreadPool
from mockgraph.wsgi import WSGIApp

_LINGER = 2.0  # seconds that a refused client may take to read why
_INTERVAL = 0.2  # seconds between looks at what no event tells
_ACCEPTED = 64  # connections accepted at a time

# Responses are sent together, but no later than this.
_SENT_WITHIN = 0.001  # seconds
_MOST_UNSENT = 32  # responses
_LARGE = 64 * 1024  # bytes of one of them

_TICK = 0.005  # seconds after which a request is slow
_BUSY_TICK = 0.025  # the same under load: each look of the watchdog takes from the rate
_BUSY = 20  # requests in a tick
_QUIET = 200  # ticks without a request after which the watchdog sleeps
_MAX_SLOW = 2000  # slow requests that may have threads of their own, some 50 KiB each

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

_logger = logging.getLogger("mockgraph")


class EventLoop:
    """Serves an app on some listeners, from :meth:`start` to :meth:`stop`."""

    def __init__(
        self,
        app: WSGIApp,
        listeners: Sequence[Listener],
        max_body: int,
        body_limit: BodyLimit | None = None,
        log: LineWriter | None = None,
    ):
        self._app = app
        self._listeners = listeners
        self.max_body = max_body
        self.body_limit = body_limit
        self.log = log
        self._selector = selectors.DefaultSelector()
        self._waker, self._wakee = socket.socketpair()
        self._connections: set[Connection] = set()
        self._lingering: dict[Connection, float] = {}
        # Those in the middle of a request or an answer, and since when.
        self._unfinished: dict[Connection, float] = {}
        self._look_at = 0.0  # when to look at these again
        # The phases that a request goes through. While the loop waits, a connection among these is
        # not waited for, or is held.
        self._asking: deque[Connection] = deque()  # with a request to answer
        self._held: deque[Connection] = deque()  # with a response to settle first
        self._unsent: deque[Connection] = deque()  # with a response to send
        self._is_settling = False
        self._settling_took = math.inf
        self._watchdog = Watchdog(self._hand_over)
        self._threads = ThreadPool("mockgraph-serve")
        self._thread: threading.Thread | None = None  # that runs the loop
        self._is_serving = False
        self._is_accepting = False
        self._accept_at = 0.0
        self._was_full = False
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._hurried = False
        self._ended = threading.Event()

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def start(self) -> None:
        """Serve from now on, on threads of its own."""
        self._waker.setblocking(False)
        self._wakee.setblocking(False)
        self._selector.register(self._wakee, _READ, None)
        self._accept_connections()
        self._is_serving = True
        self._threads.run(self._run)
        self._watchdog.start()

    def stop(self, grace: float) -> None:
        """Accept no connection, let requests under way finish for so many seconds, and end."""
        if not self._is_serving:
            self._end()
            return
        self._deadline = 0.0 if self._hurried else time.monotonic() + grace
        self._stopping.set()
        self._wake()
        self._ended.wait(grace + _LINGER)
        self._watchdog.end()
        self._threads.end()
        if self._thread is not None:
            self._thread.join(_LINGER)

    def hurry(self) -> None:
        """End what :meth:`stop` lets finish, whether it was called already or will be."""
        self._hurried = True
        self._deadline = 0.0
        self._wake()

    def sleep(self, connection: Connection, seconds: float) -> bool:
        """Wait during a request of the connection, while another thread runs the loop.

        Return whether the server is to stop. Raises ServiceUnavailable where no other thread can
        be had: everybody would wait.
        """
        if seconds or len(self._connections) > 1:  # a new connection can wait for a tick
            is_aside = self._watchdog.step_aside(connection)
            if seconds and not is_aside:
                raise ServiceUnavailable(f"More than {_MAX_SLOW} requests wait already.")
        return self._stopping.wait(seconds)

    def _hand_over(self, slow: Connection) -> None:
        """Leave a connection to the thread that answers it; another thread runs the loop."""
        self._wait_for(slow, 0)
        self._threads.run(self._run)

    def _run(self) -> None:
        self._thread = threading.current_thread()
        try:
            while self._turn():
                is_due = bool(self._lingering) or self._stopping.is_set() or not self._is_accepting
                if is_due:
                    self._maintain()
                    if self._stopping.is_set() and not self._connections:
                        self._end()
                        return
                if self._unfinished:
                    is_due = True
                    self._give_up_some()
                self._receive(_INTERVAL if is_due else None)
                if self._can_settle and not self._settle():
                    return
        except BaseException:
            _logger.critical("The server failed, and serves no more.", exc_info=True)
            self._end()

    def _receive(self, timeout: float | None) -> None:
        """Wait for what happens next, and receive from all connections that have sent something."""
        if self._asking or self._unsent or (self._held and not self._is_settling):
            timeout = 0.0
        for key, events in self._selector.select(timeout):
            subject = key.data
            if isinstance(subject, Connection):
                self._handle(subject, events)
            elif subject is None:
                self._empty_waker()
            else:
                self._accept(subject)

    def _handle(self, connection: Connection, events: int) -> None:
        if connection in self._lingering:
            if connection.drain():
                self._close(connection)
            return
        if connection.is_held:
            self._wait_for(connection, 0)  # what it sends can wait, too
            return
        try:
            if events & _WRITE:
                connection.flush()
            else:
                connection.receive()
        except Exception:
            self._fail(connection)
        if connection.can_answer:
            self._asking.append(connection)
        else:
            self._go_on(connection)

    def _turn(self) -> bool:
        """Answer those that ask, a request each, and send what can be sent.

        The responses are sent together, unless they are many or large or took long: so the code of
        each phase stays in the processor's caches, and clients on this machine are woken less
        often. Return whether this thread still runs the loop.
        """
        self._send()  # what was answered before another thread went on with the loop
        send_at = time.monotonic() + _SENT_WITHIN
        for _ in range(len(self._asking)):
            connection = self._asking.popleft()
            if connection.is_cut:  # meanwhile
                self._go_on(connection)
                continue
            if not self._answer(connection):
                return False
            if (
                connection.used_at > send_at
                or len(self._unsent) >= _MOST_UNSENT
                or len(connection.out) > _LARGE
            ):
                self._send()
                send_at = time.monotonic() + _SENT_WITHIN
        self._send()
        return True

    def _answer(self, connection: Connection) -> bool:
        """Answer one request, and return whether this thread still runs the loop."""
        self._watchdog.begin(connection)
        connection.answer(self._app, self._stopping.is_set)
        connection.used_at = time.monotonic()
        runs_loop = self._watchdog.finish(connection)
        (self._held if connection.is_held else self._unsent).append(connection)
        if not runs_loop:
            self._give_back()
        return runs_loop

    @property
    def _can_settle(self) -> bool:
        """Whether responses are held, and wait for no more of them that come meanwhile."""
        if self._is_settling or not self._held:  # those that are held then come next
            return False
        is_late = time.monotonic() > self._held[0].used_at + _SENT_WITHIN
        return not self._asking or is_late or len(self._held) >= _MOST_UNSENT

    def _settle(self) -> bool:
        """Settle the responses that are held, by one sync of the disk.

        Another thread does where that was slow the last time, as a request would be; else to change
        threads would take most of the time. Return whether this one still runs the loop.
        """
        held = _taken(self._held)
        if self._settling_took > _TICK:
            self._is_settling = True
            with suppress(RuntimeError):  # there is no other thread
                self._threads.run(partial(self._settle_aside, held))
                return True
            self._is_settling = False
        self._watchdog.begin(held[0])
        self._settle_all(held)
        runs_loop = self._watchdog.finish(held[0])  # before another thread goes on with that
        self._unsent.extend(held)
        if runs_loop:
            self._send()
        else:
            self._give_back()
        return runs_loop

    def _settle_aside(self, held: Sequence[Connection]) -> None:
        """Settle these, and then what came to be held meanwhile: a slow disk never waits."""
        while held:
            self._settle_all(held)
            self._unsent.extend(held)
            held = _taken(self._held)
            self._is_settling = bool(held)
            self._give_back()

    def _settle_all(self, held: Sequence[Connection]) -> None:
        began = time.monotonic()
        for connection in held:
            try:
                connection.settle()
            except Exception:
                _logger.exception("A response was not settled")
                connection.cut()
        self._settling_took = time.monotonic() - began

    def _give_back(self) -> None:
        """Have the loop's thread go on with the connections that this one has answered."""
        self._wake()
        if self._ended.is_set():
            self._close_given_back()

    def _send(self) -> None:
        """Send the responses that nothing holds."""
        while self._unsent:
            connection = self._unsent.popleft()
            try:
                if connection.is_held:
                    connection.release(self._stopping.is_set)
                connection.flush()
            except Exception:
                self._fail(connection)
            if connection.can_answer:  # pipelined requests are answered in turns with others
                self._wait_for(connection, 0)
                self._asking.append(connection)
            else:
                self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        """Wait for what the connection brings next, or end it."""
        try:
            connection.conclude()
        except Exception:
            self._fail(connection)
        if connection.is_over or (self._stopping.is_set() and connection.is_idle):
            self._finish(connection)
        else:
            self._wait_for(connection, _WRITE if connection.out else _READ)
            if connection.out or connection.parser.is_within:
                connection.used_at = time.monotonic()
                self._unfinished.setdefault(connection, connection.used_at)
            elif self._unfinished:
                self._unfinished.pop(connection, None)

    def _fail(self, connection: Connection) -> None:
        """End a connection whose handling has raised an exception, which hurts no other."""
        _logger.exception("A connection failed")
        connection.cut()

    def _wait_for(self, connection: Connection, events: int) -> None:
        if connection.events == events:
            return
        if not events:
            self._selector.unregister(connection)
        elif connection.events:
            self._selector.modify(connection, events, connection)
        else:
            self._selector.register(connection, events, connection)
        connection.events = events

    def _accept(self, listener: Listener) -> None:
        for _ in range(_ACCEPTED):
            try:
                if len(self._connections) >= (most := keep_alive.most_connections()):
                    raise OSError(f"there are {most}")
                connection = listener.accept(self)
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # the client closed it before it was accepted
            except OSError as error:  # there may be no descriptor left
                self._pause(error)
                return
            self._connections.add(connection)
            self._wait_for(connection, _READ)

    def _pause(self, error: OSError) -> None:
        """Accept no connection for a moment, in which some may be closed."""
        if not self._was_full:  # logged once
            _logger.warning("Connections have to wait: %s", error)
        self._was_full = True
        self._accept_at = time.monotonic() + _INTERVAL
        self._accept_no_more()
        self._make_room()

    def _make_room(self) -> None:
        waiting = (each for each in self._connections if each.is_waiting)
        for connection in keep_alive.to_close(waiting, self._unfinished, most=_ACCEPTED):
            self._close(connection)

    def _give_up_some(self) -> None:
        """Refuse requests half sent for too long, and cut answers half read."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _INTERVAL
        for connection in keep_alive.to_give_up(self._unfinished):
            if not connection.is_waiting:
                continue  # a thread answers it, or settles its response
            if connection.out:
                connection.cut()
            else:
                connection.parser.refuse(RequestTimeout())
            connection.conclude()
            self._finish(connection)

    def _finish(self, connection: Connection) -> None:
        self._unfinished.pop(connection, None)
        if connection.parser.abandoned and not connection.is_cut:
            connection.finish()
            self._lingering[connection] = time.monotonic() + _LINGER
            self._wait_for(connection, _READ)
        else:
            self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._wait_for(connection, 0)
        self._lingering.pop(connection, None)
        self._unfinished.pop(connection, None)
        self._connections.discard(connection)
        connection.close()

    def _maintain(self) -> None:
        """Do what no event tells of: close what lingered, accept again, stop."""
        now = time.monotonic()
        for connection, until in list(self._lingering.items()):
            if now > until:
                self._close(connection)
        if not self._stopping.is_set():
            if now > self._accept_at:
                self._accept_connections()
            return
        self._accept_no_more()
        for listener in self._listeners:
            listener.close()
        late = now > self._deadline
        for connection in list(self._connections):
            unasked = connection.is_idle and not connection.is_sent_to
            if connection.is_waiting and (late or unasked):
                self._close(connection)
            elif late:
                self._connections.discard(connection)
                connection.cut()  # the thread that answers it closes it

    def _accept_connections(self) -> None:
        if not self._is_accepting:
            self._is_accepting = True
            for listener in self._listeners:
                self._selector.register(listener, _READ, listener)

    def _accept_no_more(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            for listener in self._listeners:
                self._selector.unregister(listener)

    def _end(self) -> None:
        self._selector.close()
        self._waker.close()
        self._wakee.close()
        for listener in self._listeners:
            listener.close()
        for connection in self._connections:
            connection.close()
        self._ended.set()
        self._close_given_back()

    def _close_given_back(self) -> None:
        """Close the connections that threads gave back after the end."""
        for connections in (self._asking, self._held, self._unsent):
            for connection in _taken(connections):
                connection.close()

    def _wake(self) -> None:
        with suppress(OSError):  # full: it will wake; closed: there is nothing to wake
            self._waker.send(b"!")

    def _empty_waker(self) -> None:
        with suppress(BlockingIOError):
            while self._wakee.recv(4096):
                pass


def _taken(connections: deque[Connection]) -> list[Connection]:
    """Take all connections out of a queue, which other threads may use at the same time."""
    taken: list[Connection] = []
    with suppress(IndexError):
        while True:
            taken.append(connections.popleft())
    return taken


class Watchdog:
    """Watches the requests that the thread of the loop answers, from a thread of its own.

    For one that is slow it calls ``hand_over`` with its connection, which stays with its
    thread; ``hand_over`` starts the loop on another one. It may raise RuntimeError where no
    thread can be had.
    """

    def __init__(self, hand_over: Callable[[Connection], None]):
        self._hand_over = hand_over
        self._lock = threading.Lock()
        self._running: Connection | None = None  # that the thread of the loop answers
        self._begun = 0
        self._slow = 0
        self._sleeping = False
        self._roused = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._watch, name="mockgraph-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended = True
        self._roused.set()
        self._thread.join()

    def begin(self, connection: Connection) -> None:
        """Take note that the thread of the loop answers a request of this connection."""
        self._begun += 1
        self._running = connection
        if self._sleeping:
            self._roused.set()

    def finish(self, connection: Connection) -> bool:
        """Take note of the end, and return whether its thread still runs the loop."""
        with self._lock:
            if self._running is connection:
                self._running = None
                return True
            self._slow -= 1
            return False

    def step_aside(self, connection: Connection) -> bool:
        """Hand the loop over, where its thread is the one that answers this connection.

        Return whether another thread has it.
        """
        with self._lock:
            if self._running is connection:
                self._release(connection)
            return self._running is not connection

    def _release(self, slow: Connection) -> None:
        if self._slow == _MAX_SLOW:
            return
        self._running = None
        self._slow += 1
        try:
            self._hand_over(slow)
        except RuntimeError:  # others must wait
            self._running = slow
            self._slow -= 1

    def _watch(self) -> None:
        quiet, tick = 0, _TICK
        while not self._ended:
            begun = self._begun
            time.sleep(tick)
            if self._begun != begun:
                quiet, tick = 0, _BUSY_TICK if self._begun - begun >= _BUSY else _TICK
            elif self._running is None:
                quiet += 1
                if quiet == _QUIET:
                    quiet = 0
                    self._sleep(begun)
            else:
                with self._lock:
                    slow = self._running
                    if slow is not None and self._begun == begun:
                        self._release(slow)

    def _sleep(self, begun: int) -> None:
        self._roused.clear()
        self._sleeping = True
        if self._begun == begun and not self._ended:
            self._roused.wait()
        self._sleeping = False
