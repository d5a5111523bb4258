"""Managed identities: tokens for whoever runs on the machine, without a secret.

App Service gives its endpoint and a header's value to the app (``IDENTITY_ENDPOINT``,
``IDENTITY_HEADER``); IMDS is at a fixed address of each virtual machine.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from mockgraph.entra.answers import json_answer
from mockgraph.entra.errors import EntraError
from mockgraph.entra.forms import Form, read_query
from mockgraph.entra.issuers import MICROSOFT
from mockgraph.entra.tokens import LIFETIME, Grant

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from mockgraph.entra.directory import App
    from mockgraph.entra.entra import Entra

# The value of the header that is wrong where any other will do.
_WRONG = "wrong"
_APP_SERVICE_VERSION = "2019-08-01"


def app_service(entra: Entra, request: Request) -> Response:
    """The endpoint of App Service and Functions, of version 2019-08-01."""
    if request.headers.get("X-IDENTITY-HEADER", _WRONG) in ("", _WRONG):
        return _app_service_fault(401, "The X-IDENTITY-HEADER is missing or wrong.")
    try:
        form = read_query(request)
        if request.method not in ("GET", "HEAD"):
            return _app_service_fault(405, "Only GET is supported.")
        if form.get("api-version") != _APP_SERVICE_VERSION:
            return _app_service_fault(400, f"The api-version is {_APP_SERVICE_VERSION}.")
        if "resource" not in form:
            return _app_service_fault(400, "The parameter 'resource' is missing.")
        grant = _grant(entra, form, request.host)
    except EntraError as error:
        return _app_service_fault(400, error.message)
    if grant is None:
        return _app_service_fault(400, "No managed identity was found for the specified id.")
    body = _body(entra, grant)
    wanted = ("access_token", "client_id", "expires_on", "resource", "token_type")
    return json_answer({name: body[name] for name in wanted})


def imds(entra: Entra, request: Request) -> Response:
    """The endpoint of virtual machines. Clients find out whether it is there by a request
    without its header, which is answered with 400."""
    if request.method not in ("GET", "HEAD"):
        return _imds_fault("invalid_request", "Only GET is supported", 405)
    if request.headers.get("Metadata", "").lower() != "true":
        return _imds_fault("invalid_request", "Required metadata header not specified")
    try:
        form = read_query(request)
        for name in ("api-version", "resource"):
            if name not in form:
                return _imds_fault(
                    "invalid_request", f"Required query variable '{name}' is missing"
                )
        grant = _grant(entra, form, request.host)
    except EntraError as error:
        return _imds_fault(error.error, error.message)
    if grant is None:
        return _imds_fault("invalid_request", "Identity not found")
    return json_answer(_body(entra, grant))


def _grant(entra: Entra, form: Form, host: str) -> Grant | None:
    app = _identity(entra, form)
    if app is None:
        return None
    home = entra.directory.home
    resource = form["resource"].removesuffix("/.default")
    asked = entra.scopes.read_resource(resource, "", home, host)
    return Grant(app, None, home, asked, entra.scopes.for_app(asked, app), credential="2")


def _identity(entra: Entra, form: Form) -> App | None:
    """The identity of a client id; one by another of its ids is the one that there is."""
    return entra.directory.managed_identity(form.get("client_id"))


def _body(entra: Entra, grant: Grant) -> dict[str, Any]:
    now = int(entra.clock.now().timestamp())
    return {
        "access_token": entra.tokens.access_token(grant, MICROSOFT, 1),
        "client_id": grant.app.app_id,
        "expires_in": str(LIFETIME - 1),
        "expires_on": str(now + LIFETIME - 1),
        "ext_expires_in": str(LIFETIME - 1),
        "not_before": str(now),
        "resource": grant.asked.resource,
        "token_type": "Bearer",
    }


def _imds_fault(error: str, description: str, status: int = 400) -> Response:
    return json_answer({"error": error, "error_description": description}, status)


def _app_service_fault(status: int, message: str) -> Response:
    body = {"statusCode": status, "message": message, "correlationId": str(uuid.uuid4())}
    return json_answer(body, status)
