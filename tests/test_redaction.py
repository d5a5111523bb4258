"""Secrets in forms and URLs, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockgraph.redaction import (
    _SEPARATOR,
    _masked,
    masked_body,
    masked_pairs,
    masked_url,
    redacted,
    shown_header,
)


@pytest.mark.parametrize(
    ("pairs", "left"),
    [
        (b"", b""),
        (b"client_secret", b"client_secret"),
        (b"client_secret=a", b"client_secret=***"),
        (b"client_secret=a=b&x=1&code=c", b"client_secret=***&x=1&code=***"),
        (b"Client%5fSecret=a", b"Client%5fSecret=***"),
        (b"+code+=a&%20code=b", b"+code+=***&%20code=***"),
        (b"code_challenge=a&encode=b", b"code_challenge=a&encode=b"),
        (b"\xff%zz=a&&=&code=", b"\xff%zz=a&&=&code=***"),
        (b"to%e2%84%aaen=a", b"to%e2%84%aaen=***"),
        (b"to\xe2\x84%AAen=a&$top=5", b"to\xe2\x84%AAen=***&$top=5"),
        (b"%73%69%67=a", b"%73%69%67=***"),
        (b"a=1;sig=s;b=2&c=3", b"a=1;sig=***;b=2&c=3"),
    ],
)
def test_pairs(pairs: bytes, left: bytes) -> None:
    assert masked_pairs(pairs) == left


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b"", b""),
        (b'{"Authorization": "Bearer a.b"}', b'{"Authorization": "Bearer ***"}'),
        (b'{"authorization":"a\\"b","x":"y"}', b'{"authorization":"***","x":"y"}'),
        (
            b'[{"AUTHORIZATION"\n: "a"}, "authorization"]',
            b'[{"AUTHORIZATION"\n: "***"}, "authorization"]',
        ),
        (
            b'{"Authorization": 5, "authorizations": "a"}',
            b'{"Authorization":"***","authorizations":"a"}',
        ),
        (b'{"Authorization": "a.b', b'{"Authorization": "***'),
        (b'{"Authorization": "a.b\\', b'{"Authorization": "***'),
        (b'{"url": "/a?%74oken=t"}', b'{"url": "/a?%74oken=***"}'),
        (b'{"url": "https://u:p@a.example/b"}', b'{"url": "https://***@a.example/b"}'),
        (b'{"X-Functions-Key": "k"}', b'{"X-Functions-Key": "***"}'),
        (
            b"--b\r\nContent-Disposition: form-data; NAME=client_secret\r\n\r\ns\r\n--b--\r\n",
            b"--b\r\nContent-Disposition: form-data; NAME=client_secret\r\n\r\n***\r\n--b--\r\n",
        ),
    ],
)
def test_batches(body: bytes, left: bytes) -> None:
    assert masked_body(body) == left


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("/a", "/a"),
        ("/code=1", "/code=1"),
        ("/a?code=1", "/a?code=***"),
        ("/a%3Fcode=1", "/a%3Fcode=***"),
        ("/a?x=%3fcode=1", "/a?x=%3fcode=1"),
        ("/a?x=1&code=1#id_token=2&y", "/a?x=1&code=***#id_token=***&y"),
        ("https://app.example/done#code=1", "https://app.example/done#code=***"),
        ("/a?$filter=a eq 'code=1'", "/a?$filter=a eq 'code=1'"),
        ("u:p@a.example:443", "***@a.example:443"),
        ("/u:p@a.example/b", "/***@a.example/b"),
        ("/users/ada@a.example", "/users/ada@a.example"),
        ("/\udcff?code=\udcff&\ud800=1", "/\udcff?code=***&\ud800=1"),
    ],
)
def test_urls(url: str, left: str) -> None:
    assert masked_url(url) == left


def test_where_a_browser_is_sent() -> None:
    assert shown_header("LOCATION", "https://a/?code=1") == "https://a/?code=***"
    assert shown_header("X-Location", "https://a/?code=1") == "https://a/?code=1"


def test_headers_that_are_urls() -> None:
    sent = {"HTTP_ORIGIN": "https://u:p@a.example", "HTTP_REFERER": "https://a.example/?sig=s"}
    assert redacted(sent, sent) == ["https://***@a.example", "https://a.example/?sig=***"]


@given(st.text(st.characters(exclude_categories=())))
def test_any_url_has_one(url: str) -> None:
    assert masked_url(masked_url(url)) == masked_url(url)


_NAMES = [
    "client_secret",
    "api-key",
    "sig",
    "code",
    "pwd",
    "to\u212aen",
    "$filter",
    "identity_header",
]


@st.composite
def _spelt(draw: st.DrawFn) -> bytes:
    """A name of a query option, in any letter case, any of its bytes percent-encoded."""
    name = "".join(draw(st.sampled_from([c, c.upper()])) for c in draw(st.sampled_from(_NAMES)))
    ways = ("{:c}", "%{:02x}", "%{:02X}")
    written = [draw(st.sampled_from(ways)).format(each) for each in name.encode()]
    return "".join(written).encode("latin-1")


@given(st.lists(st.tuples(_spelt() | st.binary(max_size=5), st.binary(max_size=5)), max_size=3))
def test_pairs_that_are_passed_over_have_no_secret(pairs: list[tuple[bytes, bytes]]) -> None:
    written = b"&".join(b"%b=%b" % pair for pair in pairs)
    assert masked_pairs(written) == b"".join(map(_masked, _SEPARATOR.split(written)))
