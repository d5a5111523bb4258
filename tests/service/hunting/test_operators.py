"""The operators of the pipe, aggregates and plugins against what the documentation says."""

from __future__ import annotations

from typing import Any

import pytest

from .hunts import hunted, rows

FRUIT = """
let T = datatable(Name: string, Kind: string, Price: long, At: datetime) [
    "apple", "red", 3, datetime(2026-11-20 01:00),
    "pear", "green", 5, datetime(2026-11-20 02:30),
    "plum", "red", 1, datetime(2026-11-20 02:00),
    "fig", "", long(null), datetime(null)
];
"""

CASES: dict[str, tuple[str, list[list[Any]]]] = {
    "where": ("T | where Kind == 'red' and Price > 1 | project Name", [["apple"]]),
    "where null": ("T | where Price != 3 | project Name", [["pear"], ["plum"], ["fig"]]),
    "where two": ("T | where Price > 1 | where Price < 5 | project Name", [["apple"]]),
    "extend": (
        "T | take 1 | extend Twice = Price * 2, Price = 0 | project-away At, Kind",
        [["apple", 0, 6]],
    ),
    "extend in place": ("T | take 1 | extend Kind = strlen(Kind) | project Kind", [[3]]),
    "project names": (
        "T | take 1 | project tostring(Price), strlen(Name), Name, X = 1",
        [["3", 5, "apple", 1]],
    ),
    "names that begin with a digit": (
        "T | take 1 | extend 3rdPrice = Price + 1 | project 3rdPrice, 0x10, 1e1",
        [[4, 16, 10.0]],
    ),
    "project-away": ("T | take 1 | project-away A*, Kind", [["apple", 3]]),
    "project-keep": ("T | take 1 | project-keep Price, N*", [["apple", 3]]),
    "project-rename": ("T | take 1 | project-rename Fruit = Name | project Fruit", [["apple"]]),
    "project-reorder": (
        "T | take 1 | project-reorder Price, K* | project-away At",
        [[3, "red", "apple"]],
    ),
    "project-reorder desc": (
        "T | take 1 | project-away At | project-reorder * desc",
        [[3, "apple", "red"]],
    ),
    "count": ("T | count", [[4]]),
    "take": ("T | take 2 | count", [[2]]),
    "limit zero": ("T | limit 0", []),
    "distinct": ("T | distinct Kind | sort by Kind asc", [[""], ["green"], ["red"]]),
    "distinct all": ("T | project Kind | distinct * | count", [[3]]),
    "sort": ("T | sort by Price | project Name", [["pear"], ["apple"], ["plum"], ["fig"]]),
    "sort asc": ("T | order by Price asc | project Name", [["fig"], ["plum"], ["apple"], ["pear"]]),
    "sort nulls": (
        "T | sort by Price asc nulls last | project Name",
        [["plum"], ["apple"], ["pear"], ["fig"]],
    ),
    "sort two": (
        "T | sort by Kind asc, Name desc | project Name",
        [["fig"], ["pear"], ["plum"], ["apple"]],
    ),
    "order is kept": (
        "T | sort by Name asc | where Price > 0 | extend x = 1 | project Name",
        [["apple"], ["pear"], ["plum"]],
    ),
    "top": ("T | top 2 by Price | project Name", [["pear"], ["apple"]]),
    "top asc": ("T | top 1 by Price asc nulls last | project Name", [["plum"]]),
    "summarize": (
        "T | summarize count(), sum(Price) by Kind | sort by Kind asc",
        [["", 1, 0], ["green", 1, 5], ["red", 2, 4]],
    ),
    "summarize nothing": (
        "T | where false | summarize count(), sum(Price), max(Price), make_set(Name), dcount(Name)",
        [[0, 0, None, [], 0]],
    ),
    "summarize nothing by": ("T | where false | summarize count() by Kind", []),
    "summarize by alone": ("T | summarize by Kind | sort by Kind asc", [[""], ["green"], ["red"]]),
    "summarize expression": (
        "T | summarize Share = round(100.0 * countif(Kind == 'red') / count())",
        [[50.0]],
    ),
    "summarize by bin": (
        "T | where isnotnull(At) | summarize count() by bin(At, 1h) | sort by At asc",
        [["2026-11-20T01:00:00Z", 1], ["2026-11-20T02:00:00Z", 2]],
    ),
    "arg_max": (
        "T | summarize arg_max(Price, Name) by Kind | where Kind == 'red'",
        [["red", 3, "apple"]],
    ),
    "arg_min all": (
        "T | where Kind == 'red' | summarize arg_min(Price, *) by Kind | project-away At",
        [["red", 1, "plum"]],
    ),
    "arg_max named": ("T | summarize (Most, Which) = arg_max(Price, Name)", [[5, "pear"]]),
    "make_list": (
        "T | sort by Name desc | summarize make_list(Name)",
        [[["plum", "pear", "fig", "apple"]]],
    ),
    "make_list of numbers": ("T | sort by Name asc | summarize make_list(Price, 2)", [[[3, 5]]]),
    "make_set": ("T | summarize make_set(Kind)", [[["", "green", "red"]]]),
    "make_set of arrays": (
        "datatable(A: dynamic)[dynamic([1, 2]), dynamic([2, 3])] | summarize make_set(A)",
        [[[1, 2, 3]]],
    ),
    "make_set_if": ("T | summarize make_set_if(Name, Price > 2)", [[["apple", "pear"]]]),
    "make_bag": (
        "T | where Price > 2 | summarize make_bag(bag_pack(Name, Price))",
        [[{"apple": 3, "pear": 5}]],
    ),
    "take_any": ("T | where Kind == '' or Name == 'apple' | summarize take_any(Kind)", [["red"]]),
    "counts": (
        "T | summarize countif(Price > 2), dcount(Kind), dcountif(Kind, Price > 2), sumif(Price, "
        "Kind == 'red')",
        [[2, 3, 2, 4]],
    ),
    "extremes": (
        "T | summarize min(Price), max(At), minif(Price, Kind == 'green'), avg(Price)",
        [[1, "2026-11-20T02:30:00Z", 5, 3.0]],
    ),
    "deviation": ("T | where Name == 'fig' or Name == 'plum' | summarize stdev(Price)", [[0.0]]),
    "percentile": (
        "range x from 1 to 100 step 1 | summarize percentile(x, 95), percentiles(x, 5, 50)",
        [[95, 5, 50]],
    ),
    "union": ("T | union (T | take 1) | count", [[5]]),
    "union columns": ("union (print a = 1), (print b = 'x')", [[1, ""], [None, "x"]]),
    "union kinds": ("union (print a = 1), (print a = 'x')", [[1, ""], [None, "x"]]),
    "union inner": ("union kind=inner (print a = 1, b = 2), (print a = 3)", [[1], [3]]),
    "union source": (
        "union withsource=S (print a = 1), (T | project a = Price | take 1)",
        [["union_arg0", 1], ["T", 3]],
    ),
    "union fuzzy": ("union isfuzzy=true Nothing, (print a = 1)", [[1]]),
    "mv-expand": ("print a = dynamic([1, 'x']), b = 2 | mv-expand a", [[1, 2], ["x", 2]]),
    "mv-expand to": ("print a = dynamic(['1', 'x']) | mv-expand a to typeof(long)", [[1], [None]]),
    "mv-expand two": (
        "print a = dynamic([1, 2]), b = dynamic(['x']) | mv-expand a, b",
        [[1, "x"], [2, None]],
    ),
    "mv-expand index": (
        "print a = dynamic(['x', 'y']) | mv-expand with_itemindex=i a",
        [["x", 0], ["y", 1]],
    ),
    "mv-expand bag": (
        "print a = dynamic({'k': 1, 'l': 2}) | mv-expand a",
        [[{"k": 1}], [{"l": 2}]],
    ),
    "mv-expand limit": ("print a = range(1, 9, 1) | mv-expand a limit 2", [[1], [2]]),
    "mv-expand named": ("print a = dynamic([1]) | mv-expand e = a to typeof(int)", [[[1], 1]]),
    "mv-apply": (
        "datatable(k: string, a: dynamic)['x', dynamic([1, 5, 3]), 'y', dynamic([2])]"
        " | mv-apply e = a to typeof(long) on (top 1 by e) | project k, e",
        [["x", 5], ["y", 2]],
    ),
    "mv-apply summarize": (
        "datatable(k: string, a: dynamic)['x', dynamic([1, 5]), 'y', dynamic([2])]"
        " | mv-apply e = a to typeof(long) on (summarize s = sum(e)) | project k, s",
        [["x", 6], ["y", 2]],
    ),
    "mv-apply where": (
        "datatable(k: string, a: dynamic)['x', dynamic([1, 5]), 'y', dynamic([2])]"
        " | mv-apply e = a to typeof(long) on (where e > 4 | project e) | project k, e",
        [["x", 5]],
    ),
    "parse": (
        "print s = 'id=15, name=\"a b\"' | parse s with * 'id=' id: long ', name=\"' name '\"'"
        " | project id, name",
        [[15, "a b"]],
    ),
    "parse no match": ("print s = 'nothing' | parse s with 'id=' id: long | project id", [[None]]),
    "parse first": ("print s = 'a-b-c' | parse s with x '-' y | project x, y", [["a", "b-c"]]),
    "parse regex": (
        "print s = 'a12b3' | parse kind=regex s with 'a' x: long @'[a-z]' y: long | project x, y",
        [[12, 3]],
    ),
    "parse-where": (
        "datatable(s: string)['k=1', 'z'] | parse-where s with 'k=' k: long | project k",
        [[1]],
    ),
    "parse relaxed": (
        "print s = 'a=x;b=2' | parse kind=relaxed s with 'a=' a: long ';b=' b: long | project a, b",
        [[None, 2]],
    ),
    "parse-kv": (
        "print s = 'a=1 b=\"x y\"' | parse-kv s as (a: long, b: string)"
        " with (pair_delimiter=' ', kv_delimiter='=', quote='\"') | project a, b",
        [[1, "x y"]],
    ),
    "serialize": (
        "T | sort by Price asc nulls last | extend n = row_number(), p = prev(Price),"
        " f = next(Name, 1, 'end') | project n, p, f",
        [[1, None, "apple"], [2, 1, "pear"], [3, 3, "fig"], [4, 5, "end"]],
    ),
    "serialize items": ("T | serialize n = row_number() | project n | take 2", [[1], [2]]),
    "where window": (
        "T | sort by Name asc | where prev(Name) == 'apple' | project Name",
        [["fig"]],
    ),
    "row_cumsum": (
        "range x from 1 to 3 step 1 | extend s = row_cumsum(x) | project s",
        [[1], [3], [6]],
    ),
    "range": ("range x from 1 to 7 step 3", [[1], [4], [7]]),
    "range of times": (
        "range t from datetime(2026-11-20) to datetime(2026-11-21) step 12h | count",
        [[3]],
    ),
    "print": ("print 1, b = 'x'", [[1, "x"]]),
    "as": (
        "T | where Price > 1 | as Dear | extend n = toscalar(Dear | count) | project Name, n",
        [["apple", 2], ["pear", 2]],
    ),
    "let function": (
        "let f = (a: long, b: long = 10) { a * b }; T | take 1 | project f(Price)",
        [[30]],
    ),
    "let function of a table": (
        "let f = (t: (Name: string), n: string) { t | where Name == n };"
        " f(T, 'fig') | project Name",
        [["fig"]],
    ),
    "invoke": (
        "let f = (t: (*), n: long) { t | where Price > n }; T | invoke f(3) | project Name",
        [["pear"]],
    ),
    "view": ("let v = view () { T | where Price > 2 }; v | union (v()) | count", [[4]]),
    "let within a function": ("let f = () { let a = 2; T | where Price > a | count }; f()", [[2]]),
    "in a table": ("T | where Name in ((T | where Price > 2 | project Name)) | count", [[2]]),
    "in~ a let": ("let n = datatable(x: string)['APPLE']; T | where Name in~ (n) | count", [[1]]),
    "in an array of rows": (
        "let n = toscalar(T | summarize make_set(Name)); T | where Name in (n) | count",
        [[4]],
    ),
    "has_any of a table": (
        "let n = datatable(x: string)['fig', 'kiwi']; T | where Name has_any (n) | project Name",
        [["fig"]],
    ),
    "materialize": ("let m = materialize(T | where Price > 2); m | union m | count", [[4]]),
    "any column": ("T | where * has 'fig' | project Name", [["fig"]]),
    "getschema": (
        "T | getschema | project ColumnName, ColumnType | take 2",
        [["Name", "string"], ["Kind", "string"]],
    ),
    "sample-distinct": ("T | sample-distinct 2 of Kind | count", [[2]]),
    "bag_unpack": (
        "datatable(d: dynamic)[dynamic({'a': 1, 'b': 'x'}), dynamic({'a': 2})]"
        " | evaluate bag_unpack(d)",
        [[1, "x"], [2, ""]],
    ),
    "bag_unpack prefix": (
        "print d = dynamic({'a': 1}), a = 5 | evaluate bag_unpack(d, 'd_')",
        [[5, 1]],
    ),
    "pivot": (
        "T | where Kind != '' | project Kind, Price | evaluate pivot(Kind, sum(Price))",
        [[5, 4]],
    ),
    "pivot by": (
        "datatable(k: string, v: string)['x', 'a', 'x', 'b', 'y', 'a']"
        " | evaluate pivot(v) | sort by k asc",
        [["x", 1, 1], ["y", 1, 0]],
    ),
    "make-series": (
        "T | where isnotnull(At) | make-series n = count() default = 0 on At"
        " from datetime(2026-11-20) to datetime(2026-11-20 04:00) step 1h"
        " | project n",
        [[[0, 1, 2, 0]]],
    ),
    "make-series by": (
        "T | where Kind == 'red' | make-series s = sum(Price) on At from"
        " datetime(2026-11-20 01:00) to datetime(2026-11-20 03:00) step 1h by Kind"
        " | project Kind, s",
        [["red", [3, 1]]],
    ),
    "make-series in range": (
        "T | where isnotnull(At) | make-series n = count() on At in range("
        "datetime(2026-11-20), datetime(2026-11-20 02:00), 1h) | project n",
        [[[0, 1, 2]]],
    ),
    "partition": (
        "T | partition hint.strategy=native by Kind (top 1 by Price | project Name, Price)"
        " | sort by Name asc",
        [["apple", 3], ["fig", None], ["pear", 5]],
    ),
    "render": ("T | count | render timechart with (title='x')", [[4]]),
    "column_ifexists": (
        "T | take 1 | project a = column_ifexists('Name', 'x'),"
        " b = column_ifexists('Nothing', 'y')",
        [["apple", "y"]],
    ),
    "lookup": (
        "T | lookup (datatable(Kind: string, Hue: long)['red', 7]) on Kind | project Name, Hue"
        " | sort by Name asc",
        [["apple", 7], ["fig", None], ["pear", None], ["plum", 7]],
    ),
    "search": ("search in (T) 'fig' | count", [[1]]),
    "comments": ("T // all | nothing\n| count // 4", [[4]]),
    "quoted names": ("print ['a b'] = 1 | project ['a b'] + 1", [[2]]),
    "case of names": ("print Name = 1 | extend name = 2 | project Name, name", [[1, 2]]),
    "set statement": ("set notruncation; T | count", [[4]]),
}


