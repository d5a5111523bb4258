"""The members by which a fault or a stub says what it is for."""

from __future__ import annotations

from mockgraph.control.forms import Form, Given, Named, OneOrMore, a_text, a_truth

_CRITERION = Given("a text, true or false", str, bool)


class MatchingForm(Form):
    """Which requests are meant, see :class:`mockgraph.testing.matching.Matching`."""

    query = Named(_CRITERION)
    request_headers = Named(_CRITERION)
    caller = a_text()
    in_batch = a_truth(null=True)


def a_method() -> Given:
    """A method, or several."""
    return OneOrMore("a method, or a list of them", str, null=True)


def header_values() -> Named:
    """Headers, each with a value or several."""
    return Named(OneOrMore("a text, or a list of them", str))
