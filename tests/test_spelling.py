"""Names near one that is not known."""

from __future__ import annotations

from mockgraph.spelling import nearest, suggestion


def test_the_nearest_come_first() -> None:
    assert nearest("Alrets", ["incidents", "alerts", "alerts_v2"]) == ["alerts", "alerts_v2"]
    assert nearest("x" * 100_000, ["x" * 100_000]) == []


def test_what_is_said_of_them() -> None:
    assert suggestion("tims", ["times", "path"]) == " Did you mean times?"
    assert suggestion("zzz", ["times", "path"]) == ""