@pytest.mark.parametrize("name", CASES)
def test_an_operator_does_as_documented(name: str) -> None:
    query, expected = CASES[name]
    assert rows(f"{FRUIT}{query}") == expected


LEFT = "let L = datatable(k: string, a: long)['x', 1, 'x', 2, 'y', 3];"
RIGHT = "let R = datatable(k: string, b: long)['x', 10, 'x', 20, 'z', 30];"
JOINS: dict[str, list[list[Any]]] = {
    "": [["x", 1, "x", 10], ["x", 1, "x", 20]],
    "kind=inner": [
        ["x", 1, "x", 10],
        ["x", 1, "x", 20],
        ["x", 2, "x", 10],
        ["x", 2, "x", 20],
    ],
    "kind=leftouter": [
        ["x", 1, "x", 10],
        ["x", 1, "x", 20],
        ["x", 2, "x", 10],
        ["x", 2, "x", 20],
        ["y", 3, "", None],
    ],
    "kind=rightouter": [
        ["", None, "z", 30],
        ["x", 1, "x", 10],
        ["x", 1, "x", 20],
        ["x", 2, "x", 10],
        ["x", 2, "x", 20],
    ],
    "kind=fullouter": [
        ["", None, "z", 30],
        ["x", 1, "x", 10],
        ["x", 1, "x", 20],
        ["x", 2, "x", 10],
        ["x", 2, "x", 20],
        ["y", 3, "", None],
    ],
    "kind=leftanti": [["y", 3]],
    "kind=leftsemi": [["x", 1], ["x", 2]],
    "kind=rightanti": [["z", 30]],
    "kind=rightsemi": [["x", 10], ["x", 20]],
}


