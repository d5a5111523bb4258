"""``$select``: what is left of an entity, and what the context URL calls it."""

from __future__ import annotations

from typing import Any

import pytest

from mockgraph.errors import BadRequest
from mockgraph.odata.select import compile_select

from . import Closed, Open, closed, opened

ALERT = {
    "@odata.etag": 'W/"1"',
    "@odata.type": "#microsoft.graph.closed",
    "title@odata.type": "#String",
    "notes@odata.type": "#String",
    **closed(
        title="t",
        notes="n",
        vendorInformation={"provider": "p", "vendor": "v"},
        host={"fqdn": "f", "vendor": {"provider": "deep", "vendor": "dv"}},
        extra={"label": "l", "hue": "blue"},
        hosts=[{"fqdn": "a", "risk": 1}, {"fqdn": "b"}],
        tags=["x"],
    ),
}
CONTROL = {"@odata.etag": 'W/"1"', "@odata.type": "#microsoft.graph.closed"}


@pytest.mark.parametrize(
    ("text", "left", "named"),
    [
        ("notes", {"notes@odata.type": "#String", "notes": "n"}, "notes"),
        ("severity, tags", {"severity": None, "tags": ["x"]}, "severity,tags"),
        ("tags,severity,tags", {"severity": None, "tags": ["x"]}, "tags,severity"),
        (
            "vendorInformation/provider",
            {"vendorInformation": {"provider": "p"}},
            "vendorInformation/provider",
        ),
        (
            "vendorInformation/vendor,vendorInformation/provider",
            {"vendorInformation": {"provider": "p", "vendor": "v"}},
            "vendorInformation/vendor,vendorInformation/provider",
        ),
        (
            "vendorInformation/provider,vendorInformation",
            {"vendorInformation": {"provider": "p", "vendor": "v"}},
            "vendorInformation",
        ),
        (
            "vendorInformation,vendorInformation/provider",
            {"vendorInformation": {"provider": "p", "vendor": "v"}},
            "vendorInformation",
        ),
        (
            "host/vendor/provider,host/vendor",
            {"host": {"vendor": {"provider": "deep", "vendor": "dv"}}},
            "host/vendor",
        ),
        (
            "host/vendor/provider,host",
            {"host": ALERT["host"]},
            "host",
        ),
        ("hosts/fqdn", {"hosts": [{"fqdn": "a"}, {"fqdn": "b"}]}, "hosts/fqdn"),
        ("extra/hue,extra/none", {"extra": {"hue": "blue"}}, "extra/hue,extra/none"),
        ("alerts,severity", {"severity": None}, "alerts,severity"),
    ],
)
def test_selection(text: str, left: dict[str, Any], named: str) -> None:
    select = compile_select(text, Closed, {"alerts"})
    assert select.apply(ALERT) == {**CONTROL, **left}
    assert select.text == named


@pytest.mark.parametrize("text", ["*", "title,*", "*,vendorInformation/provider"])
def test_everything(text: str) -> None:
    select = compile_select(text, Closed)
    assert select.apply(ALERT) == ALERT
    assert select.apply(ALERT) is not ALERT
    assert select.text == "*"


def test_the_order_is_that_of_the_entity() -> None:
    assert list(compile_select("tags,title,id", Closed).apply(closed())) == ["id", "title", "tags"]


def test_nothing_below_null() -> None:
    select = compile_select("vendorInformation/provider", Closed)
    assert select.apply(closed()) == {"vendorInformation": None}


def test_dynamic_properties() -> None:
    entity = opened(hue="red", thing={"a": 1, "b": [{"c": 2, "d": 3}, 4]})
    select = compile_select("hue,none,thing/b/c", Open)
    assert select.apply(entity) == {"hue": "red", "thing": {"b": [{"c": 2}, 4]}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nope", "'nope' does not exist on type 'microsoft.graph.closed'"),
        ("title,nope", "'nope' does not exist"),
        ("vendorInformation/nope", "'nope' does not exist on type 'microsoft.graph.vendor'"),
        ("title/x", "'x' is asked of a value of type Edm.String"),
        ("tags/x", "'x' is asked of a value of type Edm.String"),
        ("alerts/id", "'alerts' does not exist"),
        ("title,", "empty"),
        (",", "empty"),
        ("title title", "not a property path"),
        ("title/", "not a property path"),
        ("/title", "not a property path"),
        ("vendorInformation/*", "not a property path"),
        ("title($top=1)", "not a property path"),
        ("title)", "not balanced"),
        ("(title", "not balanced"),
        ("'title", "quote is not closed"),
        ("@odata.type", "not a property path"),
        ("$count", "not a property path"),
        ("a/" * 200 + "a", "more than 100 segments"),
    ],
)
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        compile_select(text, Closed, {"alerts"})
