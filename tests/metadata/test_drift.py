"""Drift between two models: what came, went and changed."""

from __future__ import annotations

import pytest
from hypothesis import given

from mockgraph.metadata import csdl, csdl_writer, drift, notation, notation_writer, roots
from mockgraph.metadata.drift import Change, compare
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.reach import part, reachable

from .strategies import models

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

OLD = """
using Core = Org.OData.Core.V1

namespace n

enum state
  on 0
  off 1

enum gone
  x 0

entity thing
  key id
  id: String not null
  state: state
  size: Int32
  links owner: thing
  @Core.Computed

complex part
  name: String

action close on thing
  reason: String
  @Core.Description: "closes"

action close on thing[]

function find
  name: String
  => thing

container Service
  singleton root: thing

annotate n.thing/size
  @Core.Immutable
"""

NEW = """
using Core = Org.OData.Core.V1

namespace n

enum state
  off 2
  on 0
  idle 3

entity thing open
  key id
  weight: Double
    @Core.Computed
  state: state not null
  id: String not null
  contains owner: thing
  @Core.Computed: false

complex part
  name: String

enum fresh
  y 0

action close on thing[]

action close on thing
  reason: String optional

function find
  code: String
  => thing

container Service
  singleton root: thing
  set things: thing

annotate n.part
  @Core.Description: "a part"
"""

CHANGES = [
    ("changed", "operation", "n.close(n.thing)"),
    ("went", "annotation", "n.close(n.thing)@Org.OData.Core.V1.Description"),
    ("came", "annotation", "n.close(n.thing)/reason@Org.OData.Core.V1.OptionalParameter"),
    ("went", "operation", "n.find(name)"),
    ("came", "operation", "n.find(code)"),
    ("came", "type", "n.fresh"),
    ("went", "type", "n.gone"),
    ("came", "annotation", "n.part@Org.OData.Core.V1.Description"),
    ("came", "root", "n.Service/things"),
    ("came", "member", "n.state/idle"),
    ("changed", "member", "n.state/off"),
    ("changed", "type", "n.thing"),
    ("changed", "annotation", "n.thing@Org.OData.Core.V1.Computed"),
    ("changed", "property", "n.thing/owner"),
    ("went", "property", "n.thing/size"),
    ("changed", "property", "n.thing/state"),
    ("came", "property", "n.thing/weight"),
]


def old_and_new() -> tuple[Model, Model]:
    return notation.parse([("old", OLD)]), notation.parse([("new", NEW)])


def test_what_came_went_and_changed() -> None:
    found = compare(*old_and_new())
    assert {(each.difference, each.kind, each.path) for each in found.changes} == set(CHANGES)
    assert len(found.changes) == len(CHANGES)


def test_the_elements_are_shown_in_the_notation() -> None:
    changes = {each.path: each for each in compare(*old_and_new()).changes}
    before, after = "state: n.state", "state: n.state not null"
    assert changes["n.thing/state"] == Change("changed", "property", "n.thing/state", before, after)
    assert changes["n.state/off"].as_json() == {
        "difference": "changed",
        "kind": "member",
        "path": "n.state/off",
        "before": "off 1",
        "after": "off 2",
    }
    assert changes["n.fresh"].after == "enum fresh\n  y 0"
    assert changes["n.gone"].before == "enum gone\n  x 0"
    assert str(changes["n.thing/owner"]) == (
        "~ property n.thing/owner\n      - links owner: n.thing\n      + contains owner: n.thing"
    )


def test_the_report() -> None:
    found = compare(*old_and_new())
    assert str(found).endswith("\n17 differences: 7 came, 4 went, 6 changed.")
    assert found.as_json()["summary"]["property"] == {"came": 1, "changed": 2, "went": 1}
    assert len(found.as_json()["changes"]) == 17
    assert found
    same = compare(old_and_new()[0], old_and_new()[0])
    assert not same
    assert str(same) == "No drift."


def test_only_some_types_count() -> None:
    found = compare(*old_and_new(), within={"n.state"})
    assert {each.path for each in found.changes} == {"n.state/idle", "n.state/off"}


def test_what_comes_to_a_partial_type_is_none() -> None:
    found = compare(*old_and_new(), within={"n.thing"}, partial={"n.thing"})
    paths = {each.path for each in found.changes}
    assert "n.thing/weight" not in paths
    assert "n.thing/size" in paths


@given(models())
def test_a_model_does_not_drift_from_itself(model: Model) -> None:
    again = notation.parse([("n", notation_writer.write(model))])
    assert compare(model, again).changes == ()


@given(models(), models())
def test_what_came_one_way_went_the_other_way(old: Model, new: Model) -> None:
    forth, back = compare(old, new), compare(new, old)
    turned = {"came": "went", "went": "came", "changed": "changed"}
    assert {(each.difference, each.kind, each.path) for each in forth.changes} == {
        (turned[each.difference], each.kind, each.path) for each in back.changes
    }
    assert bool(forth) == bool(back)


def test_the_bundled_metadata_does_not_drift_from_its_csdl() -> None:
    for root in roots.DECLARED:
        written = csdl_writer.write(roots.declared(root)).encode()
        assert drift.bundled_drift(root, csdl.parse([(root, written)])).changes == ()


def test_what_hangs_below_security_counts_and_nothing_else() -> None:
    given_text = """
namespace microsoft.graph.security
complex fresh
  name: String
complex elsewhere
  name: String
namespace microsoft.graph
entity user : directoryObject open
  department: String
entity security
  contains fresh: microsoft.graph.security.incident[]
namespace microsoft.graph.security
entity incident
  fresh: fresh
"""
    newer = roots.declared("v1.0").with_layer(notation.parse([("newer", given_text)]))
    came = {
        each.path
        for each in drift.bundled_drift("v1.0", newer).changes
        if each.difference == "came"
    }
    assert came == {
        "microsoft.graph.security/fresh",
        "microsoft.graph.security.incident/fresh",
        "microsoft.graph.security.fresh",
    }


# The part of a model that hangs below a type

REACH = """
namespace n
enum e
  x 0
entity entity
  key id
  id: String not null
entity a : entity
  links b: b[]
entity b : entity
  part: c
complex c
complex d : c
  e: e
entity alone : entity
complex result
complex given
action act on b
  given: given[]
  => result
"""


def test_what_can_be_reached() -> None:
    model = notation.parse([("reach", REACH)])
    names = {"a", "entity", "b", "c", "d", "e", "result", "given"}
    assert set(reachable(model, ["n.a"])) == {f"n.{name}" for name in names}
    assert set(reachable(model, ["n.a"], without=["n.b"])) == {"n.a", "n.b", "n.entity"}
    assert set(reachable(model, ["n.gone"])) == set()


def test_a_part_of_a_model() -> None:
    model = notation.parse([("reach", REACH)])
    of_b = part(model, ["n.b"])
    assert list(of_b.type_names()) == ["n.b"]
    assert of_b.operations("n.act") == model.operations("n.act")
    assert list(part(model, ["n.a"]).schemas["n"].operations) == []
