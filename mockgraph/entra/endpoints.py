"""The endpoints: the path of each, and the form in which they answer errors."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import orjson
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from mockgraph import http
from mockgraph.entra import discovery
from mockgraph.entra.code_flow import authorization_endpoint, logout_endpoint
from mockgraph.entra.device_flow import device_code_endpoint, device_page
from mockgraph.entra.entra import Entra
from mockgraph.entra.grants import token_endpoint
from mockgraph.entra.managed_identity import app_service, imds
from mockgraph.entra.oauth_errors import (
    EntraError,
    MalformedRequest,
    Refused,
    ServerFailed,
    TenantNotFound,
    Throttled,
    Unavailable,
    WrongMethod,
)
from mockgraph.entra.oauth_messages import TenantRequest, correlation_id_of, json_response
from mockgraph.entra.sign_in_pages import message_page

Endpoint = Callable[..., Response]


def dispatch(entra: Entra, request: Request) -> Response | None:
    """Answer a request at the endpoint of its path, in any letter case; None for other paths."""
    endpoint, values = _match(request.path)
    if endpoint is None:
        return None
    trace_id = str(uuid.uuid4())
    try:
        if not request.host:
            raise MalformedRequest
        response = endpoint(entra, request, **values)
    except EntraError as error:
        if isinstance(error, WrongMethod) and request.method == "OPTIONS":
            return Response(status=200, headers={"Allow": error.allowed})
        if endpoint in _PAGES:
            title = "Sorry, but we're having trouble signing you in."
            response = message_page(title, error.message, error.status)
        else:
            body = _error_object(entra, request, error, trace_id)
            response = json_response(body, error.status)
    response.headers["x-ms-request-id"] = trace_id
    return response


def restate_error(entra: Entra, request: Request, response: http.Response) -> None:
    """Put an error in Graph's shape, such as a test's fault, into the shape of OAuth's errors.

    Status and message stay. MSAL waits and tries again where ``error`` is
    ``temporarily_unavailable``. Other responses stay as they are, and so do those on the paths
    of pages, of App Service, and of no endpoint at all.
    """
    endpoint, _ = _match(request.path)
    if endpoint is None or endpoint in _PAGES or endpoint is app_service:
        return
    try:
        graph_error = orjson.loads(response.body)["error"]
        _, message = graph_error["innerError"], graph_error["message"]
    except (ValueError, KeyError, TypeError):
        return
    trace_id = str(uuid.uuid4())
    error = _error_type(response.status)(message)
    response.body = orjson.dumps(_error_object(entra, request, error, trace_id))
    response.headers = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    response.set("Content-Type", "application/json; charset=utf-8")
    response.set("x-ms-request-id", trace_id)


def _error_type(status: int) -> type[EntraError]:
    if status == 429:
        return Throttled
    if status == 500:
        return ServerFailed
    return Unavailable if status > 500 else Refused


def _error_object(
    entra: Entra, request: Request, error: EntraError, trace_id: str
) -> dict[str, Any]:
    correlation_id = correlation_id_of(request) or str(uuid.uuid4())
    return error.body(trace_id, correlation_id, f"{entra.clock.now():%Y-%m-%d %H:%M:%S}Z")


def _match(path: str) -> tuple[Endpoint | None, dict[str, Any]]:
    try:
        endpoint, values = _PATHS.match(path.lower(), "GET")
    except HTTPException:
        return None, {}
    return endpoint, dict(values)


def _of_tenant(handler: Endpoint, version: int) -> Endpoint:
    """Make the endpoint of a tenant, the first segment of its path."""

    def endpoint(entra: Entra, request: Request, tenant: str, **values: str) -> Response:
        authority = entra.directory.authority(tenant)
        if authority is None:
            raise TenantNotFound(tenant)
        return handler(entra, TenantRequest(request, authority, version), **values)

    return endpoint


_AUTHORIZE = [_of_tenant(authorization_endpoint, version) for version in (1, 2)]
_LOGOUT = [_of_tenant(logout_endpoint, version) for version in (1, 2)]
_DEVICE_PAGE = _of_tenant(device_page, 1)
_PAGES = (*_AUTHORIZE, *_LOGOUT, _DEVICE_PAGE)

_ENDPOINTS: dict[str, Endpoint] = {
    "/<tenant>/oauth2/token": _of_tenant(token_endpoint, 1),
    "/<tenant>/oauth2/v2.0/token": _of_tenant(token_endpoint, 2),
    "/<tenant>/oauth2/authorize": _AUTHORIZE[0],
    "/<tenant>/oauth2/v2.0/authorize": _AUTHORIZE[1],
    "/<tenant>/oauth2/logout": _LOGOUT[0],
    "/<tenant>/oauth2/v2.0/logout": _LOGOUT[1],
    "/<tenant>/oauth2/devicecode": _of_tenant(device_code_endpoint, 1),
    "/<tenant>/oauth2/v2.0/devicecode": _of_tenant(device_code_endpoint, 2),
    "/<tenant>/oauth2/deviceauth": _DEVICE_PAGE,
    "/<tenant>/.well-known/openid-configuration": _of_tenant(discovery.openid_configuration, 1),
    "/<tenant>/v2.0/.well-known/openid-configuration": _of_tenant(
        discovery.openid_configuration, 2
    ),
    "/<tenant>/discovery/keys": _of_tenant(discovery.key_set, 1),
    "/<tenant>/discovery/v2.0/keys": _of_tenant(discovery.key_set, 2),
    "/<tenant>/discovery/instance": _of_tenant(discovery.instance_discovery, 2),
    "/<tenant>/userrealm/<user>": _of_tenant(discovery.user_realm, 1),
    "/oidc/userinfo": discovery.user_info,
    "/msi/token": app_service,
    "/metadata/identity/oauth2/token": imds,
}

_PATHS = Map(
    [Rule(path, endpoint=endpoint) for path, endpoint in _ENDPOINTS.items()],
    strict_slashes=False,
    merge_slashes=False,
).bind("entra")
