"""Annotations as rules: where they are looked for, and what the bundled ones say."""

from __future__ import annotations

from datetime import date

import pytest

from mockgraph.metadata import notation, roots
from mockgraph.metadata.capabilities import FilterRules, InsertRules, PageRules, RuleBook
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.schemas import Schemas
from mockgraph.metadata.vocabulary import (
    Permission,
    Revision,
    default_of,
    deprecated,
    is_computed,
    is_immutable,
    permissions,
    read_only,
    revisions,
    texts,
)

SECURITY = "microsoft.graph.security"

PLACES = """
using Core = Org.OData.Core.V1
using Capabilities = Org.OData.Capabilities.V1
using MockGraph = MockGraph.V1

namespace n

entity base
  key id
  id: String not null
    @Core.Computed
  code: String
    @Core.Immutable: true
  seen: String
    @Core.Permissions: Core.Permission'Read'
  free: String
    @Core.Computed: false
  @Capabilities.TopSupported: false
  @Capabilities.SkipSupported: false
  @Capabilities.CountRestrictions: {Countable: false}

entity thing : base
  @Capabilities.SkipSupported: true
  @Core.AlternateKeys: [
    {Key: [{Name: code, Alias: "c"}, {Name: seen}]},
  ]

entity owner
  key id
  id: String not null
  contains things: thing[]
    @Capabilities.SearchRestrictions: {Searchable: false}
  contains others: thing[]
  @Capabilities.NavigationRestrictions: {
    RestrictedProperties: [
      {
        NavigationProperty: NavigationPropertyPath(others),
        InsertRestrictions: {Insertable: false},
        TopSupported: true,
        FilterRestrictions: {
          Filterable: true,
          RequiresFilter: true,
          RequiredProperties: [id],
          NonFilterableProperties: [code, seen],
          MaxLevels: -1,
        },
      },
    ],
  }

entity heir : owner

container Service
  singleton owner: owner
  set things: thing
    @MockGraph.MaxTop: 7
    @MockGraph.DefaultOrder: "code desc"
    @Capabilities.SortRestrictions: {Sortable: true, NonSortableProperties: [seen]}

annotate n.Service/owner/others
  @Capabilities.InsertRestrictions: {Insertable: true, RequiredProperties: [code]}

annotate n.owner/things
  @MockGraph.MaxSkip: 3
"""


def book() -> tuple[RuleBook, Model]:
    model = notation.parse([("places.edm", PLACES)])
    return RuleBook(model), model


def test_what_a_type_says_holds_where_nothing_nearer_does() -> None:
    rules, _ = book()
    said = rules.rules("n.thing")
    assert said.page == PageRules(top_supported=False, skip_supported=True)
    assert not said.count.countable
    assert said.search.searchable
    assert said.insert == InsertRules()


def test_what_a_navigation_property_says() -> None:
    rules, _ = book()
    for owner in ("n.owner", "n.heir"):
        said = rules.rules("n.thing", owner, "things")
        assert not said.search.searchable
        assert said.page == PageRules(top_supported=False, skip_supported=True, max_skip=3)


def test_what_an_owner_says_of_navigation() -> None:
    rules, _ = book()
    said = rules.rules("n.thing", "n.heir", "others")
    assert not said.insert.insertable
    assert said.page.top_supported
    assert said.filter == FilterRules(True, True, ("id",), ("code", "seen"))


def test_what_is_said_at_a_path_is_nearest() -> None:
    rules, _ = book()
    said = rules.rules("n.thing", "n.owner", "others", "n.Service/owner/others")
    assert said.insert == InsertRules(required=("code",))
    assert said.filter.requires_filter


def test_what_a_set_says() -> None:
    rules, _ = book()
    said = rules.rules("n.thing", "n.Service", "things", "n.Service/things")
    assert said.page == PageRules(False, True, 7, None, "code desc")
    assert said.sort.non_sortable == ("seen",)


