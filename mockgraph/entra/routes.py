"""Which path is which endpoint, and what all answers have in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from mockgraph.entra import metadata
from mockgraph.entra.answers import error_body, json_answer
from mockgraph.entra.authorize import authorize, logout
from mockgraph.entra.device_flow import device_code, device_page
from mockgraph.entra.errors import EntraError, MalformedRequest, WrongMethod
from mockgraph.entra.forms import Call, read_authority
from mockgraph.entra.grants import token
from mockgraph.entra.managed_identity import app_service, imds
from mockgraph.entra.pages import told

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from mockgraph.entra.entra import Entra

Endpoint = Callable[..., Response]


def answer(entra: Entra, request: Request) -> Response | None:
    """The answer of the endpoint at a request's path, whatever its letter case; None where
    there is none."""
    try:
        endpoint, values = _PATHS.match(request.path.lower(), "GET")
    except HTTPException:
        return None
    trace_id = str(uuid.uuid4())
    try:
        if not request.host:
            raise MalformedRequest
        response: Response = endpoint(entra, request, **values)
    except EntraError as error:
        if isinstance(error, WrongMethod) and request.method == "OPTIONS":
            return Response(status=200, headers={"Allow": error.allowed})
        response = _refusal(entra, request, error, trace_id, page=endpoint in _PAGES)
    response.headers["x-ms-request-id"] = trace_id
    return response


def answers_programs(path: str) -> bool:
    """Whether an endpoint is there whose errors are OAuth's: it is no page, nor App Service's."""
    try:
        endpoint, _ = _PATHS.match(path.lower(), "GET")
    except HTTPException:
        return False
    return endpoint not in _PAGES and endpoint is not app_service


def _refusal(
    entra: Entra, request: Request, error: EntraError, trace_id: str, *, page: bool
) -> Response:
    """An error to a program as JSON, to a person as a page."""
    if page:
        return told("Sorry, but we're having trouble signing you in.", error.message, error.status)
    return json_answer(error_body(entra, request, error, trace_id), error.status)


def _of_tenant(handler: Endpoint, version: int) -> Endpoint:
    """The endpoint of a tenant, the first segment of its path."""

    def endpoint(entra: Entra, request: Request, tenant: str, **values: str) -> Response:
        call = Call(request, read_authority(tenant, entra.directory), version)
        return handler(entra, call, **values)

    return endpoint


_AUTHORIZE = [_of_tenant(authorize, version) for version in (1, 2)]
_LOGOUT = [_of_tenant(logout, version) for version in (1, 2)]
_DEVICE_PAGE = _of_tenant(device_page, 1)
_PAGES = (*_AUTHORIZE, *_LOGOUT, _DEVICE_PAGE)

_ENDPOINTS: dict[str, Endpoint] = {
    "/<tenant>/oauth2/token": _of_tenant(token, 1),
    "/<tenant>/oauth2/v2.0/token": _of_tenant(token, 2),
    "/<tenant>/oauth2/authorize": _AUTHORIZE[0],
    "/<tenant>/oauth2/v2.0/authorize": _AUTHORIZE[1],
    "/<tenant>/oauth2/logout": _LOGOUT[0],
    "/<tenant>/oauth2/v2.0/logout": _LOGOUT[1],
    "/<tenant>/oauth2/devicecode": _of_tenant(device_code, 1),
    "/<tenant>/oauth2/v2.0/devicecode": _of_tenant(device_code, 2),
    "/<tenant>/oauth2/deviceauth": _DEVICE_PAGE,
    "/<tenant>/.well-known/openid-configuration": _of_tenant(metadata.openid_configuration, 1),
    "/<tenant>/v2.0/.well-known/openid-configuration": _of_tenant(metadata.openid_configuration, 2),
    "/<tenant>/discovery/keys": _of_tenant(metadata.keys, 1),
    "/<tenant>/discovery/v2.0/keys": _of_tenant(metadata.keys, 2),
    "/<tenant>/discovery/instance": _of_tenant(metadata.instance_discovery, 2),
    "/<tenant>/userrealm/<user>": _of_tenant(metadata.user_realm, 1),
    "/oidc/userinfo": metadata.user_info,
    "/msi/token": app_service,
    "/metadata/identity/oauth2/token": imds,
}

_PATHS = Map(
    [Rule(path, endpoint=endpoint) for path, endpoint in _ENDPOINTS.items()],
    strict_slashes=False,
    merge_slashes=False,
).bind("entra")