@pytest.mark.parametrize("kind", JOINS)
def test_a_join_is_of_its_kind(kind: str) -> None:
    found = hunted(f"{LEFT}{RIGHT} L | join {kind} R on k")
    got = sorted((list(row.values()) for row in found.results), key=str)
    assert got == sorted(JOINS[kind], key=str)


def test_the_columns_of_a_join_that_have_the_name_of_another_get_a_number() -> None:
    found = hunted(f"{LEFT} L | join kind=inner L on k | join kind=inner L on k")
    assert [each["name"] for each in found.schema] == ["k", "a", "k1", "a1", "k2", "a2"]


def test_a_join_may_name_its_sides() -> None:
    query = f"{LEFT}{RIGHT} L | join kind=inner R on $left.k == $right.k, $left.a == $right.b"
    assert hunted(query).results == []


NAMES: dict[str, list[str]] = {
    "summarize count(), dcount(Name), countif(Price > 1), make_set(Name), make_list(Name)"
    " by Kind": [
        "Kind",
        "count_",
        "dcount_Name",
        "countif_",
        "set_Name",
        "list_Name",
    ],
    "summarize arg_max(At, *) by Name": ["Name", "At", "Kind", "Price"],
    "summarize max(Price), max(Price), percentile(Price, 95)": [
        "max_Price",
        "max_Price1",
        "percentile_Price_95",
    ],
    "summarize sum(Price) by bin(At, 1h), tostring(Price), k = toupper(Kind)": [
        "At",
        "Price",
        "k",
        "sum_Price",
    ],
    "extend d = dynamic({}) | project d.a.b, d['x'], tostring(d.y), toupper(Name), strlen(Name)": [
        "d_a_b",
        "d_x",
        "d_y",
        "Column1",
        "strlen_Name",
    ],
    "summarize take_any(Name), any(Kind)": ["Name", "any_Kind"],
    "count": ["Count"],
}


