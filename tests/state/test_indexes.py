"""Indexes: never a different answer, only fewer entities looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter
from mockgraph.odata.orderby import compile_orderby
from mockgraph.service import SERVICE
from mockgraph.state import indexes, persistent_maps
from mockgraph.state.entities import Entity
from mockgraph.state.indexes import Equality, Indexes, path_key
from mockgraph.state.snapshots import Rows
from mockgraph.state.storage import EntityStorage

Json = Any

ALERTS = "/localtest/Security/alerts"
ALERT = SERVICE.stored.schemas["microsoft.graph.alert"]


@pytest.fixture(autouse=True, scope="module")
def _at_once() -> Iterator[None]:
    """Have an index for each query, however small the table, and many chunks in a table."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(indexes, "_FROM", 0)
        patched.setattr(indexes, "_ASKED", 1)
        patched.setattr(indexes, "_MOST", {"equal": 99, "sorted": 99, "part": 99, "texts": 2})
        patched.setattr(persistent_maps, "_MOST", 4)
        yield


# -- the same answers ---------------------------------------------------------------------

FILTERS = [
    "title eq 'a'",
    "title eq 'A'",
    "'a' eq title",
    "$it/title eq ''",
    "title eq null",
    "severity eq 'high'",
    "severity eq 'HIGH'",
    "severity eq microsoft.graph.alertSeverity'low'",
    "confidence eq 1",
    "confidence eq 1.0",
    "vendorInformation/provider eq 'p'",
    "vendorInformation/provider eq null",
    "eventDateTime eq 2024-05-01T12:00:00Z",
    "own eq 1",
    "own eq 1.0",
    "own eq 0",
    "own eq true",
    "own eq false",
    "own eq '1'",
    "own eq null",
    "own/in eq 'p'",
    "title eq 'a' and severity eq 'high'",
    "title eq 'a' and own eq 1 and confidence ne 1",
    "title eq 'a' or own eq 1",
    "not (title eq 'a')",
    "title eq 'a' and title eq 'b'",
    "confidence eq null",
    "severity eq null",
    "eventDateTime eq null",
    "vendorInformation eq null",
    "own/in eq null",
    "own/in/deep eq null",
    "missing eq null",
    "title eq null and own eq null",
    "title eq null or title eq 'a'",
    "title eq null or own eq null",
    "title in ('a')",
    "title in ('a','A','a')",
    "title in ('a',null)",
    "severity in ('high','LOW')",
    "confidence in (0,1)",
    "own in (1,true,'a')",
    "own in (0,false)",
    "own/in in ('p','q') and title in ('a','b')",
    "tags/$count in (1,2)",
    "eventDateTime in (2024-05-01T12:00:00Z)",
    "eventDateTime gt 2024-05-01T12:00:00Z",
    "eventDateTime ge 2024-05-01 and eventDateTime le 2024-05-01T12:00:00Z",
    "eventDateTime lt 2024-05-01T12:00:00.5Z and confidence lt 1",
    "confidence ge 0.5",
    "0 le confidence",
    "severity gt 'low'",
    "severity le 'high' or title eq 'a'",
    "title ge 'a' and title lt 'b'",
    "title gt null",
    "own gt 0",
    "confidence ge 1 and confidence lt 1",
    "title eq 'a' or title eq 'b'",
    "title eq 'a' or title in ('b','A') or 'a' eq title",
    "title eq 'a' and own eq 1 or title eq 'b' and confidence eq 1",
    "severity eq 'high' or severity eq null",
    "(title eq 'a' or title eq 'b') and (own eq 1 or own eq '1')",
    "not (title in ('a','b'))",
    "tags/$count eq 1",
    "tags/any(t: t eq 'x')",
]
compiled = [compile_filter(text, Scope(ALERT)) for text in FILTERS]
texts = st.sampled_from(["a", "A", "b", ""])
alerts = st.fixed_dictionaries(
    {
        "title": st.none() | texts,
        "severity": st.sampled_from([None, "high", "low", "unknown"]),
        "confidence": st.sampled_from([None, 0, 1]),
        "vendorInformation": st.none()
        | st.fixed_dictionaries({"provider": st.sampled_from([None, "p", "q"])}),
        "eventDateTime": st.sampled_from(
            [None, "2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00"]
        ),
        "tags": st.lists(st.just("x"), max_size=2),
    },
    optional={
        "own": st.sampled_from(
            [None, 0, 1, 1.0, 2**60, True, False, "1", "a", [1], [], {}, {"in": "p"}, {"in": [1]}]
        )
    },
)
keys = st.sampled_from([f"k{n}" for n in range(30)])
writes = st.dictionaries(keys, st.none() | alerts, min_size=1, max_size=4)
# Write, keep a snapshot, or go back to one that was kept.
steps = st.lists(writes | st.sampled_from(["keep", 0, 1, 2]), min_size=1, max_size=25)


