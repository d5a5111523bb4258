"""``where``, ``project``, ``summarize`` and ``join`` against the same in plain Python."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from profiles import examples

from .hunts import rows

Row = tuple[str, int | None]

TEXT = st.sampled_from(["", "a", "A", "b", "ab", "a b", "a_b", "b-a", "ß"])
NUMBER = st.one_of(st.none(), st.integers(-3, 3))
TABLE = st.lists(st.tuples(TEXT, NUMBER), max_size=8)
OPERATORS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


def table(data: list[Row]) -> str:
    values = ", ".join(f"'{text}', {'long(null)' if n is None else n}" for text, n in data)
    return f"datatable(t: string, n: long)[{values}]"


def holds(sign: str, left: int | None, right: int | None) -> bool | None:
    """Return what a comparison of KQL is; None for null."""
    if left is None or right is None:
        if sign == "==":
            return None if left is right else False
        if sign == "!=":
            return None if left is right else True
        return None
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[sign]


def negation(value: bool | None) -> bool | None:
    return None if value is None else not value


def both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if None in (one, other) else True


@settings(deadline=None, max_examples=examples(40))
@given(TABLE, OPERATORS, NUMBER, OPERATORS, st.booleans(), st.booleans())
def test_where_keeps_the_rows_for_which_the_condition_holds(
    data: list[Row], sign: str, bound: int | None, other: str, negated: bool, either: bool
) -> None:
    number = "long(null)" if bound is None else str(bound)
    first = f"n {sign} {number}"
    second = f"n {other} n - 1 + 1"
    condition = f"({first}) {'or' if either else 'and'} ({second})"
    if negated:
        condition = f"not({condition})"

    def kept(row: Row) -> bool:
        one, two = holds(sign, row[1], bound), holds(other, row[1], row[1])
        found = negation(both(negation(one), negation(two))) if either else both(one, two)
        return (negation(found) if negated else found) is True

    assert rows(f"{table(data)} | where {condition}") == [list(row) for row in data if kept(row)]


@settings(deadline=None, max_examples=examples(40))
@given(TABLE, TEXT)
def test_the_string_operators_agree_with_python(data: list[Row], sought: str) -> None:
    def terms(text: str) -> bool:
        """Tell whether a text is in another between characters that are no letters or digits."""
        low, want = text.lower(), sought.lower()
        for at in range(len(low) - len(want) + 1):
            if low[at : at + len(want)] != want:
                continue
            before, after = low[:at][-1:], low[at + len(want) :][:1]
            if (want[:1].isalnum() and before.isalnum()) or (
                want[-1:].isalnum() and after.isalnum()
            ):
                continue
            return True
        return False

    query = (
        f"{table(data)} | project t has '{sought}', t contains '{sought}', t startswith '{sought}',"
        f" t endswith '{sought}', t =~ '{sought}', t == '{sought}', t in~ ('{sought}', 'zz')"
    )
    low = sought.lower()
    assert rows(query) == [
        [
            int(each)
            for each in (
                terms(text),
                low in text.lower(),
                text.lower().startswith(low),
                text.lower().endswith(low),
                text.lower() == low,
                text == sought,
                text.lower() == low,
            )
        ]
        for text, _ in data
    ]


@settings(deadline=None, max_examples=examples(40))
@given(TABLE)
def test_project_computes_each_row(data: list[Row]) -> None:
    query = (
        f"{table(data)} | project strcat(t, '!'), n * 2 - 1, iff(isnull(n), -9, n % 2), strlen(t)"
    )
    assert rows(query) == [
        [
            f"{text}!",
            None if n is None else n * 2 - 1,
            -9 if n is None else (abs(n) % 2) * (1 if n >= 0 else -1),
            len(text),
        ]
        for text, n in data
    ]


@settings(deadline=None, max_examples=examples(40))
@given(TABLE)
def test_summarize_aggregates_each_group(data: list[Row]) -> None:
    query = (
        f"{table(data)} | summarize count(), sum(n), min(n), max(n), dcount(n), countif(n > 0),"
        " make_list(n), make_set(n) by t | sort by t asc"
    )
    groups: dict[str, list[int | None]] = defaultdict(list)
    for text, n in data:
        groups[text].append(n)
    expected: list[list[Any]] = []
    for text in sorted(groups, key=lambda each: each.encode()):
        all_ = groups[text]
        numbers = [n for n in all_ if n is not None]
        expected.append(
            [
                text,
                len(all_),
                sum(numbers),
                min(numbers, default=None),
                max(numbers, default=None),
                len(set(numbers)),
                sum(n > 0 for n in numbers),
                sorted(numbers),
                sorted(set(numbers)),
            ]
        )
    found = rows(query)
    for row in found:
        row[7] = sorted(row[7])
    assert found == expected


@settings(deadline=None, max_examples=examples(30))
@given(TABLE, TABLE)
def test_an_inner_join_pairs_the_rows_with_equal_keys(left: list[Row], right: list[Row]) -> None:
    query = f"{table(left)} | join kind=inner ({table(right)}) on t, n"
    expected = [
        [*one, *other]
        for one in left
        for other in right
        if one[0] == other[0] and one[1] is not None and one[1] == other[1]
    ]
    assert sorted(rows(query), key=str) == sorted(expected, key=str)
