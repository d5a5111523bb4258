"""The token endpoint: the types of grant, each with its parameters and its checks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from hmac import compare_digest
from typing import Any

from werkzeug.wrappers import Response

from mockgraph.entra.access_tokens import TOKEN_LIFETIME, Grant
from mockgraph.entra.codes import AuthorizationCode
from mockgraph.entra.credentials import (
    AuthenticatedClient,
    authenticate_client,
    authenticate_user,
    find_user,
    identify_client,
)
from mockgraph.entra.directory import User
from mockgraph.entra.entra import Entra
from mockgraph.entra.oauth_errors import (
    CodeRedeemed,
    ExpiredCode,
    ExpiredRefreshToken,
    GrantNeedsTenant,
    GrantOfAnother,
    GrantOfAnotherTenant,
    GrantTypeNotEmulated,
    MalformedGrant,
    NoCredential,
    NoTenant,
    OtherRedirectUri,
    RevokedGrant,
    UnsupportedGrantType,
    WrongVerifier,
)
from mockgraph.entra.oauth_messages import (
    Parameters,
    TenantRequest,
    check_method,
    json_response,
    read_claims,
    read_form,
    read_nonce,
    require,
)
from mockgraph.entra.scopes import RequestedScope
from mockgraph.entra.signing_keys import base64url

# The announced lifetime of a new token in seconds: a moment of it has passed.
EXPIRES_IN = TOKEN_LIFETIME - 1


def token_endpoint(entra: Entra, call: TenantRequest) -> Response:
    """Answer a token request (RFC 6749, 3.2). Raises EntraError."""
    check_method(call.request, "POST")
    form = read_form(call.request)
    grant_type = require(form, "grant_type")
    redeem = _GRANT_TYPES.get(grant_type)
    if redeem is None:
        known = grant_type in NOT_EMULATED
        raise GrantTypeNotEmulated(grant_type) if known else UnsupportedGrantType(grant_type)
    grant = redeem(entra, call, form)
    return _token_response(entra, call, form, grant, renews=grant_type == "refresh_token")


def read_scope(
    entra: Entra, call: TenantRequest, form: Parameters, before: RequestedScope | None = None
) -> RequestedScope:
    """Read the scope that a form requests; ``before`` is the default. Raises EntraError."""
    tenant, host = call.authority.named, call.request.host
    named = "resource" if call.version == 1 else "scope"
    if before is not None and not form.get(named):
        return before
    if call.version == 1:
        resource, scope = require(form, named), form.get("scope", "")
        return entra.scopes.read_resource(resource, scope, tenant, host)
    return entra.scopes.read(require(form, named), tenant, host)


def delegate(
    entra: Entra,
    call: TenantRequest,
    form: Parameters,
    client: AuthenticatedClient,
    user: User,
    requested: RequestedScope,
) -> Grant:
    """Make the grant by which a user delegates permissions to an app. Raises EntraError."""
    claims = read_claims(form)
    return Grant(
        client.app,
        user,
        call.authority.tenant_of(user, entra.directory),
        requested,
        entra.scopes.for_user(requested, client.app, user),
        client.credential,
        claims.capabilities,
        claims.answers_challenge,
        read_nonce(form),
    )


def _client_credentials(entra: Entra, call: TenantRequest, form: Parameters) -> Grant:
    client = identify_client(call, form, entra.directory)
    if not client.is_confidential:
        raise NoCredential
    tenant = call.authority.id
    if tenant is None:
        raise NoTenant
    if call.authority.is_personal:
        raise GrantNeedsTenant
    requested = read_scope(entra, call, form)
    permissions = entra.scopes.for_app(requested, client.app)
    claims = read_claims(form)
    return Grant(client.app, None, tenant, requested, permissions, client.credential, *claims)


def _password(entra: Entra, call: TenantRequest, form: Parameters) -> Grant:
    client = authenticate_client(call, form, entra.directory)
    if call.authority.named == "common" or call.authority.is_personal:
        raise GrantNeedsTenant
    requested = read_scope(entra, call, form)
    name, password = require(form, "username"), require(form, "password")
    user = authenticate_user(name, password, entra.directory, call.authority)
    return delegate(entra, call, form, client, user, requested)


def _refresh_token(entra: Entra, call: TenantRequest, form: Parameters) -> Grant:
    """Grant the same again, or another resource; as in Entra, the old token stays valid."""
    client = authenticate_client(call, form, entra.directory)
    ticket = require(form, "refresh_token")
    kept = entra.refresh_tokens.find(ticket)
    if kept is None or kept.grant.user is None:
        raise MalformedGrant
    if kept.grant.app.app_id != client.app.app_id:
        raise GrantOfAnother(client.app.app_id)
    _check_tenant(call, kept.grant.tenant)
    if entra.refresh_tokens.is_expired(ticket):
        raise ExpiredRefreshToken(kept.issued)
    if entra.tokens.revocations.covers(kept.number, kept.grant.subjects):
        raise RevokedGrant
    user = find_user(kept.grant.user.name, entra.directory, call.authority)
    requested = read_scope(entra, call, form, kept.grant.requested)
    grant = delegate(entra, call, form, client, user, requested)
    # Only a fresh sign-in answers a challenge.
    return replace(grant, tenant=kept.grant.tenant, answers_challenge=False)


def _device_code(entra: Entra, call: TenantRequest, form: Parameters) -> Grant:
    client = authenticate_client(call, form, entra.directory)
    code = form.get("device_code") or require(form, "code")
    device = entra.devices.poll(code, client.app, entra.directory)
    user = device.user
    assert user is not None  # an approved device has one
    tenant = device.authority.tenant_of(user, entra.directory)
    _check_tenant(call, tenant)
    requested = read_scope(entra, call, form, device.requested).with_openid(device.requested.openid)
    return replace(delegate(entra, call, form, client, user, requested), tenant=tenant)


def _authorization_code(entra: Entra, call: TenantRequest, form: Parameters) -> Grant:
    client = authenticate_client(call, form, entra.directory)
    ticket = require(form, "code")
    redirect_uri = require(form, "redirect_uri")
    code = entra.codes.find(ticket)
    if code is None:
        raise MalformedGrant
    if code.grant.app.app_id != client.app.app_id:
        raise GrantOfAnother(client.app.app_id)
    _check_tenant(call, code.grant.tenant)
    if code.redeemed:
        raise CodeRedeemed
    if entra.codes.is_expired(ticket):
        raise ExpiredCode
    if redirect_uri != code.redirect_uri:
        raise OtherRedirectUri(redirect_uri, code.redirect_uri)
    _check_verifier(code, form)
    # The scopes of OpenID Connect hold, whichever resource the code is redeemed for.
    before = code.grant.requested
    requested = read_scope(entra, call, form, before).with_openid(before.openid)
    user = code.grant.user
    assert user is not None  # the one that signed in for the code
    grant = delegate(entra, call, form, client, user, requested)
    found = entra.codes.replace(ticket, lambda found: found._replace(redeemed=True))
    if found is None or found.redeemed:
        raise CodeRedeemed
    return replace(grant, tenant=code.grant.tenant, nonce=code.grant.nonce)


def _check_tenant(call: TenantRequest, tenant: str) -> None:
    """Raise EntraError where a grant of this tenant is redeemed at another one."""
    if call.authority.id not in (None, tenant):
        raise GrantOfAnotherTenant


def _check_verifier(code: AuthorizationCode, form: Parameters) -> None:
    """Raise EntraError where the verifier does not fit the code's challenge (RFC 7636, 4.6)."""
    if code.challenge is None:
        if "code_verifier" in form:  # the challenge was stripped (RFC 9700, 2.1.1)
            raise WrongVerifier
        return
    challenge, method = code.challenge
    proof = require(form, "code_verifier").encode()
    if method == "S256":
        proof = base64url(hashlib.sha256(proof).digest()).encode()
    if not compare_digest(proof, challenge.encode()):
        raise WrongVerifier