def states(start: Json, steps: list[Json]) -> Iterator[Rows]:
    """The rows after each step."""
    storage = EntityStorage()
    storage.restore(storage.stamped({"alerts": start}))
    kept = [storage.now]
    for step in steps:
        if step == "keep":
            kept.append(storage.now)
        elif isinstance(step, int):
            storage.restore(kept[step % len(kept)])
        else:
            storage.put({"alerts": step})
        yield storage.now.rows("alerts")


@given(st.dictionaries(keys, alerts), steps)
def test_an_index_never_changes_an_answer(start: Json, steps: list[Json]) -> None:
    for rows in states(start, steps):
        for text, each in zip(FILTERS, compiled, strict=True):
            narrowed = rows.narrowed(each.conditions)
            left = list(rows.in_order if narrowed is None else narrowed.after())
            found = [entity for entity in left if each.matches(entity)]
            assert found == [entity for entity in rows.in_order if each.matches(entity)], text
            assert narrowed is None or not each.exact or found == left


ORDERS = [
    compile_orderby(text, Scope(ALERT))
    for text in (
        "title",
        "title desc",
        "severity,own",
        "eventDateTime desc,confidence desc",
        "own",
        "title desc,own",
        "severity,title desc,confidence,eventDateTime desc",
        "own desc,title",
    )
]


@given(st.dictionaries(keys, alerts), steps)
def test_the_keys_in_an_order_are_those_of_a_sort(start: Json, steps: list[Json]) -> None:
    for rows in states(start, steps):
        for order in ORDERS:
            found = rows.sorted_by(order)
            assert found is not None
            expected = order.sort(rows.in_order)
            assert [*found.walk()] == expected
            assert len(found) == len(expected)
            for number, entity in enumerate(expected):
                assert found.find(entity.number) is entity
                assert [*found.walk(after=entity)] == expected[number + 1 :]


@pytest.mark.parametrize("text", ["tolower(title)", "tags/$count", "title,length(title) desc"])
def test_an_order_of_more_than_properties_is_not_kept(text: str) -> None:
    assert Rows().sorted_by(compile_orderby(text, Scope(ALERT))) is None


def test_ordered_pages_go_on_while_others_write(client: FlaskClient) -> None:
    alerts = [{"id": f"k{n}", "title": f"{n % 7}"} for n in range(50)]
    client.put("/_mockgraph/state", json={"Security": {"alerts": alerts}})
    url = f"{ALERTS}?$orderby=title desc&$top=9&$skip=2&$count=true&$select=id"
    shown: list[str] = []
    while url:
        body: Json = client.get(url).json
        assert body["@odata.count"] == 50
        shown += [each["id"] for each in body["value"]]
        url = body.get("@odata.nextLink", "")
        client.patch(f"{ALERTS}/{shown[0]}", json={"title": "0"})
        client.post(ALERTS, json={"id": f"new{len(shown)}", "title": "3"})
    in_order = sorted(alerts, key=lambda each: each["title"], reverse=True)
    assert shown == [each["id"] for each in in_order][2:]


