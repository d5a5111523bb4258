"""Scalar functions of KQL that are one expression of SQL each.

A line says the name, the kinds of the arguments (``any`` takes each as it is; one that begins with
``=`` must be a constant), the kind of the value, and the SQL with the arguments in their places.
A name has a line for each number of arguments.
"""

# ruff: noqa: E501 - a function is a line of the table

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mockgraph.service.hunting.kql.kinds import BY_NAME, Kind

_TABLE = r"""
strlen(string) long: length({0})
string_size(string) long: strlen({0})
tolower(string) string: lower({0})
toupper(string) string: upper({0})
reverse(string) string: reverse({0})
substring(string, long) string: substr({0}, greatest({1}, 0) + 1)
substring(string, long, long) string: substr({0}, greatest({1}, 0) + 1, greatest({2}, 0))
indexof(string, string) long: instr({0}, {1}) - 1
indexof(string, string, long) long: CASE WHEN instr(substr({0}, {2} + 1), {1}) = 0 THEN -1 ELSE instr(substr({0}, {2} + 1), {1}) - 1 + {2} END
indexof_regex(string, =string) long: CASE WHEN regexp_matches({0}, {1}) THEN instr({0}, regexp_extract({0}, {1})) - 1 ELSE -1 END
replace_string(string, string, string) string: kql_bounded(replace({0}, {1}, {2}), length({0}) // greatest(length({1}), 1) * length({2}))
strrep(string, long) string: repeat({0}, least({1}, 1024))
strrep(string, long, string) string: array_to_string(list_transform(range(0, least({1}, 1024)), lambda i: {0}), {2})
replace_strings(string, dynamic, dynamic) string: list_reduce(list_concat([{0}], list_transform(range(1, len(kql_texts({1})) + 1), lambda i: CAST(i AS VARCHAR))), lambda a, i: replace(a, kql_texts({1})[CAST(i AS INTEGER)], coalesce(kql_texts({2})[CAST(i AS INTEGER)], '')))
has_any_index(string, dynamic) long: coalesce(list_position(list_transform(kql_texts({1}), lambda t: kql_has({0}, t)), TRUE), 0) - 1
dynamic_to_json(dynamic) string: CAST({0} AS VARCHAR)
strcmp(string, string) int: CASE WHEN {0} < {1} THEN -1 WHEN {0} > {1} THEN 1 ELSE 0 END
countof(string, string) long: CASE WHEN {1} = '' THEN 0 ELSE (length({0}) - length(replace({0}, {1}, ''))) // length({1}) END
strcat_array(dynamic, string) string: array_to_string(kql_texts({0}), {1})
array_strcat(dynamic, string) string: array_to_string(kql_texts({0}), {1})
regex_quote(string) string: regexp_escape({0})
url_encode(string) string: url_encode({0})
url_encode_component(string) string: url_encode({0})
url_decode(string) string: url_decode({0})
base64_decode_tostring(string) string: kql_decoded({0})
base64_decodestring(string) string: kql_decoded({0})
base64_decode_toarray(string) dynamic: kql_bytes({0})
base64_encode_tostring(string) string: to_base64(encode({0}))
base64_encodestring(string) string: to_base64(encode({0}))
hash_md5(string) string: md5({0})
hash_sha1(string) string: sha1({0})
hash_sha256(string) string: sha256({0})
hash(any) long: CAST(hash({0}) >> 1 AS BIGINT)
hash(any, long) long: CAST(hash({0}) % CAST({1} AS UBIGINT) AS BIGINT)
hash_xxhash64(any) long: CAST(hash({0}) >> 1 AS BIGINT)
translate(string, string, string) string: translate({2}, {0}, {1})
unicode_codepoints_from_string(string) dynamic: to_json(list_transform(string_split({0}, ''), lambda c: unicode(c)))
to_utf8(string) dynamic: to_json(list_transform(string_split({0}, ''), lambda c: unicode(c)))
unicode_codepoints_to_string(dynamic) string: array_to_string(list_transform(kql_texts({0}), lambda c: chr(CAST(c AS INTEGER))), '')
make_string(dynamic) string: array_to_string(list_transform(kql_texts({0}), lambda c: chr(CAST(c AS INTEGER))), '')
isascii(string) bool: regexp_full_match({0}, '[\x00-\x7f]*')
parse_version(string) real: list_reduce(list_transform(list_resize(string_split({0}, '.'), 4, '0'), lambda p: CAST(coalesce(TRY_CAST(p AS BIGINT), 0) AS DOUBLE)), lambda a, b: a * 100000000 + b)
parse_csv(string) dynamic: kql_csv({0})
parse_url(string) dynamic: kql_parse_url({0})
parse_urlquery(string) dynamic: json_object('Query Parameters', kql_query_parameters(ltrim({0}, '?')))
parse_path(string) dynamic: json_object('Scheme', '', 'RootPath', regexp_extract({0}, '^([A-Za-z]:|\\\\\\\\|/)', 1), 'DirectoryPath', regexp_extract({0}, '^(.*)[/\\\\]', 1), 'DirectoryName', regexp_extract({0}, '([^/\\\\]+)[/\\\\][^/\\\\]*$', 1), 'Filename', regexp_extract({0}, '([^/\\\\]*)$', 1), 'Extension', regexp_extract({0}, '\.([^./\\\\]+)$', 1), 'AlternateDataStreamName', '')
parse_command_line(string, =string) dynamic: to_json(list_transform(regexp_extract_all({0}, '(?:[^\s"]|"[^"]*")+'), lambda w: replace(w, '"', '')))
isempty(string) bool: {0} = ''
isnotempty(string) bool: {0} <> ''
notempty(string) bool: {0} <> ''
ipv4_is_private(string) bool: kql_ipv4_private({0})
ipv4_is_in_range(string, string) bool: kql_ipv4_in({0}, {1})
ipv4_is_match(string, string) bool: kql_ipv4_in({0}, {1})
ipv4_is_match(string, string, long) bool: kql_ipv4_net({0}, {2}) = kql_ipv4_net({1}, {2})
ipv4_compare(string, string) long: sign(kql_ipv4({0}) - kql_ipv4({1}))
parse_ipv4(string) long: kql_ipv4({0})
parse_ipv4_mask(string, int) long: kql_ipv4_net({0}, {1}) << CAST(32 - {1} AS BIGINT)
format_ipv4(string) string: kql_ipv4_text(coalesce(kql_ipv4({0}), TRY_CAST({0} AS BIGINT)))
format_ipv4(string, long) string: kql_ipv4_text(kql_ipv4_masked(coalesce(kql_ipv4({0}), TRY_CAST({0} AS BIGINT)), {1}))
format_ipv4_mask(string, long) string: kql_ipv4_text(kql_ipv4_masked(coalesce(kql_ipv4({0}), TRY_CAST({0} AS BIGINT)), {1})) || '/' || {1}
has_ipv4(string, string) bool: regexp_matches({0}, '(?:^|[^0-9A-Za-z.])' || regexp_escape({1}) || '(?:[^0-9A-Za-z.]|$)')
has_ipv4_prefix(string, string) bool: regexp_matches({0}, '(?:^|[^0-9A-Za-z.])' || regexp_escape({1}))
parse_ipv6(string) string: kql_ipv6_text(kql_ipv6({0}))
parse_ipv6_mask(string, long) string: kql_ipv6_text(kql_ipv6_masked(kql_ipv6({0}), {1}))
ipv6_compare(string, string) long: kql_ipv6_order({0}, {1}, 128)
ipv6_compare(string, string, long) long: kql_ipv6_order({0}, {1}, {2})
ipv6_is_match(string, string) bool: kql_ipv6_order({0}, {1}, 128) = 0
ipv6_is_match(string, string, long) bool: kql_ipv6_order({0}, {1}, {2}) = 0
ipv6_is_in_range(string, string) bool: kql_ipv6_in({0}, {1})
ipv4_netmask_suffix(string) long: kql_bits({0})
jaccard_index(dynamic, dynamic) real: len(list_intersect(list_distinct(kql_texts({0})), kql_texts({1}))) / len(list_distinct(list_concat(kql_texts({0}), kql_texts({1}))))
array_length(dynamic) long: kql_array_length({0})
arraylength(dynamic) long: kql_array_length({0})
array_rotate_left(dynamic, long) dynamic: kql_rotated({0}, {1})
array_rotate_right(dynamic, long) dynamic: kql_rotated({0}, -{1})
array_shift_left(dynamic, long) dynamic: kql_shifted({0}, {1}, NULL)
array_shift_left(dynamic, long, dynamic) dynamic: kql_shifted({0}, {1}, {2})
array_shift_right(dynamic, long) dynamic: kql_shifted({0}, -{1}, NULL)
array_shift_right(dynamic, long, dynamic) dynamic: kql_shifted({0}, -{1}, {2})
array_reverse(dynamic) dynamic: to_json(list_reverse(kql_elements({0})))
array_sum(dynamic) real: coalesce(list_sum(list_transform(kql_texts({0}), lambda e: TRY_CAST(e AS DOUBLE))), 0)
array_slice(dynamic, long, long) dynamic: to_json(list_slice(kql_elements({0}), CASE WHEN {1} < 0 THEN {1} ELSE {1} + 1 END, CASE WHEN {2} < 0 THEN {2} ELSE {2} + 1 END))
array_index_of(dynamic, string) long: coalesce(list_position(kql_texts({0}), {1}), 0) - 1
array_split(dynamic, long) dynamic: to_json([list_slice(kql_elements({0}), 1, {1}), list_slice(kql_elements({0}), {1} + 1, len(kql_elements({0})))])
set_has_element(dynamic, string) bool: list_contains(kql_texts({0}), {1})
bag_zip(dynamic, dynamic) dynamic: coalesce((SELECT json_group_object(json_extract_string({0}, i), json_extract({1}, i)) FROM unnest(range(0, len(kql_elements({0})))) t(i)), '{}'::JSON)
set_equals(dynamic, dynamic) bool: list_sort(list_distinct(kql_texts({0}))) = list_sort(list_distinct(kql_texts({1})))
dcount_hll(dynamic) long: kql_array_length({0})
bag_keys(dynamic) dynamic: CASE WHEN json_type({0}) = 'OBJECT' THEN to_json(json_keys({0})) END
bag_has_key(dynamic, string) bool: list_contains(json_keys({0}), {1})
bag_set_key(dynamic, string, dynamic) dynamic: json_merge_patch({0}, json_object({1}, {2}))
gettype(dynamic) string: CASE json_type({0}) WHEN 'VARCHAR' THEN 'string' WHEN 'OBJECT' THEN 'dictionary' WHEN 'ARRAY' THEN 'array' WHEN 'DOUBLE' THEN 'double' WHEN 'BOOLEAN' THEN 'bool' WHEN 'BIGINT' THEN 'long' WHEN 'UBIGINT' THEN 'long' ELSE 'null' END
treepath(dynamic) dynamic: to_json(json_keys({0}))
startofday(datetime) datetime: date_trunc('day', {0})
startofday(datetime, long) datetime: date_trunc('day', kql_plus_days({0}, {1}))
endofday(datetime) datetime: date_trunc('day', {0}) + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND
endofday(datetime, long) datetime: date_trunc('day', kql_plus_days({0}, {1})) + INTERVAL 1 DAY - INTERVAL 1 MICROSECOND
startofweek(datetime) datetime: date_trunc('day', {0}) - to_days(CAST(dayofweek({0}) AS INTEGER))
startofweek(datetime, long) datetime: date_trunc('day', {0}) - to_days(CAST(dayofweek({0}) - 7 * {1} AS INTEGER))
endofweek(datetime) datetime: date_trunc('day', {0}) + to_days(CAST(7 - dayofweek({0}) AS INTEGER)) - INTERVAL 1 MICROSECOND
startofmonth(datetime) datetime: date_trunc('month', {0})
startofmonth(datetime, long) datetime: date_trunc('month', {0}) + to_months(CAST({1} AS INTEGER))
endofmonth(datetime) datetime: date_trunc('month', {0}) + INTERVAL 1 MONTH - INTERVAL 1 MICROSECOND
startofyear(datetime) datetime: date_trunc('year', {0})
endofweek(datetime, long) datetime: date_trunc('day', {0}) + to_days(CAST(7 * ({1} + 1) - dayofweek({0}) AS INTEGER)) - INTERVAL 1 MICROSECOND
endofmonth(datetime, long) datetime: date_trunc('month', {0}) + to_months(CAST({1} + 1 AS INTEGER)) - INTERVAL 1 MICROSECOND
startofyear(datetime, long) datetime: date_trunc('year', {0}) + to_years(CAST({1} AS INTEGER))
endofyear(datetime, long) datetime: date_trunc('year', {0}) + to_years(CAST({1} + 1 AS INTEGER)) - INTERVAL 1 MICROSECOND
endofyear(datetime) datetime: date_trunc('year', {0}) + INTERVAL 1 YEAR - INTERVAL 1 MICROSECOND
dayofweek(datetime) timespan: dayofweek({0}) * 86400000000
dayofmonth(datetime) int: day({0})
dayofyear(datetime) int: dayofyear({0})
hourofday(datetime) int: hour({0})
monthofyear(datetime) int: month({0})
getmonth(datetime) int: month({0})
getyear(datetime) int: year({0})
week_of_year(datetime) long: weekofyear({0})
weekofyear(datetime) long: weekofyear({0})
unixtime_seconds_todatetime(real) datetime: make_timestamp(CAST({0} * 1000000 AS BIGINT))
unixtime_milliseconds_todatetime(real) datetime: make_timestamp(CAST({0} * 1000 AS BIGINT))
unixtime_nanoseconds_todatetime(long) datetime: make_timestamp({0} // 1000)
unixtime_microseconds_todatetime(long) datetime: make_timestamp({0})
make_datetime(long, long, long) datetime: TRY(make_timestamp({0}, {1}, {2}, 0, 0, 0))
make_datetime(long, long, long, long, long) datetime: TRY(make_timestamp({0}, {1}, {2}, {3}, {4}, 0))
make_datetime(long, long, long, long, long, real) datetime: TRY(make_timestamp({0}, {1}, {2}, {3}, {4}, {5}))
make_timespan(long, long) timespan: ({0} * 60 + {1}) * 60000000
make_timespan(long, long, real) timespan: CAST((({0} * 60 + {1}) * 60 + {2}) * 1000000 AS BIGINT)
make_timespan(long, long, long, real) timespan: CAST(((({0} * 24 + {1}) * 60 + {2}) * 60 + {3}) * 1000000 AS BIGINT)
datetime_local_to_utc(datetime, string) datetime: timezone('UTC', timezone({1}, {0}))
datetime_utc_to_local(datetime, string) datetime: timezone({1}, timezone('UTC', {0}))
exp(real) real: exp({0})
exp2(real) real: pow(2, {0})
log(real) real: CASE WHEN {0} > 0 THEN ln({0}) END
log10(real) real: CASE WHEN {0} > 0 THEN log10({0}) END
log2(real) real: CASE WHEN {0} > 0 THEN log2({0}) END
pow(real, real) real: pow({0}, {1})
sqrt(real) real: CASE WHEN {0} >= 0 THEN sqrt({0}) END
round(real) real: round({0})
round(real, long) real: round({0}, CAST({1} AS INTEGER))
ceiling(real) real: ceil({0})
sign(real) real: sign({0})
isnan(real) bool: isnan({0})
isinf(real) bool: isinf({0})
isfinite(real) bool: isfinite({0})
pi() real: pi()
rand() real: random()
rand(real) real: floor(random() * {0})
new_guid() guid: uuid()
cos(real) real: cos({0})
cot(real) real: CASE WHEN {0} <> 0 THEN cot({0}) END
acos(real) real: CASE WHEN abs({0}) <= 1 THEN acos({0}) END
asin(real) real: CASE WHEN abs({0}) <= 1 THEN asin({0}) END
atan(real) real: atan({0})
atan2(real, real) real: atan2({0}, {1})
sin(real) real: sin({0})
tan(real) real: tan({0})
binary_and(long, long) long: {0} & {1}
binary_or(long, long) long: {0} | {1}
binary_xor(long, long) long: xor({0}, {1})
binary_not(long) long: ~{0}
binary_shift_left(long, long) long: {0} << ({1} % 64)
binary_shift_right(long, long) long: {0} >> ({1} % 64)
bitset_count_ones(long) long: bit_count({0})
tohex(long) string: lower(to_hex({0}))
not(bool) bool: NOT {0}
degrees(real) real: degrees({0})
radians(real) real: radians({0})
geo_distance_2points(real, real, real, real) real: 12742017.6 * asin(sqrt(pow(sin(radians({3} - {1}) / 2), 2) + cos(radians({1})) * cos(radians({3})) * pow(sin(radians({2} - {0}) / 2), 2)))
"""


@dataclass(frozen=True)
class Signature:
    """A function: the kinds it takes (None: any), which must be constants, its kind, its SQL."""

    takes: tuple[Kind | None, ...]
    constants: tuple[bool, ...]
    gives: Kind
    sql: str


@cache
def signatures() -> dict[str, dict[int, Signature]]:
    """Return the functions by name and by number of arguments."""
    found: dict[str, dict[int, Signature]] = {}
    for line in _TABLE.strip().splitlines():
        head, _, sql = line.partition(": ")
        name, _, rest = head.partition("(")
        arguments, _, gives = rest.partition(") ")
        written = [each.strip() for each in arguments.split(",") if each]
        takes = tuple(BY_NAME.get(each.lstrip("=")) for each in written)
        constants = tuple(each.startswith("=") for each in written)
        signature = Signature(takes, constants, BY_NAME[gives], sql)
        found.setdefault(name, {})[len(takes)] = signature
    return found