@pytest.mark.parametrize("query", NAMES)
def test_a_column_without_a_name_gets_one_from_its_expression(query: str) -> None:
    assert [each["name"] for each in hunted(f"{FRUIT}T | {query}").schema] == NAMES[query]


def test_the_schema_has_the_names_of_the_types_in_graph() -> None:
    query = (
        "print b = true, i = toint(1), l = 1, r = 1.5, s = '', t = now(), d = 1h,"
        " g = guid(null), j = dynamic([])"
    )
    assert [each["type"] for each in hunted(query).schema] == [
        "SByte",
        "Int32",
        "Int64",
        "Double",
        "String",
        "DateTime",
        "TimeSpan",
        "Guid",
        "Object",
    ]


def test_an_answer_has_no_more_rows_than_the_limit() -> None:
    assert len(hunted("range x from 1 to 100001 step 1").results) == 100_000


def test_a_table_that_no_row_was_put_into_still_says_its_columns() -> None:
    found = hunted("DeviceProcessEvents | take 0")
    assert found.results == []
    assert {"name": "ProcessId", "type": "Int64"} in found.schema


SALES = """let T = datatable(shop: string, fruit: string, sold: long) [
    "a", "fig", 5, "a", "fig", 1, "a", "kiwi", 2, "b", "fig", 9, "b", "plum", 8, "c", "kiwi", 1];
"""