def test_forks_share_indexes_and_nothing_else(make_client: Any) -> None:
    client: FlaskClient = make_client(
        seed=({"Security": {"alerts": [{"id": f"a{n}", "title": f"{n % 3}"} for n in range(20)]}},)
    )

    def titled(title: str, root: str = "") -> list[str]:
        answer = client.get(f"{root}{ALERTS}?$filter=title eq '{title}'").json
        assert answer is not None
        counted = client.get(f"{root}{ALERTS}/$count?$filter=title eq '{title}'").text
        assert counted == str(len(answer["value"]))
        return [each["id"] for each in answer["value"]]

    before = titled("1")
    assert before == [f"a{n}" for n in range(1, 20, 3)]
    client.patch(f"/t/one{ALERTS}/a0", json={"title": "1"})
    client.delete(f"/t/two{ALERTS}/a1")
    client.post(ALERTS, json={"id": "new", "title": "1"})
    assert titled("1", "/t/one") == ["a0", *before]
    assert titled("1", "/t/two") == before[1:]
    assert titled("1") == [*before, "new"]
    client.post("/_mockgraph/reset")
    assert titled("1") == before


def test_navigation_by_an_index(client: FlaskClient) -> None:
    """Which alerts belong to an incident is looked up, and changes with them."""
    related = [{"id": f"a{n}", "incidentId": "two" if n % 2 else None} for n in range(9)]
    incidents = [{"id": "one"}, {"id": "two"}]
    document = {"Security": {"incidents": incidents, "alerts_v2": related}}
    assert client.put("/_mockgraph/state", json=document).status_code == 204

    def alerts(incident: str) -> list[str]:
        answer: Json = client.get(f"/v1.0/security/incidents/{incident}/alerts").json
        expanded: Json = client.get(f"/v1.0/security/incidents/{incident}?$expand=alerts").json
        ids = [each["id"] for each in answer["value"]]
        assert [each["id"] for each in expanded["alerts"]] == ids
        return ids

    assert (alerts("one"), alerts("two")) == ([], ["a1", "a3", "a5", "a7"])
    related[3]["incidentId"] = "one"
    client.put("/_mockgraph/state", json=document)
    assert (alerts("one"), alerts("two")) == (["a3"], ["a1", "a5", "a7"])


@pytest.mark.parametrize("value", ["1.5", "2", "2.0", "INF", "-INF", "NaN", "null"])
def test_doubles_have_words_among_them(client: FlaskClient, value: str) -> None:
    scores = [{"currentScore": each} for each in (1.5, 2, 2.0, "INF", "-INF", "NaN", None)]
    client.put("/_mockgraph/state", json={"Security": {"secureScores": scores}})
    answer = client.get(f"/v1.0/security/secureScores?$filter=currentScore eq {value}").json
    assert answer is not None
    shown = [json.dumps(each["currentScore"]).strip('"') for each in answer["value"]]
    assert shown == {"2": ["2", "2.0"], "2.0": ["2", "2.0"], "NaN": []}.get(value, [value])


# -- less to look at ----------------------------------------------------------------------


def entities(values: Sequence[Json]) -> list[Entity]:
    return [Entity({"n": value}, f"k{n}", n, n) for n, value in enumerate(values)]


def equality(name: str, *values: Json) -> Equality:
    return Equality(path_key((name,)), values)


def test_an_index_leaves_only_what_is_equal() -> None:
    rows = Rows(entities([n % 5 for n in range(100)]))
    for version in (rows, rows.changed({"k0": None, "k7": entities([0] * 8)[7]})):
        found = list(version.having(equality("n", 2)))
        assert found == [entity for entity in version.in_order if entity["n"] == 2]
        assert list(version.having(equality("n", 7))) == []
        assert version.having(equality("n", 2), equality("m", 1)) is not version.in_order


