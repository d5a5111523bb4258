"""Literals of every kind against properties of every primitive type, and what orders them."""

from __future__ import annotations

from typing import Any

import pytest

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest, NotEmulated
from mockgraph.metadata import notation
from mockgraph.metadata.schemas import Schemas
from mockgraph.odata.expressions import Scope
from mockgraph.odata.filter import compile_filter
from mockgraph.odata.orderby import compile_orderby

from . import is_met

_MODEL = """
namespace microsoft.graph

enum rights flags
  none 0
  read 1
  write 2
  full 3
  share 4

type code = String MaxLength=4
type share = Decimal

entity sample
  key id
  id: String not null
  guid: Guid
  day: Date
  clock: TimeOfDay
  length: Duration
  moment: DateTimeOffset
  price: Decimal
  ratio: Single
  small: Byte
  signed: SByte
  short: Int16
  bytes: Binary
  rights: rights
  code: code
  part: share
  any: Untyped
  point: GeographyPoint
  guids: Guid[]
  days: Date[]
  lengths: Duration[]
  rightsLists: rights[]
"""
Sample = Schemas(notation.parse([("sample", _MODEL)]))["microsoft.graph.sample"]
POINT = {"type": "Point", "coordinates": [1, 2]}
STORED = {
    "guid": "01234567-89AB-cdef-0123-456789abcdef",
    "day": "2024-02-29",
    "clock": "07:59:59.500",
    "length": "P1DT1.50S",
    "moment": "2024-02-29T12:00:00.1234567Z",
    "price": 12.5,
    "ratio": 0.25,
    "small": 255,
    "signed": -128,
    "short": -32768,
    "bytes": "AP+/",
    "rights": "share,read",
    "code": "abcd",
    "part": 0.5,
    "any": {"n": 1},
    "point": POINT,
    "guids": ["01234567-89AB-cdef-0123-456789abcdef"],
    "days": ["2024-02-29", "2024-03-01"],
    "lengths": ["PT1M", "-PT2H"],
    "rightsLists": ["read", "write,share"],
}


def sample(**properties: Any) -> dict[str, Any]:
    return edm.whole(Sample, edm.load(Sample, {"id": "1", **properties}, partial=True))


FULL, EMPTY = sample(**STORED), sample()

TRUE = [
    "guid eq 01234567-89ab-cdef-0123-456789abcdef",
    "guid eq 01234567-89AB-CDEF-0123-456789ABCDEF",
    "guid in (01234567-89AB-CDEF-0123-456789ABCDEF)",
    "guid gt 01234567-0000-0000-0000-000000000000",
    "guid in guids and guids/any(g:g eq 01234567-89ab-cdef-0123-456789abcdef)",
    "day eq 2024-02-29 and day lt 2024-03-01",
    "day in (2024-02-28,2024-02-29)",
    "days/all(d:d ge day) and day in days",
    "year(day) eq 2024 and month(day) eq 2 and day(day) eq 29",
    "date(moment) eq day",
    "clock eq 07:59:59.5 and clock eq 07:59:59.5000",
    "clock gt 07:59 and clock lt 08:00:00",
    "clock in (07:59:59.50)",
    "hour(clock) eq 7 and minute(clock) eq 59 and second(clock) eq 59",
    "length eq duration'P1DT1.5S' and length eq P1DT1.5S",
    "length eq duration'PT24H0M1.500S' and length gt duration'P1D'",
    "-length lt length and length sub length eq duration'PT0S'",
    "length add duration'PT1S' eq duration'P1DT2.5S'",
    "length in (P1DT1.5S)",
    "lengths/any(l:l lt PT0S) and PT60S in lengths",
    "totalseconds(length) eq 86401.5",
    "moment add length eq 2024-03-01T12:00:01.6234567Z",
    "moment sub length lt 2024-02-28T12:00:00Z",
    "moment sub 2024-02-29T12:00:00Z eq duration'PT0.1234567S'",
    "moment sub duration'P1D' eq 2024-02-28T12:00:00.1234567Z",
    "moment gt now() sub duration'P36500D'",
    "day add duration'P1D' eq 2024-03-01 and day sub duration'PT36H' eq 2024-02-28",
    "day sub 2024-02-01 eq duration'P28D'",
    "year(moment add duration'P366D') eq 2025",
    "price eq 12.5 and price eq 12.50 and price lt 1e3 and price gt 12",
    "ratio eq 0.25 and ratio mul 4 eq 1 and ratio in (0.25,INF)",
    "small eq 255 and small add 1 eq 256",
    "signed eq -128 and -signed eq 128",
    "short lt signed and short eq -32768",
    "bytes eq binary'AP-_' and bytes eq binary'AP+/' and bytes ne binary'AAAA'",
    "bytes in (binary'AP-_')",
    "rights has 'read' and rights has microsoft.graph.rights'share,read'",
    "rights has 'none' and not (rights has 'write')",
    "rights eq 'read,share' and rights eq graph.rights'READ, Share'",
    "rights ne 'read' and rights gt 'full' and rights in ('read','share,read')",
    "rightsLists/any(r:r has 'write' and r has 'share') and rightsLists/all(r:r ne 'none')",
    "code eq 'abcd' and length(code) eq 4",
    "part eq 0.5",
    "any/n eq 1 and any ne null",
    "point ne null and point eq point",
    "not (point in (null))",
]


