"""What an update may change is decided once a type; a look at each change must agree with it."""

from __future__ import annotations

from typing import Any

from edm_strategies import values_of
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.resources import Resource, ResourceKind
from mockgraph.service import SERVICE
from mockgraph.state.computed_properties import unsettable
from mockgraph.state.update_rules import update_plan

RESOURCES = [
    each
    for view in SERVICE.views.values()
    for top in view.children.values()
    for each in (top, *top.below())
    if each.kind is ResourceKind.CONTAINED and not each.type.is_abstract
]


def outcome(call: Any, *given: Any) -> Any:
    try:
        return call(*given)
    except BadRequest as error:
        return error.message


@given(st.sampled_from(RESOURCES), st.data())
def test_what_is_decided_once_agrees_with_a_look(resource: Resource, data: st.DataObject) -> None:
    own = SERVICE.stored.schemas[resource.type_name]
    before = edm.whole(own, edm.load(own, data.draw(values_of(own))))
    sent = data.draw(values_of(resource.type, partial=True))
    echoed = {name: before[name] for name in data.draw(st.sets(st.sampled_from([*before])))}
    changes = edm.load(own, {**sent, **echoed}, partial=True)
    left_aside = data.draw(st.sampled_from([unsettable, edm.key_holders]))
    plan = update_plan(resource, own, own, left_aside)
    assert plan.shown is edm.own_type(resource.type, before)
    looked_at = outcome(plan._looked_at, before, changes)
    assert outcome(plan.effective, before, changes) == looked_at


def test_most_properties_need_no_look() -> None:
    alerts = SERVICE.views["localtest"].resource("security/alerts")
    assert alerts is not None
    plan = update_plan(alerts, alerts.type, alerts.type, unsettable)
    assert {"assignedTo", "comments", "feedback"} <= plan.free
    assert "id" not in plan.free
    for changes in ({"comments": ["a"]}, {"assignedTo": "x", "feedback": "falsePositive"}):
        assert plan.effective({}, changes) is changes