def test_top_nested_ranks_within_each_value_above() -> None:
    query = "top-nested 2 of shop by sum(sold), top-nested 1 of fruit by best = max(sold) asc"
    found = hunted(f"{SALES}T | {query} | order by shop asc")
    names = ["shop", "aggregated_shop", "fruit", "best"]
    assert [each["name"] for each in found.schema] == names
    assert [list(row.values()) for row in found.results] == [
        ["a", 8, "kiwi", 2],
        ["b", 17, "plum", 8],
    ]


def test_top_hitters_counts_or_weighs() -> None:
    assert rows(f"{SALES}T | top-hitters 1 of fruit") == [["fig", 3]]
    assert rows(f"{SALES}T | top-hitters 2 of shop by sold") == [["b", 17], ["a", 8]]


def test_a_partition_may_stand_in_braces() -> None:
    query = "T | partition by shop { top 1 by sold | project shop, sold } | order by shop asc"
    assert rows(SALES + query) == [["a", 5], ["b", 9], ["c", 1]]


def test_a_count_of_rows_and_a_running_sum_begin_again() -> None:
    query = (
        "T | serialize | extend n = row_number(1, prev(shop) != shop),"
        " sum = row_cumsum(sold, shop != prev(shop)), all = row_number()"
        " | project n, sum, all"
    )
    assert rows(SALES + query) == [
        [1, 5, 1],
        [2, 6, 2],
        [3, 8, 3],
        [1, 9, 4],
        [2, 17, 5],
        [1, 1, 6],
    ]


