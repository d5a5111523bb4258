"""Macros of DuckDB that generated SQL is written in: what KQL does and SQL does not."""

from __future__ import annotations

from mockgraph.service.hunting.kql.series_macros import SERIES_MACROS

_OTHER_DATES = (
    "['%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y', '%a, %d %b %Y %H:%M:%S',"
    " '%a, %d %b %Y %H:%M:%S GMT', '%d %b %Y %H:%M:%S', '%d %b %Y', '%d %B %Y', '%b %d, %Y',"
    " '%B %d, %Y']"
)
_DAY = 86_400_000_000

_LONGEST_TEXT = 100_000_000  # characters that replacing may make; DuckDB does not bound them

MACROS = (
    # A text that is worked out only where it cannot be too long.
    f"kql_bounded(a, most) AS CASE WHEN most > {_LONGEST_TEXT}"
    " THEN error('a text would be too long.') ELSE a END",
    # A comparison with null: of two nulls, null; of one, false.
    "kql_equal(a, b) AS CASE WHEN a IS NULL AND b IS NULL THEN NULL"
    " ELSE a IS NOT DISTINCT FROM b END",
    "kql_instant(a) AS coalesce(strftime(a, '%Y-%m-%dT%H:%M:%S.%f') || '0Z', '')",
    "kql_span_of(a) AS"
    f" CASE WHEN a >= {_DAY} THEN CAST(a // {_DAY} AS VARCHAR) || '.' ELSE '' END"
    f" || printf('%02d:%02d:%02d', (a % {_DAY}) // 3600000000, (a // 60000000) % 60,"
    " (a // 1000000) % 60)"
    " || CASE WHEN a % 1000000 = 0 THEN '' ELSE printf('.%06d0', a % 1000000) END",
    "kql_span(a) AS coalesce(CASE WHEN a < 0 THEN '-' ELSE '' END || kql_span_of(abs(a)), '')",
    "kql_to_bool(a) AS CASE lower(a) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE"
    " WHEN '1' THEN TRUE WHEN '0' THEN FALSE END",
    "kql_to_long(a) AS coalesce(CASE WHEN contains(a, '.')"
    " THEN TRY_CAST(trunc(TRY_CAST(a AS DOUBLE)) AS BIGINT) ELSE TRY_CAST(a AS BIGINT) END)",
    "kql_to_datetime(a) AS coalesce(timezone('UTC', TRY_CAST(a AS TIMESTAMPTZ)),"
    f" try_strptime(a, {_OTHER_DATES}))",
    # [-][d.]hh:mm:ss[.f], or a number of days
    r"kql_to_timespan(a) AS CASE"
    r" WHEN regexp_full_match(a, '-?\d+') THEN TRY_CAST(a AS BIGINT) * 86400000000"
    r" WHEN regexp_full_match(a, '-?(\d+\.)?\d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,7})?)?') THEN"
    r" (CASE WHEN a[1] = '-' THEN -1 ELSE 1 END) * CAST(1000000 * ("
    r" coalesce(TRY_CAST(regexp_extract(a, '(\d+)\.\d{1,2}:', 1) AS BIGINT), 0) * 86400"
    r" + CAST(regexp_extract(a, '(\d{1,2}):', 1) AS BIGINT) * 3600"
    r" + CAST(regexp_extract(a, ':(\d{1,2})', 1) AS BIGINT) * 60"
    r" + coalesce(TRY_CAST(regexp_extract(a, ':\d{1,2}:([\d.]+)', 1) AS DOUBLE), 0)"
    r") AS BIGINT) END",
    "kql_parse_json(a) AS CASE WHEN trim(a) = '' THEN NULL"
    " WHEN json_valid(a) THEN json(a) ELSE to_json(a) END",
    # The elements of an array; nothing of what is none.
    "kql_elements(a) AS CASE WHEN json_type(a) = 'ARRAY'"
    """ THEN from_json(a, '["JSON"]') ELSE CAST([] AS JSON[]) END""",
    # What mv-expand makes rows of: elements, or members as bags of one.
    "kql_expandable(a) AS CASE json_type(a) WHEN 'ARRAY' THEN from_json(a, '[\"JSON\"]')"
    " WHEN 'OBJECT' THEN list_transform(json_keys(a), lambda k:"
    " json_object(k, json_extract(a, '/' || replace(replace(k, '~', '~0'), '/', '~1'))))"
    " WHEN 'NULL' THEN CAST([] AS JSON[]) ELSE CASE WHEN a IS NULL THEN CAST([] AS JSON[])"
    " ELSE [a] END END",
    "kql_texts(a) AS list_transform(kql_elements(a),"
    " lambda e: coalesce(json_extract_string(e, '$'), ''))",
    "kql_is_null(a) AS a IS NULL OR coalesce(json_type(a), 'NULL') = 'NULL'",
    "kql_array_length(a) AS CASE WHEN json_type(a) = 'ARRAY' THEN json_array_length(a) END",
    # A member of a bag or an array, by the text of its name.
    "kql_member(a, k) AS json_extract(a, '/' || replace(replace(k, '~', '~0'), '/', '~1'))",
    "kql_at(a, i) AS CASE WHEN json_type(a) = 'ARRAY' THEN json_extract(a, CAST(i AS BIGINT)) END",
    # Whether a text is somewhere in another as whole terms: maximal runs of letters and digits.
    r"kql_term(t) AS CASE WHEN t = '' THEN '' ELSE"
    r" (CASE WHEN regexp_matches(t, '^[\pL\pN]') THEN '(?:^|[^\pL\pN])' ELSE '' END)"
    r" || regexp_escape(t) ||"
    r" (CASE WHEN regexp_matches(t, '[\pL\pN]$') THEN '(?:[^\pL\pN]|$)' ELSE '' END) END",
    "kql_has(a, t) AS regexp_matches(a, '(?is)' || kql_term(t))",
    "kql_decoded(a) AS coalesce(TRY(decode(from_base64("
    "a || repeat('=', CASE length(a) % 4 WHEN 2 THEN 2 WHEN 3 THEN 1 ELSE 0 END)))), '')",
    # An IPv4 address as a number, or null.
    r"kql_ipv4(a) AS CASE WHEN regexp_full_match(a, '\d{1,3}(\.\d{1,3}){3}') THEN"
    r" list_reduce(list_transform(string_split(a, '.'), lambda o:"
    r" CASE WHEN CAST(o AS BIGINT) < 256 THEN CAST(o AS BIGINT) END),"
    " lambda x, y: x * 256 + y) END",
    "kql_ipv4_net(a, bits) AS kql_ipv4(split_part(a, '/', 1)) >> CAST(32 - bits AS BIGINT)",
    "kql_bits(a) AS CASE WHEN contains(a, '/')"
    " THEN TRY_CAST(split_part(a, '/', 2) AS INTEGER) ELSE 32 END",
    "kql_ipv4_in(a, r) AS CASE WHEN kql_bits(r) BETWEEN 0 AND 32"
    " THEN kql_ipv4_net(a, kql_bits(r)) = kql_ipv4_net(r, kql_bits(r)) END",
    "kql_ipv4_private(a) AS kql_ipv4_in(a, '10.0.0.0/8') OR kql_ipv4_in(a, '172.16.0.0/12')"
    " OR kql_ipv4_in(a, '192.168.0.0/16') OR kql_ipv4_in(a, '127.0.0.0/8')"
    " OR kql_ipv4_in(a, '169.254.0.0/16')",
    "kql_ipv4_masked(a, bits) AS (a >> CAST(32 - bits AS BIGINT)) << CAST(32 - bits AS BIGINT)",
    "kql_ipv4_text(a) AS CASE WHEN a BETWEEN 0 AND 4294967295 THEN"
    " printf('%d.%d.%d.%d', a >> 24, (a >> 16) & 255, (a >> 8) & 255, a & 255) END",
    # An IPv6 address, or an IPv4 address mapped into one, as 32 hexadecimal digits, or null.
    r"kql_ipv6(a) AS CASE"
    r" WHEN kql_ipv4(split_part(a, '/', 1)) IS NOT NULL"
    r" THEN repeat('0', 20) || 'ffff' || kql_hex(kql_ipv4(split_part(a, '/', 1)))"
    r" ELSE kql_ipv6_digits(kql_ipv6_plain(lower(split_part(split_part(a, '/', 1), '%', 1)))) END",
    "kql_hex(a) AS lpad(lower(to_hex(CAST(a AS BIGINT))), 8, '0')",
    # The last two groups may be written as an IPv4 address.
    r"kql_ipv6_plain(a) AS CASE WHEN contains(a, '.') AND contains(a, ':') THEN"
    r" regexp_extract(a, '^(.*:)[0-9.]+$', 1)"
    r" || substr(kql_hex(kql_ipv4(regexp_extract(a, '([0-9.]+)$', 1))), 1, 4) || ':'"
    r" || substr(kql_hex(kql_ipv4(regexp_extract(a, '([0-9.]+)$', 1))), 5) ELSE a END",
    "kql_ipv6_groups(a) AS list_transform(list_filter(string_split(a, ':'), lambda g: g <> ''),"
    " lambda g: lpad(g, 4, '0'))",
    r"kql_ipv6_digits(a) AS CASE"
    r" WHEN regexp_full_match(a, '[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}')"
    r" THEN array_to_string(kql_ipv6_groups(a), '')"
    r" WHEN regexp_full_match(a, '([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?::"
    r"([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?')"
    r" AND len(kql_ipv6_groups(a)) < 8 THEN"
    r" rpad(array_to_string(kql_ipv6_groups(split_part(a, '::', 1)), ''),"
    r" CAST(32 - 4 * len(kql_ipv6_groups(split_part(a, '::', 2))) AS INTEGER), '0')"
    r" || array_to_string(kql_ipv6_groups(split_part(a, '::', 2)), '') END",
    "kql_ipv6_text(h) AS array_to_string(list_transform(range(0, 8),"
    " lambda i: substr(h, CAST(4 * i + 1 AS BIGINT), 4)), ':')",
    "kql_ipv6_digit(h, bits) AS"
    " instr('0123456789abcdef', substr(h, CAST(bits // 4 + 1 AS BIGINT), 1)) - 1",
    "kql_ipv6_masked(h, bits) AS rpad(substr(h, 1, CAST(bits // 4 AS BIGINT))"
    " || CASE WHEN bits % 4 = 0 THEN '' ELSE substr('0123456789abcdef',"
    " ((kql_ipv6_digit(h, bits) >> CAST(4 - bits % 4 AS BIGINT)) << CAST(4 - bits % 4 AS BIGINT))"
    " + 1, 1) END, 32, '0')",
    "kql_ipv6_bits(a) AS CASE WHEN contains(a, '/') THEN TRY_CAST(split_part(a, '/', 2) AS BIGINT)"
    " + CASE WHEN contains(a, ':') THEN 0 ELSE 96 END ELSE 128 END",
    "kql_ipv6_net(a, bits) AS CASE WHEN bits BETWEEN 0 AND 128"
    " THEN kql_ipv6_masked(kql_ipv6(a), bits) END",
    "kql_ipv6_common(a, b, bits) AS least(bits, kql_ipv6_bits(a), kql_ipv6_bits(b))",
    "kql_ipv6_order(a, b, bits) AS kql_order(kql_ipv6_net(a, kql_ipv6_common(a, b, bits)),"
    " kql_ipv6_net(b, kql_ipv6_common(a, b, bits)))",
    "kql_order(a, b) AS CASE WHEN a < b THEN -1 WHEN a > b THEN 1 WHEN a = b THEN 0 END",
    "kql_ipv6_in(a, r) AS kql_ipv6_net(a, kql_ipv6_bits(r)) = kql_ipv6_net(r, kql_ipv6_bits(r))",
    r"kql_url_part(a, n) AS coalesce(regexp_extract(a,"
    r" '^(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:([^:@/?#]*)(?::([^@/?#]*))?@)?"
    r"(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$', n), '')",
    "kql_query_parameters(q) AS coalesce((SELECT json_group_object("
    "url_decode(split_part(p, '=', 1)), url_decode(substr(p, instr(p, '=') + 1)))"
    " FROM unnest(string_split(q, '&')) t(p) WHERE contains(p, '=')), '{}'::JSON)",
    "kql_parse_url(a) AS CASE WHEN a = '' THEN NULL ELSE json_object("
    "'Scheme', kql_url_part(a, 1), 'Host', kql_url_part(a, 4), 'Port', kql_url_part(a, 5),"
    " 'Path', kql_url_part(a, 6), 'Username', kql_url_part(a, 2), 'Password', kql_url_part(a, 3),"
    " 'Query Parameters', kql_query_parameters(kql_url_part(a, 7)),"
    " 'Fragment', kql_url_part(a, 8)) END",
    "kql_bin(a, b) AS CASE WHEN b <= 0 THEN NULL ELSE a - ((a % b) + b) % b END",
    "kql_time_bin(a, b) AS make_timestamp(CAST(kql_bin(epoch_us(a) + 62135596800000000, b)"
    " - 62135596800000000 AS BIGINT))",
    "kql_plus_days(a, n) AS a + to_days(CAST(n AS INTEGER))",
    # Elements moved by n places, those that fall off taking the free places, or lost.
    "kql_rotated(a, n) AS CASE WHEN kql_array_length(a) IS NULL THEN NULL ELSE"
    " to_json(list_transform(range(0, len(kql_elements(a))), lambda i: kql_elements(a)"
    "[CAST(((i + n) % len(kql_elements(a)) + len(kql_elements(a))) % len(kql_elements(a)) + 1"
    " AS BIGINT)])) END",
    "kql_shifted(a, n, filler) AS CASE WHEN kql_array_length(a) IS NULL THEN NULL ELSE"
    " to_json(list_transform(range(0, len(kql_elements(a))), lambda i:"
    " CASE WHEN i + n BETWEEN 0 AND len(kql_elements(a)) - 1"
    " THEN kql_elements(a)[CAST(i + n + 1 AS BIGINT)] ELSE CAST(filler AS JSON) END)) END",
    "kql_blob_digits(a) AS hex(TRY(from_base64(a)))",
    "kql_bytes(a) AS to_json(list_transform(range(0, length(kql_blob_digits(a)) // 2), lambda i:"
    " CAST('0x' || substr(kql_blob_digits(a), CAST(2 * i + 1 AS BIGINT), 2) AS INTEGER)))",
    r"""kql_csv(a) AS to_json(list_transform(regexp_extract_all("""
    r"""regexp_extract(a, '^[^\r\n]*'), '(?:^|,)("(?:[^"]|"")*"|[^,]*)', 1), lambda f:"""
    r""" CASE WHEN starts_with(f, '"') THEN"""
    r""" replace(substr(f, 2, length(f) - 2), '""', '"') ELSE f END))""",
    "kql_concat(a, b) AS to_json(list_concat(kql_elements(a), kql_elements(b)))",
    *SERIES_MACROS,
)
