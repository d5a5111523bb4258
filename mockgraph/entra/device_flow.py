"""The device authorization flow (RFC 8628): the device's endpoint, and the page for its code."""

from __future__ import annotations

from werkzeug.wrappers import Response

from mockgraph.entra.codes import DEVICE_CODE_LIFETIME, POLLING_INTERVAL
from mockgraph.entra.credentials import authenticate_user, find_app
from mockgraph.entra.entra import Entra
from mockgraph.entra.grants import read_scope
from mockgraph.entra.oauth_errors import EntraError
from mockgraph.entra.oauth_messages import (
    TenantRequest,
    check_method,
    json_response,
    query_parameters,
    read_form,
    require,
)
from mockgraph.entra.sign_in_pages import code_page, message_page, sign_in_page
from mockgraph.errors import GraphError

_PAGE = "common/oauth2/deviceauth"


def device_code_endpoint(entra: Entra, call: TenantRequest) -> Response:
    """Answer a device authorization request with new codes (RFC 8628, 3.2). Raises EntraError."""
    check_method(call.request, "POST")
    form = read_form(call.request)
    app = find_app(require(form, "client_id"), entra.directory, call.authority)
    device = entra.devices.add(app, read_scope(entra, call, form), call.authority)
    page_url = f"{call.root}{_PAGE}"
    return json_response(
        {
            "user_code": device.user_code,
            "device_code": device.code,
            "verification_uri": page_url,
            "verification_url": page_url,  # the name in version 1
            "expires_in": DEVICE_CODE_LIFETIME,
            "interval": POLLING_INTERVAL,
            "message": f"To sign in, use a web browser to open the page {page_url} and enter the "
            f"code {device.user_code} to authenticate.",
        }
    )


def device_page(entra: Entra, call: TenantRequest) -> Response:
    """Answer with the page on which a user enters a device's code and signs it in."""
    check_method(call.request, "GET", "POST")
    typed = read_form(call.request)
    parameters = {**query_parameters(call.request), **typed}
    user_code, action = parameters.get("user_code", ""), f"{call.root}{_PAGE}"
    if not user_code:
        return code_page(action)
    try:
        device = entra.devices.waiting(user_code)
        if "declined" in typed:
            entra.devices.decline(user_code)
            return message_page(
                "Not signed in", "The device was not signed in. You may close this page."
            )
        error = None
        if "username" in typed:
            name, password = typed["username"], typed.get("password", "")
            try:
                user = authenticate_user(name, password, entra.directory, device.authority)
            except EntraError as refusal:
                error = refusal.message
            else:
                entra.devices.approve(user_code, user)
                return message_page(
                    "Signed in", "The device is signed in. You may close this page."
                )
    except GraphError as refusal:
        return code_page(action, refusal.message)
    fields = {"user_code": user_code}
    return sign_in_page(entra.directory, device.app, device.requested, action, fields, error)
