"""Actions on sign-ins: tokens without one, waiting devices, revocations."""

from __future__ import annotations

from typing import Annotated, TypedDict, Unpack

from mockgraph.control.actions import ActionContext, Actions
from mockgraph.control.answers import TokenAnswer

ACTIONS = Actions()

UserCode = Annotated[str, "The code that the device shows."]
User = Annotated[str | None, "The user, by id or name."]
App = Annotated[str | None, "The app, by id or name."]


class TokenOptions(TypedDict, total=False):
    """The claims of a token, see :meth:`mockgraph.entra.Entra.mint`."""

    app: App
    user: User
    tenant: Annotated[str | None, "The directory tenant, by id or domain."]
    permissions: Annotated[list[str] | None, "Scopes or roles; those granted if left out."]
    audience: Annotated[str, "The API that the token is for; Graph if left out."]
    authority: Annotated[str | None, "The URL of the issuer; Entra's own if left out."]
    lifetime: Annotated[float, "Seconds until the token expires."]
    flaw: Annotated[str | None, "A flaw that makes the token invalid, such as expired."]


@ACTIONS.post("/tokens", status=201, needs_body=False, command="token")
def mint(context: ActionContext, **options: Unpack[TokenOptions]) -> TokenAnswer:
    """Return an access token without a sign-in."""
    return {"access_token": context.tenant.entra.mint(**options)}


@ACTIONS.post("/devices/{code}/approve", needs_body=False, command="devices approve")
def approve_device(context: ActionContext, code: UserCode, user: User = None) -> None:
    """Sign a waiting device in, as a user or as the first one."""
    context.tenant.entra.approve_device_code(code, user)


@ACTIONS.post("/devices/{code}/deny", needs_body=False, command="devices deny")
def deny_device(context: ActionContext, code: UserCode) -> None:
    """Refuse to sign a waiting device in."""
    context.tenant.entra.deny_device_code(code)


@ACTIONS.post("/revocations", needs_body=False, command="revoke")
def revoke(context: ActionContext, user: User = None, app: App = None) -> None:
    """Revoke the tokens issued up to now: a user's, an app's, or everyone's."""
    context.tenant.entra.revoke(user, app)