def test_the_narrowest_of_several_indexes_counts() -> None:
    values = [{"wide": n % 2, "narrow": n} for n in range(50)]
    rows = Rows(Entity(value, f"k{n}", n, n) for n, value in enumerate(values))
    equalities = [equality("wide", 1), equality("narrow", 3)]
    for order in (equalities, equalities[::-1]):
        assert [entity.key for entity in rows.having(*order)] == ["k3"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("own in (3,7)", 2),
        ("own eq 3 or own eq 7 or own in (9,3)", 3),
        ("own in (3,7) and title eq 'even'", 2),
        ("own in (3,7) or title eq 'even'", None),
        ("title in ('even','odd')", 100),
        ("own in (3,1000)", 1),
        ("own in (1000,1001)", 0),
        ("own eq null", 0),
        ("own in (3,null)", 1),
        ("missing eq null", 100),
    ],
)
def test_several_values_are_looked_up_too(text: str, left: int | None) -> None:
    values = [{"own": n, "title": "odd" if n % 2 else "even"} for n in range(100)]
    rows = Rows(Entity(value, f"k{n}", n, n) for n, value in enumerate(values))
    narrowed = rows.narrowed(compile_filter(text, Scope(ALERT)).conditions)
    assert (None if narrowed is None else narrowed.size) == left


def test_small_tables_and_rare_questions_get_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "_FROM", 10)
    monkeypatch.setattr(indexes, "_ASKED", 2)
    small, large = Rows(entities(range(9))), Rows(entities(range(10)))
    for _ in range(3):
        assert small.having(equality("n", 1)) is small.in_order
    assert large.having(equality("n", 1)) is large.in_order
    assert len(list(large.having(equality("n", 1)))) == 1


def test_indexes_are_few_and_those_asked_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(indexes._MOST, "equal", 2)
    monkeypatch.setattr(indexes, "_MOST_COUNTED", 4)
    rows = Rows(entities(range(20)))

    def is_indexed(path: str) -> bool:
        return rows.having(equality(path, 1)) is not rows.in_order

    assert [is_indexed("a"), is_indexed("b"), is_indexed("b"), is_indexed("b")] == [True] * 4
    assert not is_indexed("c")
    assert is_indexed("c")  # as often as twice the one that is asked least
    assert [is_indexed("a"), is_indexed("b"), is_indexed("c")] == [False, True, True]
    for path in "def":
        assert not is_indexed(path)
    assert [is_indexed("b"), is_indexed("c")] == [True, True]


def test_an_index_that_nobody_asks_any_more_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "_AGED", 8)
    made = Indexes()
    some = Rows(entities(range(20))).in_order
    for _ in range(4):
        made.equal(some, path_key(("old",)))
        made.sorted(some, path_key(("n",)))
    assert len(made._made) == 2
    for _ in range(40):
        made.equal(some, path_key(("new",)))
    assert [*made._made] == [("equal", ("new",))]


def test_names_made_up_by_the_thousand_are_not_all_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexes, "_MOST", {"equal": 8, "sorted": 4})
    made = Indexes()
    some = Rows(entities(range(20))).in_order
    for n in range(3000):
        made.narrow(some, [equality(f"made{n}", 1)])
        made.sorted(some, path_key((f"made{n}",)), now=True)
    assert len(made._asked) <= 256
    assert len(made._made) <= 12


def test_many_may_ask_at_once() -> None:
    every = Rows(entities([n % 7 for n in range(500)]))
    versions = [every]
    for n in range(40):
        versions.append(versions[-1].changed({f"k{n}": None}))

    def ask(n: int) -> bool:
        version, value = versions[n % len(versions)], n % 7
        found = [each for each in version.having(equality("n", value)) if each["n"] == value]
        return found == [each for each in version.in_order if each["n"] == value]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(800)))


def test_who_asks_while_an_index_is_made_searches() -> None:
    made = Indexes()
    some = Rows(entities(range(20))).in_order
    with made._making:
        assert made.narrow(some, [equality("n", 1)]) is None
    narrowed = made.narrow(some, [equality("n", 1)])
    assert narrowed is not None
    assert narrowed.size == 1
