"""Lists by indexes: what a plain walk over all entities finds, whatever way is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odata import Closed, closed
from odata.test_filter_oracle import Case, cases, entities, instants, moment_of
from odata.test_orderby import oracle, orders
from profiles import examples

from mockgraph.errors import BadRequest
from mockgraph.odata.options import read_options
from mockgraph.state import indexes, listing, persistent_maps
from mockgraph.state.entities import Entity
from mockgraph.state.listing import ListedEntities
from mockgraph.state.packing import Stored, unpacked
from mockgraph.state.paging import Pager, Slice
from mockgraph.state.query import Query
from mockgraph.state.snapshots import Rows
from mockgraph.state.storage import EntityStorage

Json = Any
TABLE = "things"
# What an index is held to cost: no way is left out for being slow.
FREE, DEAR = 0, 10**9


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an index for each query, however small the table, and many nodes in a table."""
    monkeypatch.setattr(indexes, "_FROM", 0)
    monkeypatch.setattr(indexes, "_ASKED", 1)
    monkeypatch.setattr(persistent_maps, "_MOST", 4)


@pytest.fixture(autouse=True)
def _costs() -> Iterator[None]:
    """Leave the costs as they were found."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("_PLACED", "_SORTED", "_GATHERED"):
            patched.setattr(listing, name, getattr(listing, name))
        patched.setattr(indexes, "_PART_FROM", indexes._PART_FROM)
        yield


costs = st.tuples(*3 * [st.sampled_from([FREE, DEAR, 3])], st.sampled_from([1, 5, DEAR]))


def charge(placed: int, sorted_: int, gathered: int, part_from: int) -> None:
    listing._PLACED, listing._SORTED, listing._GATHERED = placed, sorted_, gathered
    indexes._PART_FROM = part_from


# -- queries, and what they mean in plain Python ------------------------------------------

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(a == b),
    "gt": lambda a, b: bool(a > b),
    "ge": lambda a, b: bool(a >= b),
    "lt": lambda a, b: bool(a < b),
    "le": lambda a, b: bool(a <= b),
}


def compared(name: str, value: Callable[[Json], Any], text: str, wanted: Any) -> Any:
    """Strategy of the comparisons of a property with a constant, in both directions."""

    def case(operator: str, mirrored: str | None) -> Case:
        written = f"{text} {mirrored} {name}" if mirrored else f"{name} {operator} {text}"

        def meaning(entity: Json) -> bool:
            held = value(entity)
            return held is not None and OPERATORS[operator](held, wanted)

        return Case(written, meaning)

    mirrors = {"eq": "eq", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
    return st.sampled_from(list(OPERATORS)).flatmap(
        lambda each: st.sampled_from([case(each, None), case(each, mirrors[each])])
    )


def moment(entity: Json) -> Any:
    held = entity["createdDateTime"]
    return None if held is None else moment_of(held)


def score(entity: Json) -> Any:
    held = entity["score"]
    return None if held in (None, "NaN") else float(held)


# What indexes know, again and again: most conditions of the other oracle are of another kind.
indexed: st.SearchStrategy[Case] = st.one_of(
    instants().flatmap(lambda text: compared("createdDateTime", moment, text, moment_of(text))),
    st.integers(-3, 3).flatmap(
        lambda n: compared("confidence", lambda entity: entity["confidence"], str(n), n)
    ),
    st.sampled_from([-1.5, 0, 2, float("inf")]).flatmap(
        lambda n: compared("score", score, str(n).replace("inf", "INF"), n)
    ),
    st.sampled_from(["a", "B", ""]).flatmap(
        lambda text: compared("title", lambda entity: entity["title"], f"'{text}'", text)
    ),
)


def both(one: Case, other: Case) -> Case:
    return Case(
        f"({one.text}) and ({other.text})",
        lambda entity: one.meaning(entity) is True and other.meaning(entity) is True,
    )


filters = st.one_of(indexed, st.builds(both, indexed, indexed), st.builds(both, indexed, cases()))
words = st.sampled_from(["a", "B", "ab", "k1", "%"])


def texts_of(entity: Json) -> list[str]:
    vendor = entity["vendorInformation"] or {}
    found = [entity["id"], entity["title"], vendor.get("provider"), *entity["tags"]]
    return [each for each in (*found, *(host["fqdn"] for host in entity["hosts"])) if each]


class Asked(NamedTuple):
    """The options of a list, and what they mean."""

    condition: Case | None
    order: list[tuple[str, str]]
    word: str | None
    skip: int

    def pairs(self) -> list[tuple[str, str]]:
        pairs = [("$skip", str(self.skip)), ("$count", "true")]
        if self.condition is not None:
            pairs.append(("$filter", self.condition.text))
        if self.order:
            pairs.append(("$orderby", ",".join(name + way for name, way in self.order)))
        if self.word is not None:
            pairs.append(("$search", self.word))
        return pairs

    def query(self, token: str | None = None) -> Query:
        return read_options([*self.pairs(), *([("$skiptoken", token)] if token else [])], Closed)

    def found(self, rows: Rows) -> list[str]:
        """The keys in order, by the oracles."""
        matching = [each for each in rows.values() if self.holds(each)]
        return [each["id"] for each in sorted(matching, key=oracle(self.order))]

    def holds(self, entity: Json) -> bool:
        if self.condition is not None and self.condition.meaning(entity) is not True:
            return False
        word = self.word
        return word is None or any(word.lower() in each.lower() for each in texts_of(entity))


asked = st.builds(
    Asked, st.none() | filters, orders, st.none() | words, st.sampled_from([0, 0, 1, 7])
)
keys = st.sampled_from([f"k{n}" for n in range(30)])


def named(things: Mapping[str, Json | None]) -> dict[str, Json | None]:
    return {key: None if each is None else {**each, "id": key} for key, each in things.items()}


things = st.dictionaries(keys, entities, min_size=8).map(named)
writes = st.dictionaries(keys, st.none() | entities, min_size=1, max_size=4).map(named)


def stored(start: Json) -> EntityStorage:
    storage = EntityStorage()
    storage.restore(storage.stamped({TABLE: start}))
    return storage


def pages(
    storage: EntityStorage, pager: Pager, asked: Asked, size: int
) -> Iterator[tuple[list[str], int | None]]:
    """The keys of each page, and the number of all."""
    token = None
    while True:
        rows = storage.now.rows(TABLE)
        listed = ListedEntities(rows.in_order, asked.query(token), rows)
        cut = pager.page(listed, size, rows.find, lambda: str(asked.pairs()))
        yield [entity.key for entity in cut.entities], cut.total
        if cut.next is None:
            return
        token = cut.next


@settings(max_examples=examples(100))
@given(things, st.lists(writes, max_size=4), asked, costs, st.integers(1, 9), st.booleans())
def test_pages_are_those_of_the_oracle(
    start: Json,
    steps: list[Json],
    asked: Asked,
    cost: tuple[int, int, int, int],
    size: int,
    back: bool,
) -> None:
    charge(*cost)
    storage, pager = stored(start), Pager()
    first = storage.now
    for step in [{}, *steps, {}]:
        storage.put({TABLE: step})
        if back and step:
            storage.restore(first)
        rows = storage.now.rows(TABLE)
        expected = asked.found(rows)
        shown = list(pages(storage, pager, asked, size))
        assert [key for page, _ in shown for key in page] == expected[asked.skip :]
        assert {total for _, total in shown} <= {len(expected)}
        assert all(len(page) == size for page, _ in shown[:-1])
        listed = ListedEntities(rows.in_order, asked.query(), rows)
        assert listed.count() == len(expected)
        assert [each.key for each in listed.first(size)] == expected[:size]
        assert [each.key for each in listed.first(None)] == expected


@settings(max_examples=examples(100))
@given(things, st.lists(writes, min_size=1, max_size=6), asked, costs, st.integers(1, 4))
def test_ordered_walks_go_on_as_they_began(
    start: Json, steps: list[Json], asked: Asked, cost: tuple[int, int, int, int], size: int
) -> None:
    """Whatever is written meanwhile, and however often another walk begins."""
    charge(*cost)
    asked = asked._replace(order=asked.order or [("title", "")])
    storage, pager = stored(start), Pager()
    expected = asked.found(storage.now.rows(TABLE))[asked.skip :]
    shown: list[str] = []
    gone: set[str] = set()  # be they there again afterwards
    left = list(steps)
    for page, _ in pages(storage, pager, asked, size):
        shown += page
        if left:
            storage.put({TABLE: left.pop()})
            gone |= set(start) - set(storage.now.rows(TABLE))
            next(pages(storage, pager, asked, size))
    assert [key for key in shown if key not in gone] == [key for key in expected if key not in gone]
    assert set(shown) <= set(expected)


# -- the ways ------------------------------------------------------------------------------


class Looked(list[str]):
    """The keys of the entities that a filter looked at."""

    def noted(self, query: Query) -> Query:
        assert query.filter is not None
        matches = query.filter.matches

        def note(entity: Json) -> bool:
            self.append(entity["id"])
            return matches(entity)

        return query.__class__(
            query.filter._replace(matches=note), query.orderby, top=query.top, count=query.count
        )


def many(number: int) -> EntityStorage:
    return stored(
        {
            f"k{n}": {
                "id": f"k{n}",
                "title": f"t{n * 7 % 1000:04}",
                "confidence": n % 4,
                "createdDateTime": f"2024-05-01T12:{n // 60 % 60:02}:{n % 60:02}Z",
            }
            for n in range(number)
        }
    )


@pytest.mark.parametrize(
    ("filter_", "order", "most"),
    [
        ("confidence in (3,9)", "title", 60),  # walks the order: one of four is found
        ("confidence in (3,9)", "title desc", 60),
        ("confidence eq 3", "title", 0),  # walks the order of those that are equal
        ("confidence eq 3", "createdDateTime,title desc", 0),
        ("confidence eq 3 and title gt 't0500'", "title", 11),
        ("confidence eq 3 and title ge 't0500'", "createdDateTime", 30),  # one of two is found
        ("confidence eq 3", "", 11),  # walks what is equal, and has nothing to look at in vain
        ("title eq 't0007'", "createdDateTime", 0),  # the index is as good as the filter
        ("title eq 't0007' and confidence ge 0", "createdDateTime", 1),
        ("createdDateTime ge 2024-05-01T12:16:00Z", "createdDateTime", 0),
        ("createdDateTime ge 2024-05-01T12:16:00Z", "", 0),
        ("createdDateTime gt 2024-05-01T12:10:00Z and confidence eq 1", "createdDateTime desc", 60),
    ],
)
def test_few_are_looked_at(filter_: str, order: str, most: int) -> None:
    rows = many(1000).now.rows(TABLE)
    options = [("$filter", filter_), *([("$orderby", order)] if order else [])]
    looked = Looked()
    for _ in range(2):
        looked.clear()
        query = looked.noted(read_options(options, Closed))
        found = ListedEntities(rows.in_order, query, rows).first(10)
        plain = read_options(options, Closed).find(rows.in_order, 10)
        assert found == plain
    assert len(looked) <= most


@pytest.mark.parametrize(
    ("filter_", "looked_at"),
    [
        ("confidence eq 3", 0),
        ("confidence in (1,3)", 0),
        ("createdDateTime ge 2024-05-01T12:10:00Z", 0),
        ("createdDateTime ge 2024-05-01T12:10:00Z and createdDateTime lt 2024-05-01T12:11:00Z", 0),
        ("confidence eq 3 and title eq 't0007'", 1),
        ("confidence eq 3 and confidence ge 2", 250),
        ("contains(title,'7')", 1000),
    ],
)
def test_what_an_index_knows_is_counted_without_a_look(filter_: str, looked_at: int) -> None:
    rows = many(1000).now.rows(TABLE)
    looked = Looked()
    for _ in range(2):
        looked.clear()
        listed = ListedEntities(
            rows.in_order, looked.noted(read_options([("$filter", filter_)], Closed)), rows
        )
        assert listed.count() == len(
            read_options([("$filter", filter_)], Closed).find(rows.in_order)
        )
    assert len(looked) == looked_at


def test_a_walk_in_vain_ends_where_sorting_is_sooner() -> None:
    """Those that the filter finds are the last ones of the order."""
    storage = stored(
        {f"k{n}": {"id": f"k{n}", "title": f"t{n:04}", "confidence": n // 750} for n in range(1000)}
    )
    rows = storage.now.rows(TABLE)
    for filter_, most in (("confidence in (1,9)", 10 + 250), ("confidence eq 1", 0)):
        options = [("$filter", filter_), ("$orderby", "title")]
        looked = Looked()
        for _ in range(2):
            looked.clear()
            query = looked.noted(read_options(options, Closed))
            listed = ListedEntities(rows.in_order, query, rows)
            assert listed.first(10) == read_options(options, Closed).find(rows.in_order, 10)
        assert len(looked) == most


def test_the_last_page_looks_at_no_more_than_the_first() -> None:
    storage, pager = many(1000), Pager()
    rows = storage.now.rows(TABLE)
    options = [("$filter", "confidence ne 3"), ("$orderby", "title")]
    costs, token = [], None
    while True:
        looked = Looked()
        given = [*options, *([("$skiptoken", token)] if token else [])]
        query = read_options(given, Closed)
        noted = looked.noted(query)
        listed = ListedEntities(
            rows.in_order, Query(noted.filter, noted.orderby, skiptoken=token), rows
        )
        cut = pager.page(listed, 50, rows.find, lambda: "list")
        costs.append(len(looked))
        if cut.next is None:
            break
        token = cut.next
    assert len(costs) == 15
    assert max(costs) <= 160  # three of four match, and a few are read ahead


@pytest.mark.parametrize("filter_", [None, "confidence eq 3", "title ge 't0000'"])
def test_entities_of_a_walk_are_looked_up_once_something_is_written(filter_: str | None) -> None:
    storage, pager = many(1000), Pager()
    options = [("$orderby", "title"), *([("$filter", filter_)] if filter_ else [])]
    looked_up: list[str] = []

    def page(token: str | None) -> Slice:
        rows = storage.now.rows(TABLE)

        def find(key: str) -> Entity | None:
            looked_up.append(key)
            return rows.find(key)

        given = [*options, *([("$skiptoken", token)] if token else [])]
        listed = ListedEntities(rows.in_order, read_options(given, Closed), rows)
        return pager.page(listed, 20, find, lambda: "list")

    page(None)  # as an index is asked for
    token = page(None).next
    second = page(token)
    assert not looked_up
    storage.put({TABLE: {"k999": None}})
    third = page(token)
    keys = [each.key for each in second.entities]
    assert looked_up == keys == [each.key for each in third.entities]


@pytest.mark.parametrize("filter_", [None, "confidence eq 3", "title ge 't0000'"])
def test_what_is_skipped_of_an_order_is_not_looked_at(
    filter_: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, pager = many(1000), Pager()
    rows = storage.now.rows(TABLE)
    options = [("$orderby", "title"), ("$skip", "150")]
    query = read_options([*options, *([("$filter", filter_)] if filter_ else [])], Closed)
    plain = query.find(rows.in_order)
    looked = []

    def look(entity: Stored) -> Entity:
        looked.append(entity.key)
        return unpacked(entity)

    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(indexes, "unpacked", look)
            looked.clear()
            cut = pager.page(
                ListedEntities(rows.in_order, query, rows), 20, rows.find, lambda: "list"
            )
        assert cut.entities == plain[150:170]
    assert looked == [each.key for each in plain[150:171]]


def test_a_first_page_asked_again_begins_no_other_walk() -> None:
    storage, pager = many(300), Pager()
    asked = Asked(None, [("title", "")], None, 0)
    for _ in range(5):
        next(pages(storage, pager, asked, 9))
    assert len(pager._walks) == 1
    storage.put({TABLE: {"k1": None}})
    next(pages(storage, pager, asked, 9))
    assert len(pager._walks) == 2


@pytest.mark.parametrize(
    "filter_", ["createdDateTime lt now()", "createdDateTime lt now() sub duration'P1D'"]
)
def test_what_hangs_on_the_time_is_found_once_for_a_walk(filter_: str) -> None:
    rows = many(300).now.rows(TABLE)
    query = read_options([("$filter", filter_), ("$orderby", "title")], Closed)
    assert ListedEntities(rows.in_order, query, rows).index(9) is None


@pytest.mark.parametrize("token", ["s{}-fffff", "w{}-1", "s0-1", "n{}-1", "s{}-1x", "q{}-1"])
def test_tokens_of_nobody(token: str) -> None:
    storage, pager = many(300), Pager()
    asked = Asked(None, [("title", "")], None, 0)
    next(pages(storage, pager, asked, 9))
    rows = storage.now.rows(TABLE)
    token = token.format(*(f"{walk:x}" for walk in pager._walks))
    with pytest.raises(BadRequest):
        pager.page(
            ListedEntities(rows.in_order, asked.query(token), rows),
            9,
            rows.find,
            lambda: str(asked.pairs()),
        )


class Texts(list[str]):
    """The keys of the entities whose texts were gathered for a search."""

    name = "texts"

    def __call__(self, entity: Json) -> bool:
        return self.finds(self.text_of(entity))

    def text_of(self, entity: Json) -> str:
        self.append(entity["id"])
        return f"{entity['title']} {entity['id']}"

    def finds(self, text: str) -> bool:
        return "7" in text

    def steps(self, _: int) -> int:
        return 1


def test_texts_are_kept_once_a_search_has_seen_them_all() -> None:
    storage, texts = many(300), Texts()

    def search(first: int | None) -> int:
        texts.clear()
        rows = storage.now.rows(TABLE)
        found = ListedEntities(rows.in_order, Query(search=texts), rows).first(first)
        looked_at = len(texts)
        assert found == Query(search=texts).find(rows.in_order, first)
        return looked_at

    assert search(5) < 60  # found soon
    assert search(5) < 60
    assert search(None) == 300
    assert search(None) == 300  # kept from now on
    assert search(None) == search(5) == 0
    storage.put({TABLE: {"k7": None, "k8": {"id": "k8", "title": "t7"}}})
    assert search(None) == 1


def test_texts_beyond_a_bound_are_gathered_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "_MOST_CHARACTERS", 100)
    storage, texts = many(300), Texts()
    rows = storage.now.rows(TABLE)
    for _ in range(3):
        texts.clear()
        found = ListedEntities(rows.in_order, Query(search=texts), rows).first(None)
        assert len(texts) > 200
        assert found == Query(search=texts).find(rows.in_order)


def test_what_equals_nothing_is_in_an_index_and_leaves_it() -> None:
    storage = stored({f"k{n}": closed(id=f"k{n}", score="NaN") for n in range(3)})
    for score in ("NaN", 1.5, "NaN", None):
        for text in ("score eq 1.5", "score ge 0", "score eq null", "score eq NaN"):
            rows = storage.now.rows(TABLE)
            query = read_options([("$filter", text), ("$orderby", "score desc")], Closed)
            found = ListedEntities(rows.in_order, query, rows).first(None)
            assert found == query.find(rows.in_order)
        storage.put({TABLE: {"k1": closed(id="k1", score=score)}})