def test_what_is_said_of_properties() -> None:
    _, model = book()
    said = {name: each.annotations for name, each in model.properties("n.base").items()}
    assert [name for name, each in said.items() if is_computed(each)] == ["id"]
    assert [name for name, each in said.items() if is_immutable(each)] == ["code"]
    assert [name for name, each in said.items() if read_only(each)] == ["seen"]


def test_permissions_and_defaults() -> None:
    text = """
using Core = Org.OData.Core.V1
namespace n
action a
  x: String
    @Core.OptionalParameter: {DefaultValue: "5"}
  y: String optional
annotate n.a
  @Core.X: [{SchemeName: "s", Scopes: [{Scope: "A"}, {Scope: "B"}]}, {Scopes: []}]
"""
    model = notation.parse([("x.edm", text)])
    (operation,) = model.operations("n.a")
    assert [each.optional for each in operation.parameters] == [True, True]
    assert [default_of(each.annotations) for each in operation.parameters] == ["5", None]
    (said,) = model.annotations("n.a")
    assert permissions(said.value) == (Permission("s", ("A", "B")), Permission("", ()))
    assert texts(None) == ()
    assert texts("one") == ("one",)


def test_legacy_alerts_are_deprecated() -> None:
    model = roots.served("v1.0")
    said = model.annotations("microsoft.graph.alert")
    assert revisions(said) == (
        Revision("Deprecated", "2024-01/Deprecation", None, date(2024, 4, 10), date(2026, 4, 10)),
    )
    assert deprecated(said) == revisions(said)[0]
    assert deprecated(model.annotations("microsoft.graph.security.incident")) is None


def test_the_rules_of_the_live_service() -> None:
    rules = RuleBook(roots.served("v1.0"))
    alerts = rules.rules("microsoft.graph.alert", SECURITY, "alerts")
    assert (alerts.page.max_top, alerts.page.max_skip, alerts.update.answers) == (1000, 500, 204)
    assert alerts.update.required == ("vendorInformation/provider", "vendorInformation/vendor")
    assert alerts.update.updatable_properties is not None
    assert set(alerts.update.updatable_properties) == {
        "assignedTo",
        "closedDateTime",
        "comments",
        "feedback",
        "status",
        "tags",
    }
    assert [each.scopes for each in alerts.update.permissions] == [
        ("SecurityEvents.ReadWrite.All",)
    ]
    new = rules.rules("microsoft.graph.security.alert", SECURITY, "alerts_v2")
    assert (new.insert.insertable, new.delete.deletable, new.update.updatable) == (
        False,
        False,
        True,
    )
    assert new.page.default_order == "createdDateTime desc"
    incidents = rules.rules("microsoft.graph.security.incident", SECURITY, "incidents")
    assert incidents.page.max_top == 50
    queries = rules.rules(
        "microsoft.graph.security.auditLogQuery",
        "microsoft.graph.security.auditCoreRoot",
        "queries",
    )
    assert (queries.update.updatable, queries.insert.insertable) == (False, True)
    assert rules.rules("microsoft.graph.alert", SECURITY, "alerts") is alerts


def test_the_documented_service_has_no_such_rules() -> None:
    rules = RuleBook(roots.served("localtest"))
    assert rules.rules("microsoft.graph.alert", SECURITY, "alerts").page == PageRules()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('{Property: "status", Value: "closed"}', ("status", "closed")),
        ('{Property: "status"}', None),
        ('"closed"', None),
    ],
)
def test_of_what_a_property_tells_the_time(value: str, told: tuple[str, str] | None) -> None:
    text = (
        "namespace x\n\nentity thing\n  key id\n  id: String not null\n  status: String\n"
        f"  closed: DateTimeOffset\n    @MockGraph.V1.TimeOf: {value}\n"
    )
    schema = Schemas(notation.parse([("x", text)]))["x.thing"]
    assert schema.properties()["closed"].time_of == told
