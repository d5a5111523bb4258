"""Edm.DateTimeOffset as text: the same moment, whatever the offset and the digits."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
from edm_strategies import instants as any_instant
from hypothesis import given
from hypothesis import strategies as st

from mockgraph import instants


def moment(text: str) -> Fraction:
    """Seconds since year 1, exactly; read by other means than the code under test."""
    if text.endswith("Z"):
        local, offset = text[:-1], timedelta()
    else:
        local, sign, clock = text[:-6], text[-6], text[-5:]
        hours, minutes = clock.split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
    whole, _, digits = local.partition(".")
    seconds = (datetime.fromisoformat(whole) - offset - datetime(1, 1, 1)).total_seconds()
    return Fraction(int(seconds)) + (Fraction(int(digits), 10 ** len(digits)) if digits else 0)


@given(any_instant())
def test_the_same_moment_in_utc(text: str) -> None:
    utc = instants.to_utc(text)
    assert utc.endswith("Z")
    assert moment(utc) == moment(text)
    assert instants.to_utc(utc) == utc


@given(any_instant())
def test_the_digits_are_kept(text: str) -> None:
    def digits(of: str) -> str:
        return of.partition(".")[2].rstrip("Z").split("+")[0].split("-")[0]

    assert digits(instants.to_utc(text)) == digits(text)


@given(st.tuples(any_instant(), any_instant()))
def test_keys_sort_as_moments(pair: tuple[str, str]) -> None:
    (a, b), (x, y) = map(moment, pair), (instants.sort_key(instants.to_utc(each)) for each in pair)
    assert (a < b, a == b) == (x < y, x == y)


@given(any_instant().filter(lambda text: "." in text), st.integers(0, 7))
def test_trailing_zeros_do_not_move_a_moment(text: str, zeros: int) -> None:
    utc = instants.to_utc(text)
    padded = f"{utc[:-1]}{'0' * zeros}Z"
    assert instants.sort_key(padded) == instants.sort_key(utc)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05z", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04Z", "2024-01-02T03:04:00Z"),
        ("2016-12-31T23:59:56.3009595+03:00", "2016-12-31T20:59:56.3009595Z"),
        ("2024-01-02T03:04:05.123456+00:00", "2024-01-02T03:04:05.123456Z"),
        ("2024-03-01T00:30:00.1+14:00", "2024-02-29T10:30:00.1Z"),
        ("2023-12-31T23:30:00-14:00", "2024-01-01T13:30:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"),
    ],
)
def test_examples(text: str, utc: str) -> None:
    assert instants.to_utc(text) == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024",
        "2024-01-02",
        "2024-01-02T03:04:05",
        "2024-01-02 03:04:05Z",
        "2024-01-02T03:04:05.Z",
        "2024-01-02T03:04:05.12345678Z",
        "2024-01-02T03:04.5Z",
        "2024-01-02T24:00:00Z",
        "2024-01-02T23:60:00Z",
        "2024-01-02T23:59:60Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2024-01-02T03:04:05+14:01",
        "2024-01-02T03:04:05+01:60",
        "2024-01-02T03:04:05+0100",
        "2024-01-02T03:04:05+1:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2024-01-02T03:04:05Z ",
        "2024-01-02T03:04:05Z\n",
        "٢٠٢٤-01-02T03:04:05Z",
        "2024-01-02T03:04:05.\u0661Z",
        "-2024-01-02T03:04:05Z",
        "12024-01-02T03:04:05Z",
    ],
)
def test_no_instants(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an|out of range|month|day|year"):
        instants.to_utc(text)


def test_now_is_an_instant_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= datetime.fromisoformat(instants.now()) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01", "2026-12-01T00:00:00Z"),
        (" 2026-12-01 10:30 ", "2026-12-01T10:30:00Z"),
        ("2026-12-01T10:30:00.1234567-01:00", "2026-12-01T11:30:00.1234567Z"),
    ],
)
def test_instants_that_lack_something(text: str, utc: str) -> None:
    assert instants.to_utc_leniently(text) == utc


@pytest.mark.parametrize("text", ["", " ", "T", "today", "2026-12", "2026-12-01  10:30"])
def test_what_lacks_too_much(text: str) -> None:
    with pytest.raises(ValueError, match="instant"):
        instants.to_utc_leniently(text)


@given(st.dates(), st.times(), st.integers(0, 7))
def test_an_instant_as_it_is_kept_stays_as_it_is(day: date, clock: time, count: int) -> None:
    fraction = f".{clock.microsecond:07}"[: count + 1] if count else ""
    text = f"{day}T{clock:%H:%M:%S}{fraction}Z"
    assert instants.to_utc(text) == text == instants.to_utc_leniently(text)


@given(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32))
def test_a_day_that_there_is_not_is_refused(year: int, month: int, number: int) -> None:
    text = f"{year:04}-{month:02}-{number:02}"
    try:
        date.fromisoformat(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            instants.to_utc(f"{text}T00:00:00Z")
    else:
        assert instants.to_utc(f"{text}T00:00:00Z") == f"{text}T00:00:00Z"
