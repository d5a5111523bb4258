"""Messages of the OAuth endpoints: requests and their parameters, and JSON responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from mockgraph.entra.directory import SignInAuthority, is_guid
from mockgraph.entra.oauth_errors import (
    MalformedRequest,
    MissingParameter,
    RequestTooLarge,
    WrongMethod,
)
from mockgraph.errors import BadRequest, PayloadTooLarge
from mockgraph.http import read_body

# The longest form, in bytes.
MAX_FORM = 64 * 1024
_MOST_PARAMETERS = 200
_LONGEST_NONCE = 1000
_MOST_CAPABILITIES, _LONGEST_CAPABILITY = 10, 20
_FORM = "application/x-www-form-urlencoded"

Parameters = Mapping[str, str]


class TenantRequest(NamedTuple):
    """A request to an endpoint of a tenant, of version 1 or 2."""

    request: Request
    authority: SignInAuthority
    version: int

    @property
    def root(self) -> str:
        """The URL above the tenants, as the caller wrote it, with its slash."""
        return self.request.root_url

    @property
    def tenant_url(self) -> str:
        """The URL of the tenant, by its id where it has one, without a slash."""
        return f"{self.root}{self.authority.id or self.authority.named}"


class ClaimsRequest(NamedTuple):
    """The part of a ``claims`` parameter that counts here.

    ``capabilities`` are the client's; ``answers_challenge`` tells whether it repeats the
    ``nbf`` of a claims challenge.
    """

    capabilities: tuple[str, ...] = ()
    answers_challenge: bool = False


def check_method(request: Request, *methods: str) -> None:
    """Raise EntraError where the endpoint does not accept the method; HEAD counts as GET."""
    method = "GET" if request.method == "HEAD" else request.method
    if method not in methods:
        raise WrongMethod(", ".join(methods), method)


def read_form(request: Request) -> Parameters:
    """Read the form in a request's body; empty values count as missing.

    A body without a media type is taken for one, as the live service does; one of another type
    has no parameters. Raises EntraError where the form is malformed, has a parameter twice or is
    larger than 64 KiB.
    """
    request.max_content_length = MAX_FORM
    try:
        data = read_body(request)
    except PayloadTooLarge:
        raise RequestTooLarge from None
    except BadRequest:
        raise MalformedRequest from None
    return _parse(data) if request.mimetype in (_FORM, "") else {}


def query_parameters(request: Request) -> Parameters:
    """Read the query string as a form. Raises EntraError."""
    return _parse(request.query_string)


def require(parameters: Parameters, name: str) -> str:
    """Return a parameter that must be there. Raises EntraError."""
    value = parameters.get(name)
    if not value:
        raise MissingParameter(name)
    return value


def read_claims(parameters: Parameters) -> ClaimsRequest:
    """Read the ``claims`` parameter (OpenID Connect Core, 5.5). Raises EntraError."""
    text = parameters.get("claims")
    if not text:
        return ClaimsRequest()
    try:
        access: object = json.loads(text).get("access_token") or {}
        if not isinstance(access, dict):
            raise MalformedRequest
        values = (access.get("xms_cc") or {}).get("values", [])[:_MOST_CAPABILITIES]
        capabilities = tuple(each[:_LONGEST_CAPABILITY] for each in values if isinstance(each, str))
        return ClaimsRequest(capabilities, "nbf" in access)
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise MalformedRequest from None


def read_nonce(parameters: Parameters) -> str | None:
    """Return the nonce for the id token, None where there is none. Raises EntraError."""
    nonce = parameters.get("nonce")
    if nonce is not None and len(nonce) > _LONGEST_NONCE:
        raise MalformedRequest
    return nonce


def correlation_id_of(request: Request) -> str | None:
    """Return the id that the caller gave the request, where it is a GUID."""
    given = request.headers.get("client-request-id") or request.args.get("client-request-id", "")
    return given if is_guid(given.lower()) else None


def json_response(body: Any, status: int = 200, *, public: bool = False) -> Response:
    """Make a JSON response. Caches may keep a ``public`` one, and pages of any origin read it."""
    response = Response(json.dumps(body), status, content_type="application/json; charset=utf-8")
    if public:
        response.headers["Access-Control-Allow-Origin"] = "*"
    else:
        response.headers["Cache-Control"] = "no-store, no-cache"
        response.headers["Pragma"] = "no-cache"
    return response


def _parse(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(data.decode(), errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise MalformedRequest from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise MalformedRequest
    return parameters
