"""Queries that cannot run are refused with a status and a message that says why."""

from __future__ import annotations

import pytest

from mockgraph.service.hunting.engine import Limits
from mockgraph.service.hunting.kql.compiler import compile_query
from mockgraph.service.hunting.refusal import (
    HuntingError,
    QueryLimitError,
    QuerySyntaxError,
    QueryTimeoutError,
    UnresolvedNameError,
    UnsupportedQueryError,
)
from mockgraph.work import Abandoned

from .hunts import NOW, hunted

SYNTAX = [
    ("DeviceEvents\n| wher FileName == 'x'", 2, 3, "wher"),
    ("DeviceEvents | where FileName == ", 1, 34, ""),
    ("DeviceEvents | where FileName = 'x'", 1, 31, "="),
    ("print 'abc", 1, 7, "'"),
    ("DeviceEvents | take 1 take 2", 1, 23, "take"),
    ("DeviceEvents || take 1", 1, 15, "|"),
    ("print (1", 1, 9, ""),
    ("print 1 §", 1, 9, "§"),
    ("", 1, 1, ""),
    ("let x = 1;", 1, 11, ""),
    ("DeviceEvents | join kind=sideways (DeviceInfo) on DeviceId", 1, 35, "("),
    ("print datetime(2026-13-45)", 1, 26, ")"),
    ("print 99999999999999999999", 1, 7, "99999999999999999999"),
]


@pytest.mark.parametrize(("query", "line", "column", "word"), SYNTAX)
def test_a_syntax_error_says_where(query: str, line: int, column: int, word: str) -> None:
    with pytest.raises(QuerySyntaxError) as refused:
        hunted(query)
    assert (refused.value.line, refused.value.column, refused.value.word) == (line, column, word)
    assert f"line {line}, column {column}" in refused.value.message
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("query", "name", "near"),
    [
        ("DeviceProcesEvents | take 1", "DeviceProcesEvents", "DeviceProcessEvents"),
        ("DeviceEvents | where Filename == 'x'", "Filename", "FileName"),
        ("DeviceEvents | project-away Nothing", "Nothing", ""),
        ("DeviceEvents | join DeviceInfo on NoColumn", "NoColumn", ""),
        ("DeviceEvents | summarize count() by Devicename", "Devicename", "DeviceName"),
        ("SecurityEvent | take 1", "SecurityEvent", ""),
        ("union isfuzzy=true (SecurityEvent | take 1), DeviceEvents", "SecurityEvent", ""),
        ("FileProfile | take 1", "FileProfile", ""),
    ],
)
def test_an_unknown_name_is_told_with_those_near_it(query: str, name: str, near: str) -> None:
    with pytest.raises(UnresolvedNameError) as refused:
        hunted(query)
    # Programs look for this sentence to tell that a product is not enabled.
    sentence = f"Failed to resolve table or column expression named '{name}'"
    assert refused.value.message.startswith(sentence)
    assert near in refused.value.message