def _token_response(
    entra: Entra, call: TenantRequest, form: Parameters, grant: Grant, *, renews: bool
) -> Response:
    """Respond with the tokens of a grant, in the form of the endpoint's version.

    There is a refresh token where ``offline_access`` was requested, where the grant ``renews``
    one, and in version 1 for every user. Version 1 writes numbers as text.
    """
    is_old = call.version == 1
    body: dict[str, Any] = {"token_type": "Bearer"}
    if grant.user:
        body["scope"] = grant.requested.granted(grant.permissions)
    if is_old:
        now = int(entra.clock.now().timestamp())
        body["resource"] = grant.requested.resource
        body["expires_on"] = str(now + EXPIRES_IN)
        body["not_before"] = str(now)
    body["expires_in"] = body["ext_expires_in"] = str(EXPIRES_IN) if is_old else EXPIRES_IN
    body["access_token"] = entra.tokens.access_token(grant, call.root, call.version)
    if grant.user:
        if is_old or renews or "offline_access" in grant.requested.openid:
            body["refresh_token"] = entra.refresh_token(grant)
        if is_old or "openid" in grant.requested.openid:
            body["id_token"] = entra.tokens.id_token(grant, call.root, call.version)
        if form.get("client_info") == "1":
            body["client_info"] = _client_info(grant)
    return json_response(body)


def _client_info(grant: Grant) -> str:
    """Return the ids by which MSAL keeps accounts."""
    info = {"uid": grant.object_id, "utid": grant.tenant}
    return base64url(json.dumps(info).encode())


_GRANT_TYPES: Mapping[str, Callable[[Entra, TenantRequest, Parameters], Grant]] = {
    "authorization_code": _authorization_code,
    "client_credentials": _client_credentials,
    "device_code": _device_code,
    "password": _password,
    "refresh_token": _refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": _device_code,
}
# The on-behalf-of flow, and assertions of other identity providers.
NOT_EMULATED = frozenset(
    f"urn:ietf:params:oauth:grant-type:{name}"
    for name in ("jwt-bearer", "saml1_1-bearer", "saml2-bearer", "token-exchange")
)
