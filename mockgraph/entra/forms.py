"""Requests to Entra, read: parameters, tenants, ids."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wrappers import Request

from mockgraph.entra.directory import COMMON, PERSONAL, Directory, User
from mockgraph.entra.errors import (
    MalformedRequest,
    MissingParameter,
    RequestTooLarge,
    TenantNotFound,
    WrongMethod,
)

MAX_FORM = 64 * 1024
_MOST_PARAMETERS = 200
_LONGEST_NONCE = 1000
_FORM = "application/x-www-form-urlencoded"
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

Form = Mapping[str, str]


class Authority(NamedTuple):
    """Whom a caller wants to sign in with: ``id`` is a tenant's, None for the user's own."""

    named: str
    id: str | None

    @property
    def is_personal(self) -> bool:
        return self.id == PERSONAL

    def tenant_of(self, user: User, directory: Directory) -> str:
        """The tenant that the user is signed in to."""
        return self.id or directory.tenant_of(user)


class Call(NamedTuple):
    """A request to an endpoint of a tenant, of version 1 or 2."""

    request: Request
    authority: Authority
    version: int

    @property
    def root(self) -> str:
        """The URL that the tenants hang on, as the caller wrote it, with its slash."""
        return self.request.root_url

    @property
    def tenants(self) -> str:
        """The URL of this tenant, without a slash: by its id, or as it was named."""
        return f"{self.root}{self.authority.id or self.authority.named}"


class Wish(NamedTuple):
    """What the ``claims`` parameter asks for: capabilities told of, a challenge answered."""

    capabilities: tuple[str, ...] = ()
    answers_challenge: bool = False


def read_authority(named: str, directory: Directory) -> Authority:
    """The authority that a path names. Raises EntraError where there is none."""
    if named.lower() in COMMON:
        return Authority(named.lower(), None)
    tenant = directory.tenant(named)
    if tenant is None:
        raise TenantNotFound(named)
    return Authority(named, tenant)


def check_method(request: Request, *methods: str) -> None:
    """Raises EntraError where the endpoint does not take the method; HEAD goes with GET."""
    method = "GET" if request.method == "HEAD" else request.method
    if method not in methods:
        raise WrongMethod(", ".join(methods), method)


def read_form(request: Request) -> Form:
    """The form in a request's body; empty values count as missing.

    Another media type is no form, so that nothing is found in it. Raises EntraError where the
    form is broken, names a parameter twice or is larger than 64 KiB.
    """
    data = _content(request)
    return _parameters(data) if request.mimetype == _FORM else {}


def read_query(request: Request) -> Form:
    """The query string, read as a form is."""
    return _parameters(request.query_string)


def need(form: Form, name: str) -> str:
    """A parameter that must be there. Raises EntraError."""
    value = form.get(name)
    if not value:
        raise MissingParameter(name)
    return value


def read_wish(form: Form) -> Wish:
    """The ``claims`` parameter (OpenID Connect Core, 5.5), of which two members count here."""
    text = form.get("claims")
    if not text:
        return Wish()
    try:
        access: object = json.loads(text).get("access_token") or {}
        if not isinstance(access, dict):
            raise MalformedRequest
        values = (access.get("xms_cc") or {}).get("values", [])
        capabilities = tuple(each for each in values[:10] if isinstance(each, str))
        return Wish(tuple(each[:20] for each in capabilities), "nbf" in access)
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise MalformedRequest from None


def read_nonce(form: Form) -> str | None:
    """What the app wants to find again in the id token."""
    nonce = form.get("nonce")
    if nonce is not None and len(nonce) > _LONGEST_NONCE:
        raise MalformedRequest
    return nonce


def correlation_of(request: Request) -> str | None:
    """The id that the caller gave the request, where it is a GUID."""
    given = request.headers.get("client-request-id") or request.args.get("client-request-id", "")
    return given if _GUID.fullmatch(given) else None


def _content(request: Request) -> bytes:
    request.max_content_length = MAX_FORM
    announced = request.content_length
    try:
        data = request.get_data()  # kept: a journal may read it as well
    except RequestEntityTooLarge:
        raise RequestTooLarge from None
    except ClientDisconnected:
        raise MalformedRequest from None
    if len(data) < (announced or 0):
        raise MalformedRequest
    # Of a body without a Content-Length, werkzeug gives as much as it may have, no error.
    if announced is None and len(data) == MAX_FORM and request.environ["wsgi.input"].read(1):
        raise RequestTooLarge
    return data


def _parameters(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(data.decode(), errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise MalformedRequest from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise MalformedRequest
    return parameters
