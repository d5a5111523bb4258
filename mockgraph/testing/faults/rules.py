"""The rules by which requests are struck, in the order in which they were added."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from mockgraph.clock import Clock
from mockgraph.errors import NotFound
from mockgraph.http import Request, Response
from mockgraph.testing.faults.effects import Effect
from mockgraph.testing.faults.schedules import Counted, Schedule, When
from mockgraph.testing.matching import REMEMBERED, ROOTS, CallbackFailed, Matcher, Matching

_MATCHING = Matching.__optional_keys__
_WHEN = When.__optional_keys__


class Rule:
    """A fault that is in force: which requests, when among them, what is done to them.

    In a ``with`` block it is removed at the end. ``struck`` counts the requests that it struck.
    """

    def __init__(
        self,
        rules: Rules,
        id: str,
        matcher: Matcher,
        schedule: Schedule,
        effects: Sequence[Effect],
        shown: Mapping[str, Any],
    ):
        self.id = id
        self.struck = 0
        self.effects = tuple(effects)
        self._rules = rules
        self._matcher = matcher
        self._schedule = schedule
        self._shown = shown
        self._lock = threading.Lock()

    def strikes(self, request: Request) -> bool:
        """Whether this request is struck; if so it is counted."""
        if self._matcher.match(request) is None:
            return False
        with self._lock:
            struck = self._schedule.turn(request)
            self.struck += struck
            spent = self._schedule.spent
        if spent:
            self._rules.discard(self)
        return struck

    def remove(self) -> None:
        """Take the fault out of force. It may be out already."""
        if self._rules.discard(self):
            self._rules.changed()

    def as_json(self) -> dict[str, Any]:
        """The rule as it was asked for, its id, and how often it struck."""
        times = self._schedule.times
        return {"id": self.id, **self._shown, "times": times, "struck": self.struck}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        times = self._schedule.times
        of = "" if times is None else f" of {times}"
        done = ", ".join(map(str, self.effects)) or "nothing"
        return f"<Fault {self.id}: {done} for {self._matcher}; struck {self.struck}{of}>"


class Strike:
    """What the faults do to one request: nothing, to this one.

    ``answer`` is given in place of the work's, where a fault answers; either is to be passed
    through :meth:`mar`. ``effects`` are what is done, in words for the journal.
    """

    __slots__ = ()
    answer: Response | None = None
    effects: Sequence[Effect] = ()

    def mar(self, response: Response) -> Response:
        """The response after what the faults do to it."""
        return response


class _Struck(Strike):
    __slots__ = ("_clock", "_request", "answer", "effects")

    def __init__(
        self, answer: Response | None, effects: Sequence[Effect], request: Request, clock: Clock
    ):
        self.answer = answer
        self.effects = effects
        self._request = request
        self._clock = clock

    def mar(self, response: Response) -> Response:
        for effect in self.effects:
            response = effect.after(response, self._request, self._clock)
        return response


class Rules:
    """The faults of a tenant, none at first. Safe under threads.

    Rules are asked in the order in which they were added. One that answers the request, or
    cuts it off, ends the round; those that delay it or alter its answer leave the others
    their turn, so that a slow service may throttle too. A rule counts only the requests that
    reach it, and one that has struck as often as it should is removed. ``errors`` are the last
    100 exceptions that predicates raised; ``changed`` is called where a test puts a rule in
    force or out of it.
    """

    __slots__ = ("_clock", "_given", "_lock", "_roots", "_rules", "changed", "errors")

    def __init__(
        self,
        clock: Clock,
        roots: tuple[str, ...] = ROOTS,
        changed: Callable[[], None] = lambda: None,
    ):
        self.changed = changed
        self.errors: tuple[Exception, ...] = ()
        self._clock = clock
        self._roots = roots
        self._rules: tuple[Rule, ...] = ()
        self._given = 0
        self._lock = threading.Lock()

    def strike(self, request: Request) -> Strike:
        """Let the faults that are due strike a request: it may be answered, or have to wait.

        Nothing is locked while it waits. Raises CallbackFailed where a predicate does not
        return, and 501 where a connection is to be cut and there is none.
        """
        if not self._rules:
            return _SPARED
        effects: list[Effect] = []
        for rule in self._rules:
            if not self._strikes(rule, request):
                continue
            effects.extend(rule.effects)
            for effect in rule.effects:
                answer = effect.before(request, self._clock)
                if answer is not None:
                    request.answered_by = "fault"
                    return _Struck(answer, effects, request, self._clock)
        return _Struck(None, effects, request, self._clock) if effects else _SPARED

    def enforce(
        self,
        when: When,
        *effects: Effect,
        schedule: Schedule | None = None,
        shown: Mapping[str, Any],
    ) -> Rule:
        """Put a rule in force: ``shown`` is what its JSON says of its effects."""
        known = _MATCHING if schedule else _WHEN
        if unknown := when.keys() - known:
            raise TypeError(
                f"This fault has no option {', '.join(sorted(unknown))}; all have "
                f"{', '.join(sorted(known))}."
            )
        matcher = Matcher(when, self._roots)
        schedule = schedule or Counted(when)
        told = {name: copy.copy(value) for name, value in when.items() if name != "predicate"}
        with self._lock:
            self._given += 1
            rule = Rule(self, str(self._given), matcher, schedule, effects, {**shown, **told})
            self._rules = (*self._rules, rule)
        self.changed()
        return rule

    def discard(self, rule: Rule) -> bool:
        """Take a rule out of force, and tell whether it was in."""
        with self._lock:
            before = self._rules
            self._rules = tuple(each for each in before if each is not rule)
            return self._rules != before

    def __getitem__(self, id: str) -> Rule:
        """The rule in force of that id. Raises NotFound."""
        for rule in self._rules:
            if rule.id == id:
                return rule
        raise NotFound(f"There is no fault '{id}' in force.")

    def __iter__(self) -> Iterator[Rule]:
        """The rules in force, in their order."""
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def reset(self) -> None:
        """Take all rules out of force, and forget what their predicates raised."""
        with self._lock:
            self._rules = ()
            self.errors = ()
        self.changed()

    def _strikes(self, rule: Rule, request: Request) -> bool:
        try:
            return rule.strikes(request)
        except CallbackFailed as failure:
            with self._lock:
                self.errors = (*self.errors[1 - REMEMBERED :], failure.raised)
            raise

    def __repr__(self) -> str:
        return f"<Faults: {', '.join(map(repr, self._rules)) or 'none'}>"


_SPARED = Strike()