@pytest.mark.parametrize("text", TRUE)
def test_literals_and_properties(text: str) -> None:
    compiled = compile_filter(text, Scope(Sample))
    assert compiled.matches(FULL)
    assert not compile_filter(f"not ({text})", Scope(Sample)).matches(FULL)
    assert all(is_met(condition, FULL) for condition in compiled.conditions)


@pytest.mark.parametrize("name", STORED)
def test_what_is_unset_is_null(name: str) -> None:
    if isinstance(STORED[name], list):
        assert compile_filter(f"not {name}/any()", Scope(Sample)).matches(EMPTY)
        return
    assert compile_filter(f"{name} eq null", Scope(Sample)).matches(EMPTY)
    assert compile_filter(f"{name} ne null", Scope(Sample)).matches(FULL)
    assert not compile_filter(f"{name} in (null)", Scope(Sample)).matches(FULL)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("guid eq 'x'", "'eq' cannot compare Edm.Guid with Edm.String"),
        ("guid eq 0123", "'eq' cannot compare Edm.Guid with Edm.Int64"),
        ("day eq '2024-02-29'", "Edm.Date with Edm.String"),
        ("day eq 2024-02-29T00:00:00Z", "Edm.Date with Edm.DateTimeOffset"),
        ("day eq 2024-02-30", "'2024-02-30' is not a valid date"),
        ("clock eq 24:00", "'24:00' is not a valid time"),
        ("clock eq 2024-01-01", "Edm.TimeOfDay with Edm.Date"),
        ("length eq 'P1D'", "Edm.Duration with Edm.String"),
        ("length eq duration'P1Y'", "not a valid"),
        ("length eq duration'1D'", "not a valid"),
        ("length gt 5", "Edm.Duration with Edm.Int64"),
        ("length add 1 eq length", "'add' cannot be applied to Edm.Duration"),
        ("moment add moment eq moment", "'add' cannot be applied to Edm.DateTimeOffset"),
        ("duration'P1D' sub moment eq length", "'sub' cannot be applied to Edm.Duration"),
        ("clock add length eq clock", "'add' cannot be applied to Edm.TimeOfDay"),
        ("price eq '12.5'", "Edm.Double with Edm.String"),
        ("small eq true", "Edm.Int64 with Edm.Boolean"),
        ("bytes gt binary'AAAA'", "'gt' cannot compare Edm.Binary with Edm.Binary"),
        ("bytes eq 'AP-_'", "Edm.Binary with Edm.String"),
        ("rights has 'nope'", "'nope' is not a member of 'microsoft.graph.rights'"),
        ("rights eq 'read,nope'", "is not a member of 'microsoft.graph.rights'"),
        ("rights eq ','", "is not a member of 'microsoft.graph.rights'"),
        ("point gt point", "'gt' cannot compare Edm.Geography with Edm.Geography"),
        ("point lt null", "'lt' cannot compare Edm.Geography with null"),
        ("any/x/y gt 5 and nope eq 1", "'nope' does not exist on type 'microsoft.graph.sample'"),
    ],
)
def test_what_cannot_be_compared(text: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        compile_filter(text, Scope(Sample))


@pytest.mark.parametrize(
    "text",
    [
        "length mul 2 gt PT0S",
        "length div 2 gt PT0S",
        "moment sub any lt length",
        "point eq geography'Point(1 2)'",
    ],
)
def test_what_is_not_emulated(text: str) -> None:
    with pytest.raises(NotEmulated):
        compile_filter(text, Scope(Sample))


@pytest.mark.parametrize(
    "text", ["moment add duration'P9999999D' gt now()", "day sub duration'P999999D' lt day"]
)
def test_instants_beyond_the_calendar_fail_the_request(text: str) -> None:
    with pytest.raises(BadRequest, match="years 1 to 9999"):
        compile_filter(text, Scope(Sample)).matches(FULL)


def test_the_longest_duration_is_a_value() -> None:
    longest = sample(length="-P999999999DT999999999H999999999M999999999.999999999999S")
    assert compile_filter("length lt duration'P1D'", Scope(Sample)).matches(longest)
    assert compile_filter("length eq length", Scope(Sample)).matches(longest)


ORDERED: dict[str, list[Any]] = {
    "guid": ["00000000-0000-0000-0000-00000000000A", "00000000-0000-0000-0000-00000000000b"],
    "day": ["1999-12-31", "2024-02-29"],
    "clock": ["07:59", "07:59:00.1", "07:59:00.15", "23:59:59"],
    "length": ["-P2D", "PT0S", "PT90S", "PT1M31S", "P1D"],
    "moment": ["2024-01-01T00:00:00+01:00", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.1Z"],
    "price": [-1, 0.5, 2],
    "ratio": ["NaN", "-INF", 0, "INF"],
    "small": [0, 9, 10],
    "rights": ["none", "write,read", "share", "share,read"],
    "any": [True, 5, "text", {"n": 1}],
}


@pytest.mark.parametrize("name", ORDERED)
def test_each_type_has_its_order(name: str) -> None:
    values = [None, *ORDERED[name]]
    stored = [sample(id=str(index), **{name: value}) for index, value in enumerate(values)]
    for text, expected in ((name, stored), (f"{name} desc", stored[::-1])):
        shuffled = stored[1::2] + stored[::2]
        assert compile_orderby(text, Scope(Sample)).sort(shuffled) == expected


@pytest.mark.parametrize("name", ["bytes", "point", "guids", "rightsLists"])
def test_what_has_no_order(name: str) -> None:
    with pytest.raises(BadRequest, match="cannot be ordered by"):
        compile_orderby(name, Scope(Sample))
