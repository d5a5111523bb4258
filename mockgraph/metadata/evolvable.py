"""Evolvable enumerations: members that clients see only once they say that they know of them.

Members that are declared after ``unknownFutureValue`` came later. Graph answers them as that
member, unless a request has the preference ``include-unknown-enum-members`` (page "Best
practices for working with Microsoft Graph", "Handling future members in evolvable
enumerations").
"""

from __future__ import annotations

from collections.abc import Callable

from mockgraph.metadata.primitives import UNKNOWN_MEMBER, Enum, PropertyField


def member_mask(declared: PropertyField) -> Callable[[str], str] | None:
    """Return what makes ``unknownFutureValue`` of the later members in a property's value.

    It is None where the property holds none.
    """
    if not isinstance(declared, Enum) or not declared.values.later:
        return None
    later = declared.values.later
    if not declared.values.is_flags:
        return lambda text: UNKNOWN_MEMBER if text in later else text

    def mask(text: str) -> str:
        shown = (UNKNOWN_MEMBER if each in later else each for each in text.split(","))
        return ",".join(dict.fromkeys(shown))

    return mask
