"""The fewest permissions for many calls, and those granted that nothing needs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockgraph.testing.reports.least_privilege import Needs, least, privileges

NAMES = st.sampled_from([f"P{number}" for number in range(6)])
CHOICES = st.lists(st.lists(NAMES, max_size=4, unique=True), max_size=8)


def test_what_is_needed_anyway_serves_others() -> None:
    assert least([("Read", "ReadWrite"), ("ReadWrite",)]) == ("ReadWrite",)
    assert least([("Read", "ReadWrite"), ()]) == ("Read",)
    assert least([]) == ()


@given(CHOICES)
def test_every_choice_is_met(choices: list[list[str]]) -> None:
    found = set(least(choices))
    assert all(found & set(each) for each in choices if each)


@given(CHOICES, st.sets(NAMES))
def test_without_the_unneeded_as_much_is_met(choices: list[list[str]], granted: set[str]) -> None:
    needs = {str(number): Needs([each], ()) for number, each in enumerate(choices)}
    delegated, application = privileges(needs, {"delegated": sorted(granted)})
    kept = granted - set(delegated.unneeded)
    for each in choices:
        assert bool(kept & set(each)) == bool(granted & set(each))
    for name in kept:  # and each that is left is needed for something
        assert any(
            granted & set(each) and not (kept - {name}) & set(each) for each in choices if each
        )
    assert application.granted == ()