def test_query_parameters_have_their_defaults() -> None:
    query = "declare query_parameters(wanted: string = 'c', most: long = 5); "
    assert rows(f"{query}{SALES}T | where shop == wanted | take most | count") == [[1]]


def test_a_sketch_of_a_set_counts_exactly() -> None:
    query = "T | summarize h = hll(fruit) by shop | summarize m = hll_merge(h)"
    assert rows(f"{SALES}{query} | project dcount_hll(m)") == [[3]]


def test_addresses_are_looked_up_by_their_networks() -> None:
    query = (
        "let nets = datatable(net: string, site: string)"
        " ['10.0.0.0/8', 'hq', '10.1.0.0/16', 'lab'];"
        " let seen = datatable(ip: string) ['10.1.2.3', '8.8.8.8'];"
        " seen | evaluate ipv4_lookup(nets, ip, net"
    )
    assert rows(f"{query}) | project ip, site | order by site asc") == [
        ["10.1.2.3", "hq"],
        ["10.1.2.3", "lab"],
    ]
    assert rows(f"{query}, return_unmatched = true) | where isempty(site) | project ip") == [
        ["8.8.8.8"]
    ]
    six = (
        "datatable(ip: string) ['fe80::1'] | evaluate ipv6_lookup("
        "(datatable(net: string) ['fe80::/10']), ip, net) | project net"
    )
    assert rows(six) == [["fe80::/10"]]


def test_the_addresses_that_a_device_had_are_a_function_of_hunting() -> None:
    adapter = {
        "Timestamp": "2026-11-20T10:00:00Z",
        "DeviceId": "d1",
        "DeviceName": "host-1",
        "NetworkAdapterName": "{1}",
        "NetworkAdapterStatus": "Up",
        "IPAddresses": '[{"IPAddress": "10.0.0.5", "AddressType": "Private"}]',
    }
    query = "AssignedIPAddresses('host-1', now()) | project IPAddress, IPType"
    assert rows(query, DeviceNetworkInfo=[adapter]) == [["10.0.0.5", "Private"]]
    assert rows(query.replace("now()", "ago(1d)"), DeviceNetworkInfo=[adapter]) == []


def test_a_device_is_seen_by_those_that_connect_to_it() -> None:
    at = {"Timestamp": "2026-11-20T10:00:00Z"}
    adapter = {**at, "DeviceId": "d1", "IPAddresses": '[{"IPAddress": "10.0.0.5"}]'}
    event = {**at, "DeviceId": "d2", "RemoteIP": "10.0.0.5"}
    query = "DeviceInfo | invoke SeenBy() | project DeviceId, SeenBy | order by DeviceId asc"
    found = rows(
        query,
        DeviceInfo=[{**at, "DeviceId": "d1"}, {**at, "DeviceId": "d2"}],
        DeviceNetworkInfo=[adapter],
        DeviceNetworkEvents=[event],
    )
    assert found[0][1][0]["DeviceId"] == "d2"
    assert found[1] == ["d2", None]


BAGS = "datatable(a: string, b: dynamic) ['x', dynamic({'a': 1, 'c': 2})] | evaluate bag_unpack"


def test_the_names_of_a_bag_that_columns_have_are_kept_or_replaced() -> None:
    assert rows(f"{BAGS}(b, columnsConflict='keep_source') | project a, c") == [["x", 2]]
    assert rows(f"{BAGS}(b, columnsConflict='replace_source') | project a, c") == [[1, 2]]
    assert rows(f"{BAGS}(b, 'b_', ignoredProperties=dynamic(['c']))") == [["x", 1]]
    assert rows(f"{BAGS}(b, columnsConflict='keep_source') : (a: string, c: long)") == [["x", 2]]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("n == '7'", True),
        ("n != '7'", False),
        ("n in ('7', '8')", True),
        ("s == 7", True),
        ("s > 6.5", True),
        ("yes == '1'", True),
        ("yes == 'false'", False),
    ],
)
def test_a_constant_is_compared_as_what_it_is_compared_with(condition: str, found: bool) -> None:
    query = f"print n = 7, s = '7', yes = true | where {condition} | count"
    assert rows(query) == [[int(found)]]


def test_a_series_over_no_rows_without_ends_is_empty() -> None:
    found = hunted(f"{FRUIT}T | where false | make-series n = count() on At step 1h by Name")
    assert found.results == []
    assert [each["name"] for each in found.schema] == ["Name", "n", "At"]
