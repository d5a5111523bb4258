"""The examples of OData 4.01, part 2 (URL conventions), and of the ABNF's test cases that
apply: each of them on an entity of which it holds."""

from __future__ import annotations

import pytest

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.odata.options import read_options

PATTERN = edm.EnumValues(
    "microsoft.graph.pattern", {"Plain": 0, "Red": 1, "Yellow": 4}, is_flags=True
)


class Address(edm.ComplexSchema):
    City = edm.String()
    Country = edm.String()


class Item(edm.ComplexSchema):
    Quantity = edm.Int32()
    Name = edm.String()


class Product(edm.EntitySchema):
    Name = edm.String()
    Price = edm.Double()
    Rating = edm.Int32()
    style = edm.Enum(PATTERN)
    CompanyName = edm.String()
    City = edm.String()
    Country = edm.String()
    BirthDate = edm.DateTimeOffset()
    StartTime = edm.DateTimeOffset()
    Freight = edm.Double()
    Address = edm.Complex(Address)
    Items = edm.Collection(edm.Complex(Item))
    Tags = edm.Collection(edm.String())
    Discontinued = edm.Boolean()


PRODUCT = edm.whole(
    Product,
    edm.load(
        Product,
        {
            "Name": "Milk",
            "Price": 2.55,
            "Rating": 5,
            "style": "Yellow",
            "CompanyName": "Alfreds Futterkiste",
            "City": "Berlin",
            "Country": "Germany",
            "BirthDate": "1971-05-08T04:40:40.05Z",
            "StartTime": "2000-01-01T00:00:00Z",
            "Freight": 32.2,
            "Address": {"City": "Redmond", "Country": "US"},
            "Items": [{"Quantity": 101, "Name": "O'Neil"}],
            "Tags": ["a"],
            "Discontinued": False,
        },
    ),
)

EXAMPLES = """
Name eq 'Milk'
Name ne 'milk'
Name gt 'Cheese'
Name ge 'Milk'
Name lt 'Oil'
Name le 'Milk'
Name eq 'Milk' and Price lt 2.56
Name eq 'Milk' or Price lt 2.55
not endswith(Name,'ilk') eq false
style has microsoft.graph.pattern'Yellow'
Name in ('Milk', 'Cheese')
Price add 2.45 eq 5.00
Price sub 0.55 eq 1.9999999999999998
Price mul 2.0 eq 5.10
Price div 2.55 eq 1
Rating div 2 eq 2
Rating divby 2 eq 2.5
Rating mod 5 eq 0
(4 add 5) mod (4 sub 1) eq 0
concat(concat(City,', '),Country) eq 'Berlin, Germany'
contains(CompanyName,'Alfreds')
endswith(CompanyName,'Futterkiste')
indexof(CompanyName,'lfreds') eq 1
length(CompanyName) eq 19
startswith(CompanyName,'Alfr')
substring(CompanyName,1) eq 'lfreds Futterkiste'
substring(CompanyName,1,2) eq 'lf'
tolower(CompanyName) eq 'alfreds futterkiste'
toupper(CompanyName) eq 'ALFREDS FUTTERKISTE'
trim(CompanyName) eq CompanyName
day(BirthDate) eq 8
fractionalseconds(BirthDate) lt 0.1
hour(BirthDate) eq 4
minute(BirthDate) eq 40
month(BirthDate) eq 5
second(BirthDate) eq 40
year(BirthDate) eq 1971
date(StartTime) eq date(StartTime)
time(StartTime) eq 00:00:00
StartTime lt now()
StartTime ne mindatetime()
StartTime ne maxdatetime()
totaloffsetminutes(StartTime) eq 0
round(Freight) eq 32
floor(Freight) eq 32
ceiling(Freight) eq 33
Items/any(d:d/Quantity gt 100)
Items/all(d:d/Quantity gt 100)
Items/any(i:i/Name eq 'O''Neil')
Items/$count gt 0
Tags/$count lt 2
Address/City eq 'Redmond'
$it/Address/Country eq 'US'
Discontinued eq false
not Discontinued
true
null eq null
Price gt -1.5e-3
-Price lt 0
(Name eq 'Milk') and (Price gt 2)
""".strip().splitlines()


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_holds(text: str) -> None:
    query = read_options([("$filter", text)], Product)
    assert query.filter is not None
    assert query.filter.matches(PRODUCT)


@pytest.mark.parametrize(
    "text",
    [
        "Name eq",
        "Name eq Milk'",
        "Name eq 'O'Neil'",
        "Rating gt '50'",
        "Items/any(d:d/Quantity)",
        "Items/all()",
        "not Name",
        "Name and Price",
    ],
)
def test_a_counterexample_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match=r"^The query option '\$filter' is not valid: "):
        read_options([("$filter", text)], Product)
