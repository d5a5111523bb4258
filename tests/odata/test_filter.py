"""``$filter``: what matches, what is refused, and why."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter

from . import Closed, Open, closed, equalities, opened

ALERT = closed(
    id="a1",
    title="It's a Test",
    severity="high",
    access="full",
    confidence=7,
    size=2**40,
    score=2.5,
    isActive=True,
    createdDateTime="2024-05-01T12:30:45.1234567+03:00",
    vendorInformation={"provider": "IPC", "vendor": "Microsoft"},
    host={
        "fqdn": "a.b",
        "risk": 5,
        "vendor": {"provider": "deep"},
        "processes": [{"name": "cmd", "arguments": ["/c", "dir"]}],
    },
    tags=["red", "Blue"],
    levels=["low", "high"],
    scores=[1, 2.5, "INF"],
    moments=["2024-01-01T00:00:00Z"],
    hosts=[
        {"fqdn": "h1", "risk": 1, "processes": [{"name": "x", "arguments": ["h1"]}]},
        {"fqdn": "h2", "risk": 9, "seen": "2024-02-02T00:00:00Z"},
    ],
    allowed=True,
    anyone="me",
    nullable=False,
    trueName="t",
    notes="n",
    order="o",
)
EMPTY = closed()


def matches(text: str, entity: dict[str, Any], schema: Any = Closed) -> bool:
    return compile_filter(text, Scope(schema)).matches(entity)


TRUE = [
    # Literals and comparisons.
    "title eq 'It''s a Test'",
    "'It''s a Test' eq title",
    "title ne 'it''s a test'",
    "title gt 'A' and title le 'Z'",
    "confidence eq 7",
    "confidence eq 7.0",
    "confidence ge 7 and confidence lt 8",
    "confidence gt -1",
    "confidence eq +7",
    "confidence eq 0.7e1",
    "size eq 1099511627776",
    "score eq 2.5",
    "score gt confidence sub 5",
    "score lt INF and score gt -INF",
    "score ne NaN",
    "not (score eq NaN)",
    "isActive",
    "isActive eq true",
    "isActive eq TRUE",
    "isActive gt false",
    "true",
    "not false",
    "not(confidence eq 8)",
    "NOT (confidence eq 8) AND title NE 'x'",
    "(((confidence eq 7)))",
    " confidence  eq\t7 ",
    "id eq 'a1'",
    # Precedence.
    "true or false and false",
    "not false and true",
    "not (true and false)",
    "confidence add 2 mul 3 eq 13",
    "(confidence add 2) mul 3 eq 27",
    "confidence sub 2 sub 3 eq 2",
    "-confidence add 10 eq 3",
    "-confidence lt -6",
    "- -confidence eq 7",
    "-(confidence add 1) eq -8",
    "confidence eq 7 eq true",
    "not (confidence in (1, 2))",
    "1 lt 2 eq true",
    # in.
    "confidence in (1, 7)",
    "confidence in (7)",
    "title in ('x','It''s a Test')",
    "not(title in ('x'))",
    "severity in ('low','high')",
    "severity in (microsoft.graph.severity'high')",
    "score in (2.5,NaN)",
    "closedDateTime in (null)",
    "createdDateTime in (2024-05-01T09:30:45.1234567Z)",
    "vendorInformation/provider in ('IPC')",
    "isActive in (true)",
    "vendorInformation in (null) eq false",
    # Enumerations.
    "severity eq 'high'",
    "severity eq 'HIGH'",
    "severity eq microsoft.graph.severity'high'",
    "severity eq graph.severity'high'",
    "'high' eq severity",
    "severity ne 'low'",
    "severity gt 'medium'",
    "'medium' lt severity",
    "severity lt 'unknownFutureValue'",
    "severity ge severity",
    "access has microsoft.graph.access'read'",
    "access has 'write' and isActive",
    "not (access has 'read') eq false",
    "not (severity has 'unknownFutureValue')",
    # Instants.
    "createdDateTime eq 2024-05-01T09:30:45.1234567Z",
    "createdDateTime eq 2024-05-01T12:30:45.1234567+03:00",
    "createdDateTime gt 2024-05-01T09:30:45Z",
    "createdDateTime gt 2024-05-01T09:30:45.123Z",
    "createdDateTime lt 2024-05-01t09:30:45.2z",
    "createdDateTime le 2024-05-01T09:31Z",
    "createdDateTime ge 2024-05-01",
    "2024-05-02 gt createdDateTime",
    "createdDateTime lt now()",
    "createdDateTime gt mindatetime() and createdDateTime lt maxdatetime()",
    # Paths.
    "vendorInformation/provider eq 'IPC'",
    "$it/vendorInformation/provider eq 'IPC'",
    "graph.closed/title eq title and microsoft.graph.open/title eq null",
    "host/vendor/provider eq 'deep'",
    "host/vendor ne null",
    "vendorInformation ne null",
    "null ne vendorInformation",
    "tags/$count eq 2",
    "hosts/$count gt 1",
    "host/processes/$count eq 1",
    "confidence gt tags/$count",
    # Lambdas.
    "tags/any()",
    "tags/any(t:t eq 'red')",
    "tags/any( t : t eq 'red' )",
    "tags/all(t:length(t) gt 2)",
    "not tags/any(t:t eq 'blue')",
    "tags/any(t:tolower(t) eq 'blue')",
    "levels/any(l:l gt 'medium')",
    "levels/all(l:l in ('low','high'))",
    "scores/any(s:s gt 1000)",
    "moments/all(m:year(m) eq 2024)",
    "hosts/any(h:h/risk gt 5 and h/fqdn eq 'h2')",
    "not hosts/any(h:h/risk gt 5 and h/fqdn eq 'h1')",
    "hosts/all(h:h/risk ge 1)",
    "hosts/any(h:h/seen eq 2024-02-02)",
    "hosts/any(h:h/risk lt confidence)",
    "hosts/any(h:h/risk lt $it/confidence)",
    "hosts/any(h:h/processes/any(p:p/name eq 'x'))",
    "hosts/any(h:h/processes/any(p:p/arguments/any(a:a eq h/fqdn and isActive)))",
    "hosts/any(h:h/processes/any(p:confidence eq 7 and h/risk eq 1))",
    "host/processes/any(p:p/arguments/any(a:a eq '/c'))",
    "hosts/any(h:h/processes/$count eq 1)",
    "hosts/any(h:h/vendor eq null)",
    "hosts/all(h:h/vendor/provider eq null)",
    "hosts/any(title:title/risk eq 9)",
    "tags/any(t:t eq 'red') and tags/any(t:t eq 'Blue')",
    # Strings.
    "contains(title,'Test')",
    "contains( title , 'Test' ) eq true",
    "not contains(title,'test')",
    "startswith(title,'It''s') and endswith(title,'Test')",
    "length(title) eq 11",
    "indexof(title,'a') eq 5",
    "indexof(title,'z') eq -1",
    "substring(title,7) eq 'Test'",
    "substring(title,7,2) eq 'Te'",
    "substring(title,100) eq ''",
    "substring(title,-4) eq 'Test'",
    "substring(title,0,confidence) eq 'It''s a '",
    "tolower(title) eq 'it''s a test'",
    "ToUpper(title) eq 'IT''S A TEST'",
    "trim(concat(' ',concat(title,' '))) eq title",
    "contains(vendorInformation/vendor,vendorInformation/provider) eq false",
    # Dates.
    "year(createdDateTime) eq 2024 and month(createdDateTime) eq 5",
    "day(createdDateTime) eq 1 and hour(createdDateTime) eq 9",
    "minute(createdDateTime) eq 30 and second(createdDateTime) eq 45",
    "fractionalseconds(createdDateTime) eq 0.1234567",
    "fractionalseconds(2024-01-01T00:00:00Z) eq 0",
    "date(createdDateTime) eq 2024-05-01",
    "time(createdDateTime) ge 09:30:45.1",
    "time(createdDateTime) gt 09:30 and time(createdDateTime) lt 09:31:00",
    "hour(time(createdDateTime)) eq hour(createdDateTime)",
    "year(2024-02-29) eq 2024 and second(12:00:01.500) eq 1",
    "totaloffsetminutes(createdDateTime) eq 0",
    "year(now()) ge 2024",
    # Arithmetic.
    "confidence div 2 eq 3",
    "-confidence div 2 eq -3",
    "confidence div 2.0 eq 3.5",
    "confidence divby 2 eq 3.5",
    "confidence mod 4 eq 3",
    "-confidence mod 4 eq -3",
    "score mod 2 eq 0.5",
    "score div 0 eq INF",
    "-score div 0 eq -INF",
    "confidence divby 0 eq INF",
    "confidence sub confidence divby 0.0 eq -INF",
    "INF mod 2 ne 0",
    "0.0 div 0 ne 0",
    "size mul size mul size gt size",
    "9223372036854775807 add 1 gt 9223372036854775806",
    "9223372036854775808 gt size",
    "round(score) eq 3",
    "round(-score) eq -3",
    "round(0.49999999999999994) eq 0",
    "floor(score) eq 2 and ceiling(score) eq 3",
    "floor(confidence) eq 7",
    "floor(INF) eq INF",
    "ceiling(confidence) div 2 eq 3",
    # Names that the library's lexer would take for words.
    "allowed and not nullable",
    "anyone eq 'me' and trueName eq 't' and notes eq 'n' and order eq 'o'",
]


@pytest.mark.parametrize("text", TRUE)
def test_what_matches_and_its_negation(text: str) -> None:
    assert matches(text, ALERT) is True
    assert matches(f"not ({text})", ALERT) is False


# On an entity of which nothing is set: the value, true, false or null.
NULLS = {
    "title eq null": True,
    "null eq title": True,
    "title ne null": False,
    "null eq null": True,
    "null ne null": False,
    "title eq 'x'": False,
    "title ne 'x'": True,
    "title eq notes": True,
    "confidence gt 1": False,
    "confidence le 1": False,
    "confidence ge size": False,
    "title lt null": False,
    "null ge null": False,
    "confidence add 1 eq null": True,
    "confidence add 1 gt 0": False,
    "null add 1 eq null": True,
    "-confidence eq null": True,
    "severity eq null": True,
    "severity ne 'high'": True,
    "severity gt 'unknown'": False,
    "createdDateTime lt now()": False,
    "score eq null": True,
    "access has 'read'": None,
    "isActive": None,
    "isActive eq null": True,
    "isActive eq false": False,
    "not isActive": None,
    "null": None,
    "not null": None,
    "contains(title,'x')": None,
    "not contains(title,'x')": None,
    "contains('x',title)": None,
    "contains('x',null)": None,
    "contains(null,'x')": None,
    "concat(title,notes) eq null": True,
    "length(title) eq null": True,
    "year(createdDateTime) eq null": True,
    "round(score) eq null": True,
    "vendorInformation eq null": True,
    "vendorInformation in (null)": True,
    "vendorInformation/provider eq null": True,
    "vendorInformation/provider eq 'x'": False,
    "host/vendor/provider eq null": True,
    "host/processes/any()": False,
    "host/processes/any(p:p/name eq null)": False,
    "host/processes/all(p:p/name eq 'x')": True,
    "host/processes/$count eq null": True,
    "host/processes/$count gt 0": False,
    "tags/any()": False,
    "tags/any(t:true)": False,
    "tags/all(t:false)": True,
    "tags/$count eq 0": True,
    "title in ('x',null)": True,
    "title in ('x')": False,
    # Three-valued logic over a Boolean that is null.
    "isActive and true": None,
    "isActive and false": False,
    "false and isActive": False,
    "isActive and isActive": None,
    "isActive or true": True,
    "true or isActive": True,
    "isActive or false": None,
    "isActive or isActive": None,
    "not (isActive and false)": True,
    "not (isActive or true)": False,
    "not (isActive or false)": None,
    "isActive and true and false": False,
    "isActive or false or true": True,
    "(isActive and true) eq null": True,
}


@pytest.mark.parametrize(("text", "value"), NULLS.items())
def test_null_semantics(text: str, value: bool | None) -> None:
    assert matches(text, EMPTY) is (value is True)
    assert matches(f"not ({text})", EMPTY) is (value is False)
    assert matches(f"({text}) eq null", EMPTY) is (value is None)


DYNAMIC = opened(
    word="Text",
    number=5,
    half=0.5,
    flag=True,
    when="2024-05-01T03:00:00.50+03:00",
    missing=None,
    thing={"inner": {"word": "deep"}, "list": [1]},
    words=["a", "b"],
    things=[{"n": 1}, {"n": 2}, 3],
    extra={"label": "l", "hue": "blue"},
)
DYNAMICS = {
    "word eq 'Text'": True,
    "word eq 'text'": False,
    "'Text' eq word": True,
    "contains(word,'ex')": True,
    "length(word) eq 4": True,
    "number eq 5": True,
    "number eq 5.0": True,
    "number gt half": True,
    "number add half eq 5.5": True,
    "-number eq -5": True,
    "number in (4,5)": True,
    "number in (4,'x')": False,
    "flag": True,
    "not flag": False,
    "flag eq true": True,
    "when eq 2024-05-01T00:00:00.5Z": True,
    "when gt 2024-05-01": True,
    "year(when) eq 2024": True,
    "date(when) eq 2024-05-01": True,
    "thing/inner/word eq 'deep'": True,
    "thing ne null": True,
    "words/any(w:w eq 'b')": True,
    "words/all(w:w lt 'c')": True,
    "words/any()": True,
    "words/$count eq 2": True,
    "things/any(t:t/n eq 2)": True,
    "extra/hue eq 'blue'": True,
    "extra/hue eq microsoft.graph.colour'blue'": True,
    "thing eq thing": True,
    "round(half) eq 1": True,
    "substring(word,1,number sub 3) eq 'ex'": True,
    "word lt 'U'": True,
    # Null where absent.
    "absent eq null": True,
    "missing eq null": True,
    "absent eq 1": False,
    "absent ne 1": True,
    "absent lt 1": False,
    "absent/deeper eq null": True,
    "word/deeper eq null": True,
    "absent": None,
    "absent/any()": False,
    "absent/all(x:x eq 1)": True,
    "absent/$count eq null": True,
    "when ne null": True,
    "absent lt now()": False,
    # Null where of another type.
    "word eq 5": None,
    "number eq 'x'": None,
    "number eq true": None,
    "flag eq 1": None,
    "number ne 'x'": None,
    "word gt 5": None,
    "thing gt thing": None,
    "thing eq 'x'": None,
    "word eq 2024-05-01T00:00:00Z": None,
    "number eq 2024-05-01T00:00:00Z": None,
    "word": None,
    "contains(number,'5')": None,
    "word add 1 eq null": True,
    "flag add 1 eq null": True,
    "year(word) eq null": True,
    "substring(word,half) eq null": True,
    "number/any()": False,
}


@pytest.mark.parametrize(("text", "value"), DYNAMICS.items())
def test_dynamic_properties(text: str, value: bool | None) -> None:
    assert matches(text, DYNAMIC, Open) is (value is True)
    assert matches(f"not ({text})", DYNAMIC, Open) is (value is False)


REFUSED = {
    "": "empty",
    "   ": "empty",
    "nope eq 1": "'nope' does not exist on type 'microsoft.graph.closed'",
    "vendorInformation/nope eq 1": "'nope' does not exist on type 'microsoft.graph.vendor'",
    "hosts/any(h:h/nope eq 1)": "'nope' does not exist on type 'microsoft.graph.host'",
    "hosts/any(h:x eq 1)": "'x' does not exist",
    "title/nope eq 1": "'nope' is asked of a value of type Edm.String",
    "tags/nope eq 1": "a collection",
    "tags/any(t:t/nope eq 1)": "'nope'",
    "$it eq 1": "cannot compare microsoft.graph.closed",
    "title/$it eq 1": r"\$it",
    "tags/$count/x eq 1": "collection",
    "title/$count eq 1": "only a collection has a \\$count",
    "$count gt 1": "only a collection has a \\$count",
    "title eq 1": "'eq' cannot compare Edm.String with Edm.Int64",
    "confidence gt '50'": "'gt' cannot compare Edm.Int64 with Edm.String",
    "isActive eq 1": "Edm.Boolean with Edm.Int64",
    "createdDateTime gt '2024-01-01T00:00:00Z'": "without quotes",
    "createdDateTime gt 2024-01-01T00:00:00": "offset",
    "createdDateTime gt 2024-13-01T00:00:00Z": "not a valid instant",
    "createdDateTime gt 2024-01-01T00:00:00.12345678Z": "not a valid instant",
    "createdDateTime gt 2024-02-30": "not a valid date",
    "time(createdDateTime) gt 25:00": "not a valid time",
    "date(createdDateTime) eq 2024-01-01T00:00:00Z": "Edm.Date with Edm.DateTimeOffset",
    "id eq 01234567-89ab-cdef-0123-456789abcdef": "Edm.String with Edm.Guid",
    "severity eq 'nope'": "'nope' is not a member of 'microsoft.graph.severity'; its members",
    "severity in ('low','nope')": "'nope' is not a member",
    "severity eq microsoft.graph.access'read'": "is not the type 'microsoft.graph.severity'",
    "severity eq 4": "microsoft.graph.severity with Edm.Int64",
    "severity eq access": "microsoft.graph.severity with microsoft.graph.access",
    "title eq microsoft.graph.severity'low'": "cannot compare",
    "contains(confidence,'x')": "takes Edm.String as argument 1, not Edm.Int64",
    "access has 'nope'": "'nope' is not a member",
    "access has 1": "'has' takes an enumeration literal",
    "access has": "'has' takes an enumeration literal",
    "title has 'read'": "'has' cannot be applied to Edm.String",
    "access has microsoft.graph.severity'low'": "is not the type",
    "vendorInformation eq 'x'": "cannot compare microsoft.graph.vendor",
    "vendorInformation gt null": "cannot compare microsoft.graph.vendor with null",
    "vendorInformation eq vendorInformation": "cannot compare",
    "tags eq null": r"cannot compare Collection\(Edm.String\)",
    "tags in ('x')": "Collection",
    "title": "A condition is expected, not a value of type Edm.String",
    "not title": "A condition",
    "title and true": "A condition",
    "true or 1": "A condition",
    "tags/any(t:t)": "A condition",
    "not confidence eq 7": "A condition is expected, not a value of type Edm.Int64",
    "title add 1 eq 2": "'add' cannot be applied to Edm.String",
    "-title eq 1": "'-' cannot be applied to Edm.String",
    "createdDateTime add 1 gt now()": "'add' cannot be applied to Edm.DateTimeOffset",
    "contains(title)": "takes 2 arguments, 1 were given",
    "contains(title,'a','b')": "takes 2 arguments, 3 were given",
    "substring(title)": "takes 2 or 3 arguments",
    "now(1) gt now()": "takes 0 arguments",
    "contains() eq true": "takes 2 arguments, 0",
    "length(1) eq 1": "takes Edm.String as argument 1, not Edm.Int64",
    "substring(title,1.5) eq 'x'": "takes Edm.Int64 as argument 2, not Edm.Double",
    "year(title) eq 1": "takes Edm.Date or Edm.DateTimeOffset",
    "round('1') eq 1": "takes Edm.Double or Edm.Int64",
    "nope(title)": "no function 'nope'",
    "title/any(t:t eq 'x')": "'any' takes a collection, which 'title' is not",
    "vendorInformation/all(t:true)": "'all' takes a collection",
    "tags/all()": "syntax error",
    "tags/any(t eq 'x')": "syntax error",
    "tags/any(t:)": "syntax error",
    "tags/any(t/u:true)": "'t/u' is not a name for a variable",
    "tags/any($it:true)": "is not a name for a variable",
    "hosts/any(h:hosts/any(h:true))": "'h' is named twice",
    "hosts/any(a:hosts/any(b:hosts/any(c:hosts/any(d:true))))": "more than 3",
    "title eq": "ends too early",
    "title eq 'x": "a quote is not closed at",
    "title eq 'x' or": "ends too early",
    "eq 'x'": "an operator is expected at ''x'', position|syntax error at 'x'",
    "title is 'x'": "an operator is expected at 'is', position 7",
    "title 'x'": "syntax error at 'x', position 7",
    "title eq 'x' title": "an operator is expected",
    "title eq 'x' asc": "syntax error at 'asc'",
    "title (1)": "no function 'title'",
    "vendorInformation/provider(1)": "an operator is expected at '\\('",
    "'x'(1)": "an operator is expected",
    "(title eq 'x'": "ends too early",
    "title eq 'x')": r"syntax error at '\)'",
    "title eq ('x','y')": "a list may only stand behind 'in'",
    "contains(('a','b'))": "takes 2 arguments|list",
    "title in 'x'": "'in' takes a list in parentheses",
    "title in": "'in' takes a list in parentheses",
    "title in ()": "syntax error",
    "title in (notes)": "'in' takes a list of literals",
    "title in ('x',)": "an item is missing",
    "title in (1)": "cannot compare Edm.String with Edm.Int64",
    "title eq #": "not understood at '#', position 10",
    "@odata.type eq 'x'": "not understood",
    "title/ eq 'x'": "syntax error",
    "title/'x' eq 1": "a name is expected behind '/'",
    "title//x eq 1": "a name is expected behind '/'",
    "title/": "a name is expected behind '/'",
    "tags/any(t:true)/x": "syntax error",
    "true/x eq 1": "'true' does not exist",
    "confidence eq 1e999": "not a valid number",
    "confidence eq " + "9" * 65: "not a valid number",
    "confidence eq 1 2": "syntax error at '2'",
    "confidence eq 5-3": "syntax error at '-3'",
    "microsoft.graph.open/nope/x eq 1 and graph.vendor/x eq 1": "'microsoft.graph.vendor' does not",
    "confidence div": "ends too early",
}


@pytest.mark.parametrize(("text", "why"), REFUSED.items())
def test_what_is_refused_says_why(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why) as refusal:
        compile_filter(text, Scope(Closed))
    assert len(refusal.value.message) < 200


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("severity eq word", "cannot compare"),
        ("word eq 12:00", "cannot compare Edm.Untyped with Edm.TimeOfDay"),
        ("tags eq word", "Collection"),
        ("vendorInformation eq word", "cannot compare"),
        ("word has 'x'", "'has' cannot be applied"),
        ("a.b eq 1", "'a.b' does not exist"),
        ("word in (12:00)", "cannot compare"),
    ],
)
def test_dynamic_properties_are_no_excuse(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=re.escape(why)):
        compile_filter(text, Scope(Open))


@pytest.mark.parametrize(
    "text",
    [
        "matchesPattern(title,'^(a+)+$')",
        "cast(confidence,Edm.String) eq '7'",
        "isof(title,Edm.String)",
        "createdDateTime gt now() sub duration'P1D' mul 2",
        "title eq guid'x'",
        "geo.distance(title,title) lt 1",
    ],
)
def test_what_is_not_emulated_says_so(text: str) -> None:
    with pytest.raises(NotEmulated):
        compile_filter(text, Scope(Closed))


@pytest.mark.parametrize(
    "text", ["confidence div 0 eq 1", "confidence mod 0 eq 1", "substring(title,0,-1) eq 'x'"]
)
def test_a_request_that_fails_while_it_is_evaluated(text: str) -> None:
    with pytest.raises(BadRequest):
        matches(text, ALERT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title eq 'x'", {"title": ["x"]}),
        ("'x' eq title", {"title": ["x"]}),
        ("$it/title eq 'x'", {"title": ["x"]}),
        (
            "(title eq 'x' and confidence eq 1) and isActive eq true and score eq 1.5",
            {"title": ["x"], "confidence": [1], "isActive": [True], "score": [1.5]},
        ),
        ("vendorInformation/provider eq 'x'", {"vendorInformation/provider": ["x"]}),
        ("severity eq 'HIGH'", {"severity": [4]}),
        ("severity eq graph.severity'high'", {"severity": [4]}),
        ("title eq 'x' and (id eq '1' or id eq '2')", {"title": ["x"], "id": ["1", "2"]}),
        ("title eq 'x' or title eq 'y'", {"title": ["x", "y"]}),
        ("title in ('x','y')", {"title": ["x", "y"]}),
        ("severity in ('HIGH',graph.severity'low')", {"severity": [4, 2]}),
        ("id in ('1','2') or 'x' eq title and id eq '3'", {"id": ["1", "2", "3"]}),
        ("title eq 'x' or id eq 'x'", {}),
        ("title eq 'x' or not isActive", {}),
        ("title in ('x',null)", {"title": ["x", None]}),
        ("severity in ('high',null)", {"severity": [4, None]}),
        ("score in (1.5,INF)", {"score": [1.5, inf]}),
        ("not (title in ('x','y'))", {}),
        ("tags/$count in (1,2)", {}),
        ("not (title eq 'x')", {}),
        ("title eq null", {"title": [None]}),
        ("null eq vendorInformation/provider", {"vendorInformation/provider": [None]}),
        (
            "createdDateTime in (2024-01-01T00:00:00.50Z,null)",
            {"createdDateTime": ["2024-01-01T00:00:00.5", None]},
        ),
        ("createdDateTime eq 2024-01-01", {"createdDateTime": ["2024-01-01T00:00:00"]}),
        ("createdDateTime eq now()", {"createdDateTime": ["2024-05-01T00:00:00"]}),
        ("isActive", {"isActive": [True]}),
        ("score eq NaN", {}),
        ("title eq concat('x','y')", {"title": ["xy"]}),
        ("confidence eq 1 div 0", {}),
        ("title ne 'x'", {}),
        ("title eq notes", {}),
        ("score eq INF", {"score": [inf]}),
        ("tags/$count eq 1", {}),
        ("tags/any(t:t eq 'x')", {}),
        ("tolower(title) eq 'x'", {}),
    ],
)
def test_equalities(text: str, expected: dict[str, list[object]]) -> None:
    scope = Scope(Closed, now="2024-05-01T00:00:00Z")
    assert equalities(compile_filter(text, scope)) == expected


def test_two_names_of_a_member_are_one_value() -> None:
    class Thing(edm.EntitySchema):
        colour = edm.Enum(edm.EnumValues("microsoft.graph.colour", {"grey": 1, "gray": 1}))

    compiled = compile_filter("colour eq 'grey'", Scope(Thing))
    assert compiled.matches({"id": "1", "colour": "gray"})
    assert equalities(compiled) == {"colour": [1]}


def test_now_is_one_moment_for_all_entities() -> None:
    assert matches("now() eq now() or now() lt now()", EMPTY)
    compiled = compile_filter("createdDateTime le now()", Scope(Closed))
    assert not compiled.matches(closed(createdDateTime="9999-01-01T00:00:00Z"))


# Input of which more must cost no more than in proportion, and must not recurse.
HOSTILE: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n,
    "closed parentheses": lambda n: "(" * n + "true" + ")" * n,
    "not": lambda n: "not " * n + "true",
    "minus": lambda n: "-" * n + "confidence gt 1",
    "sum": lambda n: "confidence" + " add confidence" * n + " gt 1",
    "comparisons": lambda n: "true" + " eq true" * n,
    "and": lambda n: "isActive" + " and isActive" * n,
    "or in not": lambda n: "not (isActive" + " or isActive" * n + ")",
    "in": lambda n: "id in (" + ",".join(["'x'"] * n) + ")",
    "calls": lambda n: "tolower(" * n,
    "path": lambda n: "a/" * n + "b",
    "lambdas": lambda n: "hosts/any(h:" * n,
    "quotes": lambda n: "title eq '" + "''" * n,
    "digits": lambda n: "1" * n + " eq 1",
    "dots": lambda n: "a." * n + " eq 1",
    "name": lambda n: "a" * n,
    "blanks": lambda n: " " * n + "true",
    "clock": lambda n: "2024-01-01T" + "1" * n,
    "alternating": lambda n: "true and false or " * n + "true",
    "commas": lambda n: "contains(" + "," * n,
    "slashes": lambda n: "/" * n,
    "unknown": lambda n: "#" * n,
}


def calls(text: str) -> int:
    """How many functions are entered while a filter is compiled, or refused."""
    count = 0
    message = ""

    def profile(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        compile_filter(text, Scope(Closed))
    except BadRequest as refusal:
        message = refusal.message
    finally:
        sys.setprofile(before)
    assert len(message) < 400
    return count


@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_input_costs_in_proportion_at_most(shape: str) -> None:
    calls("not (true and false)")
    few, many = calls(HOSTILE[shape](200)), calls(HOSTILE[shape](4000))
    assert many < few * 25 + 1000
    assert many < 400_000


@pytest.mark.parametrize(
    "text",
    [
        " or ".join(f"id eq '{number}'" for number in range(400)),
        "not (" + " and ".join(["isActive"] * 400) + ")",
        "(" * 50 + "true" + ")" * 50,
        "id in (" + ",".join(f"'{number}'" for number in range(900)) + ")",
    ],
)
def test_long_filters_that_clients_send_are_fine(text: str) -> None:
    assert isinstance(matches(text, ALERT), bool)


def test_depth_is_bounded_where_parentheses_are_not_needed() -> None:
    with pytest.raises(BadRequest, match="64 levels deep"):
        compile_filter("not " * 64 + "true", Scope(Closed))
    assert matches("not " * 60 + "true", ALERT)
