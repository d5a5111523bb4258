"""``$search``: words and phrases in every text of an entity."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.errors import BadRequest
from mockgraph.odata.search import compile_search

from . import Closed, Open, closed, opened

ALERT = closed(
    id="a1",
    title="Suspicious PowerShell Command",
    severity="high",
    access="read",
    confidence=7,
    createdDateTime="2024-05-01T00:00:00Z",
    vendorInformation={"provider": "IPC"},
    host={"processes": [{"name": "cmd.exe", "arguments": ["/c", "Straße"]}]},
    extra={"hue": "blue", "more": {"deep": ["ocean", 1, None, {"x": "Abyss"}]}},
    tags=["red", 'say "hi"'],
    notes="not used AND lost",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("powershell", True),
        ("SHELL", True),
        ("shells", False),
        ("suspicious command", True),
        ("suspicious commands", False),
        ('"suspicious command"', False),
        ('"PowerShell Command"', True),
        ('"command ipc"', False),
        ("suspicious AND command", True),
        ("suspicious AND nothing", False),
        ("nothing OR command", True),
        ("nothing OR none", False),
        ("NOT nothing", True),
        ("suspicious NOT command", False),
        ("suspicious AND NOT nothing", True),
        ("nothing AND none OR command", True),
        ("command OR nothing AND none", True),
        ("nothing AND (none OR command)", False),
        ("(suspicious)(command)", True),
        ("NOT (suspicious nothing)", True),
        ("not used", True),
        ('"AND"', True),
        ("or", False),
        ("ipc", True),
        ("cmd.exe", True),
        ("STRASSE", True),
        ("blue abyss ocean", True),
        (r'"say \"hi\""', True),
        ("red", True),
        ("a1", True),
        # What is text in JSON only.
        ("high", False),
        ("read", False),
        ("2024", False),
        ("7", False),
    ],
)
def test_what_is_found(text: str, found: bool) -> None:
    assert compile_search(text, Closed)(ALERT) is found


def test_dynamic_texts_and_control_information() -> None:
    entity = {"@odata.type": "#secret", **opened(word="Found", words=["also"])}
    assert compile_search("found also", Open)(entity)
    assert not compile_search("secret", Open)(entity)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("AND", "a term is expected at 'AND'"),
        ("a AND", "a term is expected at 'the end'"),
        ("OR a", "a term is expected"),
        ("a OR OR b", "a term is expected"),
        ("NOT", "a term is expected"),
        ("NOT NOT a", "a term is expected"),
        ("()", "a term is expected"),
        ("(a", "not balanced"),
        ("a)", r"'\)' is not expected"),
        ('"a', "a quote is not closed"),
        ('a"', "a quote is not closed"),
        ('""', "a phrase is empty"),
        ('"  "', "a phrase is empty"),
        ("(" * 21 + "a" + ")" * 21, "more than 20 parentheses"),
        ("(" * 8000, "more than 20 parentheses"),
        ("a " * 65, "more than 64 terms"),
        ("NOT (" * 4000, "more than 20 parentheses"),
    ],
)
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        compile_search(text, Closed)


terms = st.sampled_from(["power", "red", "none", "void"])


@given(st.lists(st.lists(st.tuples(st.booleans(), terms), min_size=1), min_size=1, max_size=5))
def test_not_binds_before_and_before_or(alternatives: list[list[tuple[bool, str]]]) -> None:
    if sum(map(len, alternatives)) > 60:
        return
    text = " OR ".join(
        " AND ".join(("NOT " if negated else "") + term for negated, term in each)
        for each in alternatives
    )
    expected = any(
        all((term in ("power", "red")) is not negated for negated, term in each)
        for each in alternatives
    )
    assert compile_search(text, Closed)(ALERT) is expected
