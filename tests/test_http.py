"""Requests as the line begins them, held to werkzeug's."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Request as WerkzeugRequest

from mockgraph.http import Request

ATTRIBUTES = ("method", "path", "root_path", "query_string", "scheme", "server", "remote_addr")
LATIN = st.text(st.characters(max_codepoint=255), max_size=20)
HEADERS = st.dictionaries(st.sampled_from(["HTTP_HOST", "HTTP_ACCEPT", "CONTENT_TYPE"]), LATIN)
OPTIONAL = st.fixed_dictionaries(
    {},
    optional={
        "SCRIPT_NAME": LATIN,
        "QUERY_STRING": LATIN,
        "REMOTE_ADDR": st.just("127.0.0.1"),
        "SERVER_NAME": st.sampled_from(["localhost", "/run/socket"]),
        "SERVER_PORT": st.sampled_from(["80", "8365", "", "x"]),
    },
)


@given(
    method=st.sampled_from(["GET", "patch", "Delete"]),
    path=LATIN,
    scheme=st.sampled_from(["http", "https"]),
    optional=OPTIONAL,
    headers=HEADERS,
    order=st.permutations([*ATTRIBUTES, "headers"]),
)
def test_what_is_left_out_at_the_beginning_is_what_werkzeug_says(
    method: str,
    path: str,
    scheme: str,
    optional: dict[str, str],
    headers: dict[str, str],
    order: list[str],
) -> None:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, **optional, **headers}
    environ |= {"wsgi.url_scheme": scheme, "wsgi.input": BytesIO()}
    expected = WerkzeugRequest(environ, populate_request=False)
    request = Request(environ, populate_request=False)
    for name in order:
        value, wanted = getattr(request, name), getattr(expected, name)
        assert list(value) == list(wanted) if name == "headers" else value == wanted, name


def test_there_are_no_other_attributes() -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http"}
    with pytest.raises(AttributeError, match="colour"):
        getattr(Request(environ, populate_request=False), "colour")  # noqa: B009
