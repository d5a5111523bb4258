"""Answers of Entra's: JSON, and what the token endpoint says."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from mockgraph.entra.errors import EntraError
from mockgraph.entra.forms import Call, Form, correlation_of
from mockgraph.entra.scopes import granted_scope
from mockgraph.entra.tokens import LIFETIME, Grant, base64url

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from mockgraph.entra.entra import Entra

# Said of a token that was just made: a moment of it is gone.
_EXPIRES_IN = LIFETIME - 1


def json_answer(body: Any, status: int = 200, *, public: bool = False) -> Response:
    """A JSON body. What is ``public`` may be kept, and read by pages of any origin."""
    response = Response(json.dumps(body), status, content_type="application/json; charset=utf-8")
    if public:
        response.headers["Access-Control-Allow-Origin"] = "*"
    else:
        response.headers["Cache-Control"] = "no-store, no-cache"
        response.headers["Pragma"] = "no-cache"
    return response


def error_body(entra: Entra, request: Request, error: EntraError, trace_id: str) -> dict[str, Any]:
    """What a program is told of a refusal; ``trace_id`` is the id of the answer."""
    correlation_id = correlation_of(request) or str(uuid.uuid4())
    return error.body(trace_id, correlation_id, f"{entra.clock.now():%Y-%m-%d %H:%M:%S}Z")


def token_answer(entra: Entra, call: Call, form: Form, grant: Grant, renew: bool) -> Response:
    """The tokens of a grant, as the endpoint of the call's version has them.

    A refresh token comes along where ``offline_access`` was asked for, or with ``renew``; in
    version 1 with every user. Version 1 writes numbers as text.
    """
    token = entra.tokens.access_token(grant, call.root, call.version)
    body: dict[str, Any] = {"token_type": "Bearer"}
    if grant.user:
        body["scope"] = granted_scope(grant.asked, grant.permissions)
    if call.version == 1:
        now = int(entra.clock.now().timestamp())
        body["resource"] = grant.asked.resource
        body["expires_on"] = str(now + _EXPIRES_IN)
        body["not_before"] = str(now)
    body["expires_in"] = body["ext_expires_in"] = _number(_EXPIRES_IN, call.version)
    body["access_token"] = token
    if grant.user:
        old = call.version == 1
        if old or renew or "offline_access" in grant.asked.openid:
            body["refresh_token"] = entra.refresh(grant)
        if old or "openid" in grant.asked.openid:
            body["id_token"] = entra.tokens.id_token(grant, call.root, call.version)
        if form.get("client_info") == "1":
            body["client_info"] = _client_info(grant)
    return json_answer(body)


def _number(number: int, version: int) -> int | str:
    return str(number) if version == 1 else number


def _client_info(grant: Grant) -> str:
    """Who signed in, as MSAL keeps accounts by."""
    info = {"uid": grant.object_id, "utid": grant.tenant}
    return base64url(json.dumps(info).encode())
