"""Managed identities: tokens for programs on a machine, without a secret.

App Service gives its endpoint and a header's value to the app (``IDENTITY_ENDPOINT``,
``IDENTITY_HEADER``); IMDS has a fixed address on each virtual machine.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request, Response

from mockgraph.entra.access_tokens import MICROSOFT, Grant
from mockgraph.entra.credentials import WRONG
from mockgraph.entra.entra import Entra
from mockgraph.entra.grants import EXPIRES_IN
from mockgraph.entra.oauth_errors import EntraError
from mockgraph.entra.oauth_messages import Parameters, json_response, query_parameters
from mockgraph.guids import new_guid

_APP_SERVICE_VERSION = "2019-08-01"


def app_service(entra: Entra, request: Request) -> Response:
    """Answer at the endpoint of App Service and Functions, in version 2019-08-01."""
    if request.headers.get("X-IDENTITY-HEADER", WRONG) in ("", WRONG):
        return _app_service_fault(401, "The X-IDENTITY-HEADER is missing or wrong.")
    try:
        query = query_parameters(request)
        if request.method not in ("GET", "HEAD"):
            return _app_service_fault(405, "Only GET is supported.")
        if query.get("api-version") != _APP_SERVICE_VERSION:
            return _app_service_fault(400, f"The api-version is {_APP_SERVICE_VERSION}.")
        if "resource" not in query:
            return _app_service_fault(400, "The parameter 'resource' is missing.")
        grant = _grant(entra, query, request.host)
    except EntraError as error:
        return _app_service_fault(400, error.message)
    if grant is None:
        return _app_service_fault(400, "No managed identity was found for the specified id.")
    body = _body(entra, grant)
    wanted = ("access_token", "client_id", "expires_on", "resource", "token_type")
    return json_response({name: body[name] for name in wanted})


def imds(entra: Entra, request: Request) -> Response:
    """Answer at the endpoint of virtual machines.

    Clients probe for it by a request without its header, which is answered with 400.
    """
    if request.method not in ("GET", "HEAD"):
        return _imds_fault("invalid_request", "Only GET is supported", 405)
    if request.headers.get("Metadata", "").lower() != "true":
        return _imds_fault("invalid_request", "Required metadata header not specified")
    try:
        query = query_parameters(request)
        for name in ("api-version", "resource"):
            if name not in query:
                return _imds_fault(
                    "invalid_request", f"Required query variable '{name}' is missing"
                )
        grant = _grant(entra, query, request.host)
    except EntraError as error:
        return _imds_fault(error.error, error.message)
    if grant is None:
        return _imds_fault("invalid_request", "Identity not found")
    return json_response(_body(entra, grant))


def _grant(entra: Entra, query: Parameters, host: str) -> Grant | None:
    app = entra.directory.managed_identity(query.get("client_id"))
    if app is None:
        return None
    home = entra.directory.home
    resource = query["resource"].removesuffix("/.default")
    requested = entra.scopes.read_resource(resource, "", home, host)
    permissions = entra.scopes.for_app(requested, app)
    return Grant(app, None, home, requested, permissions, credential="2")


def _body(entra: Entra, grant: Grant) -> dict[str, Any]:
    now = int(entra.clock.now().timestamp())
    return {
        "access_token": entra.tokens.access_token(grant, MICROSOFT, 1),
        "client_id": grant.app.app_id,
        "expires_in": str(EXPIRES_IN),
        "expires_on": str(now + EXPIRES_IN),
        "ext_expires_in": str(EXPIRES_IN),
        "not_before": str(now),
        "resource": grant.requested.resource,
        "token_type": "Bearer",
    }


def _imds_fault(error: str, description: str, status: int = 400) -> Response:
    return json_response({"error": error, "error_description": description}, status)


def _app_service_fault(status: int, message: str) -> Response:
    body = {"statusCode": status, "message": message, "correlationId": new_guid()}
    return json_response(body, status)
