"""Faults in force: which requests they strike, and the effects on each request."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mockgraph.clock import Clock
from mockgraph.http import Request, Response
from mockgraph.testing.faults.effects import Effect
from mockgraph.testing.faults.schedules import CountSchedule, Schedule, When
from mockgraph.testing.matching import CallbackFailed, Matcher, Matching
from mockgraph.testing.registry import Registry, RegistryEntry, check_options


class Rule(RegistryEntry):
    """A fault in force: which requests, when among them, what is done to them.

    In a ``with`` block it is removed at the end. ``struck`` counts the requests that it struck.
    """

    def __init__(
        self,
        rules: FaultRules,
        id: str,
        matcher: Matcher,
        schedule: Schedule,
        effects: Sequence[Effect],
        asked: Mapping[str, Any],
    ):
        super().__init__(rules, id)
        self.struck = 0
        self.effects = tuple(effects)
        self._matcher = matcher
        self._schedule = schedule
        self._asked = asked

    def strikes(self, request: Request) -> bool:
        """Return whether this request is struck; if so it is counted."""
        if self._matcher.match(request) is None:
            return False
        with self._lock:
            struck = self._schedule.turn(request)
            self.struck += struck
            spent = self._schedule.spent
        if spent:
            self._registry.discard(self)
        return struck

    def as_json(self) -> dict[str, Any]:
        """Return the fault as it was asked for, its id, and how often it struck."""
        times = self._schedule.times
        return {"id": self.id, **self._asked, "times": times, "struck": self.struck}

    def __repr__(self) -> str:
        times = self._schedule.times
        of = "" if times is None else f" of {times}"
        done = ", ".join(map(str, self.effects)) or "nothing"
        return f"<Fault {self.id}: {done} for {self._matcher}; struck {self.struck}{of}>"


class Strike:
    """The effects of the faults on one request: none, of this class.

    ``answer`` is the response of a fault, in place of the work's; either is to be passed
    through :meth:`apply`. The journal shows ``effects`` as texts.
    """

    __slots__ = ()
    answer: Response | None = None
    effects: Sequence[Effect] = ()

    def apply(self, response: Response) -> Response:
        """Return the response after the effects on it."""
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

    def apply(self, response: Response) -> Response:
        for effect in self.effects:
            response = effect.after(response, self._request, self._clock)
        return response


class FaultRules(Registry[Rule]):
    """The faults of a tenant, none at first. Safe under threads.

    FaultRules are asked in the order in which they were added. One that answers the request, or
    cuts it off, ends the round; those that delay it or alter its response leave the others
    their turn, so that a slow service may throttle too. A rule counts only the requests that
    reach it, and one that has struck as often as it should is removed.
    """

    __slots__ = ("_clock",)
    noun = "fault"

    def __init__(self, clock: Clock, changed: Callable[[], None] = lambda: None):
        super().__init__(changed)
        self._clock = clock

    def strike(self, request: Request) -> Strike:
        """Let the faults that are due strike a request: it may be answered, or have to wait.

        Nothing is locked while it waits. Raises CallbackFailed where a predicate raises an
        exception, and 501 where a connection is to be cut and there is none.
        """
        if not self._entries:
            return _SPARED
        effects: list[Effect] = []
        for rule in self._entries:
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
        asked: Mapping[str, Any],
    ) -> Rule:
        """Put a rule in force; its JSON has the members ``asked`` and those of ``when``."""
        known = Matching.__optional_keys__ if schedule else When.__optional_keys__
        check_options("fault", when, known | (asked.keys() - {"preset"}))
        matcher = Matcher(when)
        schedule = schedule or CountSchedule(when)
        given = {name: copy.copy(value) for name, value in when.items() if name != "predicate"}
        return self._add(lambda id: Rule(self, id, matcher, schedule, effects, {**asked, **given}))

    def _strikes(self, rule: Rule, request: Request) -> bool:
        try:
            return rule.strikes(request)
        except CallbackFailed as failure:
            self.remember(failure)
            raise


_SPARED = Strike()
