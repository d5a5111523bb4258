"""The bound actions against a state of plain dicts."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, Conflict, GraphError, NotFound
from mockgraph.metadata.elements import Operation, TypeRef
from mockgraph.metadata.resources import Resource
from mockgraph.service import BEHAVIOURS, SERVICE
from mockgraph.service.bulk import RESULT_INFO
from mockgraph.state.behaviours import Invocation, Result

Json = Any
ALERTS = "security/alerts"
BETA = SERVICE.views["beta"]


def bound_actions() -> dict[str, tuple[Resource, Operation]]:
    """The actions of the documented service by their short names, with the sets that have them."""
    found = {}
    for each in SERVICE.views["localtest"].children["security"].children().values():
        for many in (True, False):
            bound = each.view.model.bound_operations(TypeRef(each.type_name, many))
            for name, (operation,) in bound.items():
                found[name.rpartition(".")[2]] = (each, operation)
    return found


ACTIONS = bound_actions()


class Memory:
    """A Transaction over dicts: whole entities in, copies out."""

    def __init__(self) -> None:
        self.sets: dict[str, dict[str, dict[str, Json]]] = {}
        self.made = 0

    def add(self, table: str, **properties: Json) -> str:
        """An entity that was there before the action; gives its key."""
        key: str = self.make(table, edm.load(self._schema(table), properties))["id"]
        return key

    def now(self) -> str:
        return "2026-11-24T12:00:00.000000Z"

    def get(self, table: str, key: str) -> Mapping[str, Json] | None:
        return copy.deepcopy(self._set(table).get(key))

    def having(
        self, table: str, name: str, values: Collection[Json]
    ) -> Iterable[Mapping[str, Json]]:
        return [each for each in self._set(table).values() if each[name] in values]

    def make(self, table: str, properties: Mapping[str, Json]) -> Mapping[str, Json]:
        self.made += 1
        key = properties["id"] or f"made-{self.made}"
        assert key not in self._set(table)
        assert list(properties)[: len(self._schema(table).properties())] == list(
            self._schema(table).properties()
        )
        self._set(table)[key] = {**copy.deepcopy(dict(properties)), "id": key}
        return copy.deepcopy(self._set(table)[key])

    def update(self, table: str, key: str, changes: Mapping[str, Json]) -> Mapping[str, Json]:
        return self.change(table, self._set(table)[key], changes)

    def change(
        self, table: str, before: Mapping[str, Json], changes: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        assert "id" not in changes
        after = edm.merge(self._schema(table), before, copy.deepcopy(dict(changes)))
        self._set(table)[before["id"]] = after
        return copy.deepcopy(after)

    def delete(self, table: str, key: str) -> None:
        del self._set(table)[key]

    def _set(self, table: str) -> dict[str, dict[str, Json]]:
        return self.sets.setdefault(table, {})

    def _schema(self, table: str) -> Any:
        resource = SERVICE.stored.resource(table)
        assert resource is not None
        return resource.type


def parameters(name: str) -> Any:
    operation = ACTIONS[name][1]
    changes = BEHAVIOURS[operation.name].changes
    return BETA.schemas.parameters(operation, changes=changes)


def act(memory: Any, name: str, value: Json = None, key: str | None = None) -> Result:
    """Do an action as the line does it: load its parameters, then let it work."""
    resource, operation = ACTIONS[name]
    schema = parameters(name)
    sent = edm.load(schema, {"value": value}) if schema.properties() else {}
    call = Invocation(operation.name, sent, resource, key)
    result = BEHAVIOURS[operation.name].effect(memory, call)
    return result if isinstance(result, Result) else Result(result)


def codes(result: Result) -> list[int]:
    """The codes of an answer of ResultInfos, once they have the shape of the type."""
    declared = {"code", "subcode", "message"}
    assert set(BETA.schemas[RESULT_INFO].properties()) == declared
    assert all(set(each) == declared for each in result.value)
    assert all(each["subcode"] == 0 for each in result.value)
    assert all(bool(each["message"]) == bool(each["code"]) for each in result.value)
    return [each["code"] for each in result.value]


@pytest.fixture
def memory() -> Memory:
    return Memory()


# -- what all bulk actions share --------------------------------------------------------

BULK = [name for name, (_, action) in ACTIONS.items() if action.parameters[0].type.collection]


@pytest.mark.parametrize("name", BULK)
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'value' is missing"),
        ({"value": None}, "cannot be null"),
        ({"value": {}}, "Cannot convert an object"),
        ({"value": [None]}, "value/0: An item of a collection cannot be null"),
        ({"value": [1]}, "value/0: Cannot convert 1"),
        ({"value": [], "values": []}, "'values' does not exist"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(name: str, body: Json, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        edm.load(parameters(name), body)


@pytest.mark.parametrize("name", BULK)
def test_nothing_to_do_is_done(memory: Memory, name: str) -> None:
    assert act(memory, name, []) == Result([], 200)


@pytest.mark.parametrize("name", ["updateAlerts", "updateTiIndicators"])
@pytest.mark.parametrize("second", [{}, {"id": None}, {"id": ""}])
def test_a_change_without_an_id_changes_nothing_at_all(
    memory: Memory, name: str, second: Json
) -> None:
    table = ACTIONS[name][0].path
    key = memory.add(table, tags=["before"])
    with pytest.raises(BadRequest, match=r"^value/1/id: "):
        act(memory, name, [{"id": key, "tags": ["after"]}, second])
    assert memory.sets[table][key]["tags"] == ["before"]


# -- updateAlerts -----------------------------------------------------------------------


def test_update_alerts_changes_what_was_sent(memory: Memory) -> None:
    first = memory.add(ALERTS, title="one", status="newAlert", comments=["seen"], extra=1)
    second = memory.add(ALERTS, title="two", vendorInformation={"provider": "P", "vendor": "V"})
    result = act(
        memory,
        "updateAlerts",
        [
            {"id": second, "vendorInformation": {"vendor": "W"}, "feedback": "truePositive"},
            {"id": first, "status": "resolved", "comments": [], "extra": 2},
        ],
    )
    assert result == Result([memory.get(ALERTS, second), memory.get(ALERTS, first)], 200)
    changed, other = result.value[1], result.value[0]
    assert (changed["title"], changed["status"], changed["extra"]) == ("one", "resolved", 2)
    assert changed["comments"] == []
    assert other["vendorInformation"] == {
        "provider": "P", "providerVersion": None, "subProvider": None, "vendor": "W"
    }  # fmt: skip
    assert other["feedback"] == "truePositive"


def test_update_alerts_answers_206_with_what_worked(memory: Memory) -> None:
    key = memory.add(ALERTS, status="newAlert")
    result = act(
        memory,
        "updateAlerts",
        [{"id": "nobody", "status": "resolved"}, {"id": key, "status": "inProgress"}],
    )
    assert result == Result([memory.get(ALERTS, key)], 206)
    assert result.value[0]["status"] == "inProgress"
    assert set(memory.sets[ALERTS]) == {key}


def test_update_alerts_of_none_that_exists_is_not_found(memory: Memory) -> None:
    with pytest.raises(NotFound):
        act(memory, "updateAlerts", [{"id": "nobody", "status": "resolved"}])


# -- submitTiIndicators and updateTiIndicators ------------------------------------------


def test_submit_creates_each_indicator(memory: Memory) -> None:
    result = act(
        memory,
        "submitTiIndicators",
        [{"action": "alert", "targetProduct": "Azure Sentinel"}, {"id": "mine", "extra": [1]}],
    )
    assert result.status == 200
    assert result.returns is None
    assert result.value == list(memory.sets["security/tiIndicators"].values())
    assert result.value[0]["action"] == "alert"
    assert result.value[1]["id"] == "mine"
    assert result.value[1]["extra"] == [1]


def test_submit_answers_206_with_a_result_for_each(memory: Memory) -> None:
    memory.add("security/tiIndicators", id="taken", description="before")
    result = act(
        memory,
        "submitTiIndicators",
        [{"id": "taken", "description": "after"}, {"id": "free"}, {"id": "free"}],
    )
    assert (result.status, result.returns) == (206, RESULT_INFO)
    assert codes(result) == [409, 0, 409]
    assert set(memory.sets["security/tiIndicators"]) == {"taken", "free"}
    assert memory.sets["security/tiIndicators"]["taken"]["description"] == "before"


@pytest.mark.parametrize(("count", "fits"), [(100, True), (101, False)])
def test_submit_takes_a_hundred(memory: Memory, count: int, fits: bool) -> None:
    if fits:
        assert len(act(memory, "submitTiIndicators", [{}] * count).value) == count
    else:
        with pytest.raises(BadRequest, match="At most 100"):
            act(memory, "submitTiIndicators", [{}] * count)
    assert len(memory.sets.get("security/tiIndicators", {})) == (count if fits else 0)


def test_update_indicators_changes_what_was_sent(memory: Memory) -> None:
    key = memory.add("security/tiIndicators", confidence=5, description="before", tags=["a"])
    result = act(memory, "updateTiIndicators", [{"id": key, "confidence": None, "tags": ["b"]}])
    assert result == Result([memory.get("security/tiIndicators", key)], 200)
    [changed] = result.value
    assert (changed["confidence"], changed["description"]) == (None, "before")
    assert changed["tags"] == ["b"]


def test_update_indicators_answers_206_with_a_result_for_each(memory: Memory) -> None:
    key = memory.add("security/tiIndicators", confidence=5)
    result = act(
        memory,
        "updateTiIndicators",
        [{"id": "nobody", "confidence": 1}, {"id": key, "confidence": 6}],
    )
    assert (result.status, result.returns) == (206, RESULT_INFO)
    assert codes(result) == [404, 0]
    assert "nobody" in result.value[0]["message"]
    assert memory.sets["security/tiIndicators"][key]["confidence"] == 6
    assert set(memory.sets["security/tiIndicators"]) == {key}


# -- deleteTiIndicators and deleteTiIndicatorsByExternalId ------------------------------

KEYS = st.lists(st.sampled_from("abcdef"), max_size=8)


@given(stored=st.sets(st.sampled_from("abcdef")), asked=KEYS)
def test_delete_deletes_what_is_there_and_says_what_is_not(
    stored: set[str], asked: list[str]
) -> None:
    memory = Memory()
    for key in stored:
        memory.add("security/tiIndicators", id=key)
    result = act(memory, "deleteTiIndicators", asked)
    there = [key in stored and key not in asked[:at] for at, key in enumerate(asked)]
    assert codes(result) == [0 if each else 404 for each in there]
    assert result.status == (200 if all(there) else 206)
    assert set(memory.sets.get("security/tiIndicators", {})) == stored - set(asked)


@given(stored=st.lists(st.none() | st.sampled_from("abc"), max_size=8), asked=KEYS)
def test_delete_by_external_id_deletes_all_that_carry_it(
    stored: list[str | None], asked: list[str]
) -> None:
    memory = Memory()
    for external_id in stored:
        memory.add("security/tiIndicators", externalId=external_id)
    result = act(memory, "deleteTiIndicatorsByExternalId", asked)
    there = [key in stored and key not in asked[:at] for at, key in enumerate(asked)]
    assert codes(result) == [0 if each else 404 for each in there]
    assert result.status == (200 if all(there) else 206)
    left = [each["externalId"] for each in memory.sets.get("security/tiIndicators", {}).values()]
    assert left == [each for each in stored if each not in asked]


# -- cancelSecurityAction ---------------------------------------------------------------


@pytest.mark.parametrize("status", [None, "NotStarted", "Running"])
def test_a_cancelled_action_has_failed_and_says_why(memory: Memory, status: str | None) -> None:
    past = {"status": "NotStarted", "user": "ada@contoso.com"}
    key = memory.add("security/securityActions", name="BlockIp", status=status, states=[past])
    assert act(memory, "cancelSecurityAction", key=key) == Result()
    action = memory.sets["security/securityActions"][key]
    assert action["name"] == "BlockIp"
    assert action["status"] == "Failed"
    assert action["errorInfo"]["message"] == "The action was cancelled."
    assert action["errorInfo"]["code"] != 0
    assert action["completedDateTime"] is None
    first, last = action["states"]
    assert first["user"] == "ada@contoso.com"
    assert last["status"] == "Failed"
    assert last["updatedDateTime"] == action["lastActionDateTime"] is not None
    assert edm.load(ACTIONS["cancelSecurityAction"][0].type, action) == action


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_an_action_that_is_over_cannot_be_cancelled(memory: Memory, status: str) -> None:
    key = memory.add("security/securityActions", status=status)
    before = memory.get("security/securityActions", key)
    with pytest.raises(Conflict, match=status):
        act(memory, "cancelSecurityAction", key=key)
    assert memory.get("security/securityActions", key) == before


def test_an_action_is_cancelled_once(memory: Memory) -> None:
    key = memory.add("security/securityActions", status="Running")
    act(memory, "cancelSecurityAction", key=key)
    with pytest.raises(Conflict):
        act(memory, "cancelSecurityAction", key=key)
    assert len(memory.sets["security/securityActions"][key]["states"]) == 1


@pytest.mark.parametrize("key", ["nobody", None])
def test_an_unknown_action_cannot_be_cancelled(memory: Memory, key: str | None) -> None:
    with pytest.raises(GraphError) as refusal:
        act(memory, "cancelSecurityAction", key=key)
    assert refusal.value.status == 404
