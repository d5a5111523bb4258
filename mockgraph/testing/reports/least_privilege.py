"""The permissions that calls need at least, beside those that their tokens had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

DELEGATED, APPLICATION = "delegated", "application"


class Needs(NamedTuple):
    """The permissions of an operation by the kind of the token: one of each choice is needed."""

    delegated: Sequence[Sequence[str]]
    application: Sequence[Sequence[str]]


class Privilege(NamedTuple):
    """A kind of token: the fewest permissions that would do, and those that tokens had.

    ``granted`` is empty where no token said what it was good for; ``unneeded`` are those of them
    without which all calls would have been let through.
    """

    kind: str
    least: tuple[str, ...]
    granted: tuple[str, ...]
    unneeded: tuple[str, ...]


def least(needs: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return few permissions that will do for all, each need being a choice, the least first.

    Operations with the smallest choice come first; a permission that is needed anyway serves
    the others as well.
    """
    chosen: dict[str, None] = {}
    for choice in sorted(filter(None, needs), key=len):
        if not chosen.keys() & set(choice):
            chosen[choice[0]] = None
    return tuple(sorted(chosen))


def privileges(needs: Mapping[str, Needs], granted: Mapping[str, Sequence[str]]) -> list[Privilege]:
    """Return what operations need for each kind of token, beside what tokens of it had."""
    found = []
    for kind in (DELEGATED, APPLICATION):
        choices = [choice for each in needs.values() for choice in getattr(each, kind)]
        wanted, had = least(choices), tuple(sorted(granted.get(kind, ())))
        found.append(Privilege(kind, wanted, had, tuple(_unneeded(choices, had))))
    return found


def _unneeded(choices: Sequence[Sequence[str]], granted: Sequence[str]) -> list[str]:
    """Return the permissions without which every choice that could be met still can be."""
    kept = set(granted)
    met = [set(each) for each in choices if kept & set(each)]
    left_out = []
    for name in sorted(granted, key=lambda name: sum(name in each for each in met)):
        if all(each & (kept - {name}) for each in met):
            kept.discard(name)
            left_out.append(name)
    return sorted(left_out)
