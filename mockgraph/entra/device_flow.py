"""The endpoints of the device flow: the device's, and the page that a person enters its code on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from mockgraph.entra.answers import json_answer
from mockgraph.entra.clients import find_app
from mockgraph.entra.devices import INTERVAL, LIFETIME
from mockgraph.entra.errors import EntraError
from mockgraph.entra.forms import Call, check_method, need, read_form, read_query
from mockgraph.entra.grants import read_asked
from mockgraph.entra.pages import page, sign_in_page, told
from mockgraph.entra.users import typed_user
from mockgraph.errors import GraphError

if TYPE_CHECKING:
    from mockgraph.entra.entra import Entra

PAGE = "common/oauth2/deviceauth"


def device_code(entra: Entra, call: Call) -> Response:
    """A new device's codes (RFC 8628, 3.2). Raises EntraError."""
    check_method(call.request, "POST")
    form = read_form(call.request)
    app = find_app(need(form, "client_id"), entra.directory, call.authority)
    device = entra.devices.add(app, read_asked(entra, call, form), call.authority)
    page_url = f"{call.root}{PAGE}"
    return json_answer(
        {
            "user_code": device.user_code,
            "device_code": device.code,
            "verification_uri": page_url,
            "verification_url": page_url,  # so called in version 1
            "expires_in": LIFETIME,
            "interval": INTERVAL,
            "message": f"To sign in, use a web browser to open the page {page_url} and enter the "
            f"code {device.user_code} to authenticate.",
        }
    )


def device_page(entra: Entra, call: Call) -> Response:
    """Where a person enters a device's code and signs it in, or does not."""
    check_method(call.request, "GET", "POST")
    typed = read_form(call.request)
    form = {**read_query(call.request), **typed}
    user_code, action = form.get("user_code", ""), f"{call.root}{PAGE}"
    if not user_code:
        return page("enter_code", "Enter code", action=action, error=None)
    try:
        device = entra.devices.waiting(user_code)
        if "declined" in typed:
            entra.devices.decline(user_code)
            return told("Not signed in", "The device was not signed in. You may close this page.")
        error = None
        if "username" in typed:
            try:
                user = typed_user(typed, entra.directory, device.authority)
            except EntraError as refusal:
                error = refusal.message
            else:
                entra.devices.approve(user_code, user)
                return told("Signed in", "The device is signed in. You may close this page.")
    except GraphError as refusal:
        return page("enter_code", "Enter code", 400, action=action, error=refusal.message)
    return sign_in_page(entra.directory, device.app, action, {"user_code": user_code}, error)
