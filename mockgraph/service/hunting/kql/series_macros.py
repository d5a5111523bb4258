"""Macros of DuckDB for series: arrays of numbers at even distances, such as make-series makes.

Each takes lists of numbers, the null of which is a gap. What a series is decomposed into is
worked out step by step, each step a subquery over the one below it, so that nothing is worked
out for each element again.
"""

from __future__ import annotations

_LONGEST = 4096  # points: the period of a longer series is not looked for

SERIES_MACROS = (
    "kql_numbers(a) AS list_transform(kql_texts(a), lambda e: TRY_CAST(e AS DOUBLE))",
    "kql_no_gaps(x) AS list_transform(x, lambda v: coalesce(v, 0))",
    # The line of least squares: its slope, its height at the first point, how well it fits.
    "kql_line(x) AS (SELECT {'slope': slope, 'interception': y - slope * (n - 1) / 2,"
    " 'line': list_transform(range(0, CAST(n AS BIGINT)), lambda i: y + slope * (i - (n - 1) / 2)),"
    " 'variance': d2 / n, 'rvariance': (d2 - slope * slope * x2) / n,"
    " 'rsquare': CASE WHEN d2 = 0 THEN 1.0 ELSE slope * slope * x2 / d2 END} FROM ("
    "SELECT *, CASE WHEN x2 = 0 THEN 0.0 ELSE list_sum(list_transform(range(0, CAST(n AS BIGINT)),"
    " lambda i: (i - (n - 1) / 2) * z[CAST(i + 1 AS BIGINT)])) / x2 END AS slope FROM ("
    "SELECT z, n, y, (n * n * n - n) / 12.0 AS x2,"
    " list_sum(list_transform(z, lambda v: (v - y) * (v - y))) AS d2 FROM ("
    "SELECT kql_no_gaps(x) AS z, CAST(len(x) AS DOUBLE) AS n,"
    " coalesce(list_avg(kql_no_gaps(x)), 0) AS y))))",
    # How like itself a series without a trend is when it is moved by each number of points.
    "kql_likeness(d) AS (SELECT list_transform(range(0, len(z) // 2 + 2), lambda p:"
    " CASE WHEN p < 1 OR power = 0 OR p >= len(z) THEN 0.0"
    " ELSE list_dot_product(z[1:len(z) - p], z[p + 1:len(z)]) / (len(z) - p) / power END)"
    " FROM (SELECT d AS z, list_avg(list_transform(d, lambda v: v * v)) AS power))",
    # The places of the peaks of the likeness, from the highest down.
    "kql_peaks(d) AS (SELECT list_transform(list_reverse_sort(list_transform(list_filter("
    "range(3, len(a)), lambda k: a[k] > a[k - 1] AND a[k] >= a[k + 1] AND a[k] > 0),"
    " lambda k: {'score': round(a[k], 9), 'earlier': -k})),"
    " lambda e: {'period': -e.earlier - 1, 'score': e.score})"
    f" FROM (SELECT CASE WHEN len(d) <= {_LONGEST} THEN kql_likeness(d) ELSE [0.0] END AS a))",
    # A series as a trend, what comes again with each period, and what is left.
    "kql_decomposed(x, season, trending, likeness) AS (SELECT {'trend': trend,"
    " 'seasonal': seasonal,"
    " 'baseline': list_transform(range(1, len(z) + 1), lambda i: trend[i] + seasonal[i]),"
    " 'residual': list_transform(range(1, len(z) + 1), lambda i: z[i] - trend[i] - seasonal[i])"
    "} FROM (SELECT *, CASE WHEN coalesce(period, 0) <= 1"
    " THEN list_transform(z, lambda v: 0.0) ELSE list_transform(range(0, len(z)), lambda i:"
    " profile[i % period + 1]) END AS seasonal FROM ("
    "SELECT *, list_transform(range(0, least(coalesce(period, 0), len(z))), lambda r:"
    " list_avg(flat[r + 1:len(z):period])) AS profile FROM (SELECT *,"
    " CASE WHEN season >= 0 THEN season"
    " WHEN coalesce(peaks[1].score, 0) >= likeness THEN peaks[1].period ELSE 0 END AS period"
    " FROM (SELECT *, CASE WHEN season < 0 THEN kql_peaks(flat) END AS peaks FROM ("
    "SELECT *, list_transform(range(1, len(z) + 1), lambda i: z[i] - trend[i]) AS flat FROM ("
    "SELECT z, CASE trending WHEN 'none' THEN list_transform(z, lambda v: 0.0)"
    " WHEN 'linefit' THEN (kql_line(z)).line ELSE list_transform(z, lambda v: average) END AS trend"
    " FROM (SELECT kql_no_gaps(x) AS z, list_avg(kql_no_gaps(x)) AS average))))))))",
    # How far outside of two quantiles values are, as a part of the distance between these.
    "kql_outliers(x, low, high) AS (SELECT list_transform(x, lambda v:"
    " CASE WHEN v IS NULL OR breadth = 0 THEN 0.0 WHEN v > q[2] THEN (v - q[2]) / breadth"
    " WHEN v < q[1] THEN (v - q[1]) / breadth ELSE 0.0 END) FROM (SELECT q,"
    " CASE WHEN q[2] > q[1] THEN q[2] - q[1] ELSE coalesce(list_stddev_pop(x), 0) END AS breadth"
    " FROM (SELECT list_aggregate(x, 'quantile_cont', [low, high]) AS q)))",
    "kql_anomalies(x, threshold, season, trending, low, high, likeness) AS (SELECT {'flag':"
    " list_transform(score, lambda s: CASE WHEN s >= threshold THEN 1 WHEN s <= -threshold THEN -1"
    " ELSE 0 END), 'score': score, 'baseline': parts.baseline} FROM (SELECT parts,"
    " kql_outliers(parts.residual, low, high) AS score FROM ("
    "SELECT kql_decomposed(x, season, trending, likeness) AS parts)))",
    "kql_series_stats(x) AS (SELECT {'min': list_min(x), 'min_idx': list_position(x, list_min(x))"
    " - 1, 'max': list_max(x), 'max_idx': list_position(x, list_max(x)) - 1, 'avg': list_avg(x),"
    " 'stdev': coalesce(list_stddev_samp(x), 0), 'variance': coalesce(list_var_samp(x), 0),"
    " 'sum': list_sum(x), 'len': len(x)})",
    # A gap takes the value before it, or behind it, or those on a line between both.
    "kql_filled_forward(x) AS list_transform(range(1, len(x) + 1), lambda i:"
    " list_last(list_filter(x[1:i], lambda v: v IS NOT NULL)))",
    "kql_filled_backward(x) AS list_reverse(kql_filled_forward(list_reverse(x)))",
    "kql_places(x) AS list_filter(range(1, len(x) + 1), lambda i: x[i] IS NOT NULL)",
    "kql_filled_linear(x) AS (SELECT list_transform(range(1, len(z) + 1), lambda i:"
    " CASE WHEN z[i] IS NOT NULL THEN z[i] ELSE kql_between(z, i,"
    " list_max(list_filter(p, lambda k: k < i)), list_min(list_filter(p, lambda k: k > i))) END)"
    " FROM (SELECT x AS z, kql_places(x) AS p))",
    "kql_between(x, i, a, b) AS CASE WHEN a IS NULL THEN x[b] WHEN b IS NULL THEN x[a]"
    " ELSE x[a] + (x[b] - x[a]) * (i - a) / (b - a) END",
    # A filter of finite impulse response: each point with those before it, weighted.
    "kql_fir(x, weights, total, ahead) AS list_transform(range(1, len(x) + 1), lambda i:"
    " list_sum(list_transform(range(1, len(weights) + 1), lambda k:"
    " weights[k] * coalesce(x[greatest(least(i + ahead - k + 1, len(x) + 1), 0)], 0))) / total)",
)
