"""Series against what KQL's documentation says of them, and of series that anybody can work out."""

from __future__ import annotations

from typing import Any

import pytest

from .hunts import hunted, rows, value

# A week with a peak on its last day, four times; in the third week it is much higher.
WEEKS = [10, 11, 10, 12, 10, 11, 30] * 4
STRANGE = [*WEEKS[:16], 90, *WEEKS[17:]]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("series_add(dynamic([1, 2, 4]), dynamic([4, 2, 1]))", [5.0, 4.0, 5.0]),
        ("series_subtract(dynamic([1, 2]), 1)", [0.0, 1.0]),
        ("series_multiply(2, dynamic([1, 2]))", [2.0, 4.0]),
        ("series_divide(dynamic([1, 2]), dynamic([0, 4]))", [None, 0.5]),
        ("series_greater(dynamic([1, 4]), dynamic([4, 2]))", [False, True]),
        ("series_abs(dynamic([-1, 2]))", [1.0, 2.0]),
        ("series_sum(dynamic([1, 2, 3.5]))", 6.5),
        ("series_fill_const(dynamic([null, 1]), 0)", [0.0, 1.0]),
        ("series_fill_forward(dynamic([1, null, null, 2]))", [1.0, 1.0, 1.0, 2.0]),
        ("series_fill_backward(dynamic([null, 2, -1]), -1)", [2.0, 2.0, None]),
        ("series_fill_linear(dynamic([null, 1, null, 3, null]))", [1.0, 1.0, 2.0, 3.0, 3.0]),
        (
            "series_fir(dynamic([0, 0, 5, 0, 0]), dynamic([1, 1, 1, 1, 1]))",
            [0.0, 0.0, 1.0, 1.0, 1.0],
        ),
        (
            "series_fir(dynamic([0, 0, 6, 0, 0]), dynamic([1, 1, 1]), false, true)",
            [0.0, 6.0, 6.0, 6.0, 0.0],
        ),
        ("series_stats_dynamic(dynamic([1, 2, 6])).max_idx", 2),
        ("series_fit_line_dynamic(dynamic([2, 4, 6])).slope", 2.0),
        ("series_outliers(dynamic([5, 5, 5]))", [0.0, 0.0, 0.0]),
    ],
)
def test_a_function_of_a_series_has_its_documented_value(expression: str, expected: Any) -> None:
    assert value(expression) == expected


def test_a_function_that_makes_several_columns_names_those_that_the_query_does_not() -> None:
    found = hunted(
        "print s = dynamic([2, 4, 6]) | extend (square, slope) = series_fit_line(s)"
        " | extend series_stats(s) | project-away s"
    )
    (row,) = found.results
    assert (row["square"], row["slope"]) == (1.0, 2.0)
    assert row["series_fit_line_s_interception"] == 2.0
    assert row["series_fit_line_s_line_fit"] == [2.0, 4.0, 6.0]
    assert (row["series_stats_s_min_idx"], row["series_stats_s_avg"]) == (0, 4.0)


def test_the_period_of_a_series_is_found() -> None:
    ((periods, scores),) = rows(
        f"print s = dynamic({WEEKS}) | extend (p, q) = series_periods_detect(s, 2, 14, 1)"
        " | project p, q"
    )
    assert periods == [7.0]
    assert scores[0] > 0.8


def test_what_comes_again_each_week_is_no_anomaly_and_what_does_not_is_one() -> None:
    query = "print s = dynamic({}) | extend (flag, score, base) = series_decompose_anomalies(s)"
    ((flags,),) = rows(f"{query.format(WEEKS)} | project flag")
    assert flags == [0] * 28
    ((flags, score),) = rows(f"{query.format(STRANGE)} | project flag, score[16]")
    assert [place for place, flag in enumerate(flags) if flag == 1] == [16]
    assert score > 1.5


def test_a_spike_in_a_series_of_nothing_is_an_anomaly() -> None:
    ((flags,),) = rows(
        "print s = dynamic([0, 0, 0, 0, 0, 0, 9, 0, 0, 0])"
        " | extend (flag, score, base) = series_decompose_anomalies(s) | project flag"
    )
    assert flags == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0]


def test_a_series_is_the_sum_of_its_parts() -> None:
    ((base, trend, rest),) = rows(
        f"print s = dynamic({STRANGE})"
        " | extend (b, season, t, r) = series_decompose(s, 7, 'linefit') | project b, t, r"
    )
    assert [a + b for a, b in zip(base, rest, strict=True)] == pytest.approx(STRANGE)
    assert len(trend) == len(STRANGE)