def test_an_unknown_function_is_told_with_those_near_it() -> None:
    with pytest.raises(UnresolvedNameError, match=r"function expression named 'strlenn'.*strlen"):
        hunted("print strlenn('x')")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("DeviceEvents | scan declare (x: long) with (step s: true;)", "scan"),
        ("DeviceEvents | top-nested 3 of FileName with others = 'x' by count()", "top-nested"),
        ("DeviceEvents | partition by FileName { DeviceInfo | count }", "partition"),
        ("DeviceEvents | invoke DeviceFromIP()", "DeviceFromIP"),
        ("DeviceEvents | evaluate autocluster()", "autocluster"),
        ("externaldata(a: string)['https://x.example/a.csv'] | take 1", "externaldata"),
        ("let x = externaldata(a: string)[@'https://x.example']; x", "externaldata"),
        ("DeviceEvents | summarize tdigest(DeviceId)", "tdigest"),
        ("print series_iir(dynamic([1]), dynamic([1]), dynamic([1]))", "series_iir"),
        ("declare pattern x; print 1", "declare"),
        ("ExposureGraphNodes | make-graph a --> b", "make-graph"),
    ],
)
def test_what_mockgraph_lacks_is_refused_by_its_name(query: str, name: str) -> None:
    with pytest.raises(UnsupportedQueryError) as refused:
        hunted(query)
    assert f"'{name}'" in refused.value.message
    assert "MockGraph" in refused.value.message


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("print 'a' + 'b'", "Use strcat"),
        ("print 1 == 'a'", "Cannot compare values of types long and string"),
        ("DeviceEvents | where Timestamp > '2026-01-01'", "types datetime and string"),
        ("DeviceEvents | where FileName", "a condition is due"),
        ("CloudAppEvents | summarize count() by RawEventData", "'dynamic' type"),
        ("CloudAppEvents | join CloudAppEvents on RawEventData", "'dynamic' type"),
        ("DeviceEvents | extend p = prev(FileName)", "in an order"),
        ("DeviceEvents | where count() > 1", "stands in summarize alone"),
        ("print strlen('a', 'b')", r"strlen\(\) takes 1 arguments"),
        ("DeviceEvents | take -1", "not negative"),
        ("print 'x' matches regex '('", "missing"),
        ("DeviceEvents | take FileName", "Failed to resolve"),
        ("declare query_parameters(x: long); print x", "'x' has no value"),
        ("print series_add(1, 2)", "wants a series"),
        ("print series_decompose(dynamic([1]), 0, 'cubic')", "a trend is"),
        ("print series_outliers(dynamic([1]), 'other')", "'ctukey' or 'tukey'"),
        ("DeviceEvents | evaluate ipv4_lookup(DeviceInfo, RemoteIP)", "takes a table"),
        ("DeviceEvents | evaluate ipv4_lookup(DeviceInfo, RemoteIP, PublicIP, a=1)", "no argument"),
    ],
)
def test_a_query_that_means_nothing_is_refused(query: str, problem: str) -> None:
    with pytest.raises(HuntingError, match=problem) as refused:
        hunted(query)
    assert refused.value.status == 400


LARGE = {
    "text": "print '" + "x" * 300_000 + "'",
    "brackets": "print " + "(" * 5000 + "1" + ")" * 5000,
    "arrays": "print dynamic(" + "[" * 5000 + "]" * 5000 + ")",
    "sums": "print " + "+".join(["1.5"] * 20_000),
    "minus": "print " + "- " * 20_000 + "1",
    "members": "print dynamic({})" + ".a" * 20_000,
    "unfolded": "let f0 = () { DeviceEvents };"
    + "".join(f"let f{n} = () {{ union f{n - 1}(), f{n - 1}() }};" for n in range(1, 20))
    + "f19()",
    "operators": "print x = 1" + " | extend x = x * x + x * x" * 3000,
}


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
def test_a_query_that_is_too_large_is_refused(name: str) -> None:
    with pytest.raises(HuntingError) as refused:
        hunted(LARGE[name])
    assert refused.value.status == 400


@pytest.mark.long
@pytest.mark.parametrize(
    "query",
    [
        "range x from 1 to 10000000 step 1 | extend k = 1"
        " | join kind=inner (range x from 1 to 10000000 step 1 | extend k = 1) on k"
        " | summarize sum(x * x1)",
        "range x from 1 to 10000000 step 1 | extend k = hash_sha256(tostring(x))"
        " | sort by k asc | summarize make_list(k)",
    ],
)
def test_a_query_that_runs_too_long_is_ended(query: str) -> None:
    with pytest.raises((QueryTimeoutError, QueryLimitError)) as refused:
        hunted(query, limits=Limits(seconds=0.5))
    assert refused.value.status in (400, 504)


@pytest.mark.long
def test_a_query_that_needs_too_much_memory_is_ended() -> None:
    query = (
        "range x from 1 to 10000000 step 1 | extend k = hash_sha256(tostring(x))"
        " | summarize make_list(k)"
    )
    with pytest.raises(QueryLimitError, match="memory"):
        hunted(query, limits=Limits(memory="32MB"))


def test_a_query_is_given_up_while_it_is_compiled() -> None:
    def given_up() -> None:
        raise Abandoned

    with pytest.raises(Abandoned):
        compile_query(
            "print 1 | extend x = 2", {}, NOW, (None, None), lambda _: [], print, given_up
        )
