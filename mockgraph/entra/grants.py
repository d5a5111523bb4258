"""The token endpoint: what each type of grant takes, and what it gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from hmac import compare_digest
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from mockgraph.entra.answers import token_answer
from mockgraph.entra.clients import Client, identify, identify_any
from mockgraph.entra.directory import User
from mockgraph.entra.errors import (
    GrantNeedsTenant,
    GrantTypeNotEmulated,
    NoCredential,
    NoTenant,
    UnsupportedGrantType,
)
from mockgraph.entra.forms import Call, Form, check_method, need, read_form, read_nonce, read_wish
from mockgraph.entra.scopes import Asked
from mockgraph.entra.sign_in_errors import (
    CodeRedeemed,
    ExpiredCode,
    ExpiredRefreshToken,
    GrantOfAnother,
    MalformedGrant,
    OtherRedirectUri,
    RevokedGrant,
    WrongVerifier,
)
from mockgraph.entra.tickets import Code
from mockgraph.entra.tokens import Grant, base64url
from mockgraph.entra.users import check_password, find_user

if TYPE_CHECKING:
    from mockgraph.entra.entra import Entra


def token(entra: Entra, call: Call) -> Response:
    """Answer a request for tokens. Raises EntraError."""
    check_method(call.request, "POST")
    form = read_form(call.request)
    grant_type = need(form, "grant_type")
    flow = _FLOWS.get(grant_type)
    if flow is None:
        known = grant_type in _NOT_EMULATED
        raise GrantTypeNotEmulated(grant_type) if known else UnsupportedGrantType(grant_type)
    grant = flow(entra, call, form)
    return token_answer(entra, call, form, grant, renew=grant_type == "refresh_token")


def read_asked(entra: Entra, call: Call, form: Form, before: Asked | None = None) -> Asked:
    """The resource and the permissions that a form asks for, or those of before."""
    tenant, host = call.authority.named, call.request.host
    named = "resource" if call.version == 1 else "scope"
    if before is not None and not form.get(named):
        return before
    if call.version == 1:
        resource, scope = need(form, named), form.get("scope", "")
        return entra.scopes.read_resource(resource, scope, tenant, host)
    return entra.scopes.read(need(form, named), tenant, host)


def delegated(
    entra: Entra, call: Call, form: Form, client: Client, user: User, asked: Asked
) -> Grant:
    """What a user grants to an app. Raises EntraError where they cannot."""
    wish = read_wish(form)
    return Grant(
        client.app,
        user,
        call.authority.tenant_of(user, entra.directory),
        asked,
        entra.scopes.for_user(asked, client.app, user),
        client.credential,
        wish.capabilities,
        wish.answers_challenge,
        read_nonce(form),
    )


def _client_credentials(entra: Entra, call: Call, form: Form) -> Grant:
    client = identify(call, form, entra.directory)
    if not client.is_confidential:
        raise NoCredential
    tenant = call.authority.id
    if tenant is None:
        raise NoTenant
    if call.authority.is_personal:
        raise GrantNeedsTenant
    asked = read_asked(entra, call, form)
    permissions = entra.scopes.for_app(asked, client.app)
    wish = read_wish(form)
    return Grant(client.app, None, tenant, asked, permissions, client.credential, *wish)


def _password(entra: Entra, call: Call, form: Form) -> Grant:
    client = identify_any(call, form, entra.directory)
    if call.authority.named == "common" or call.authority.is_personal:
        raise GrantNeedsTenant
    asked = read_asked(entra, call, form)
    name, password = need(form, "username"), need(form, "password")
    user = find_user(name, entra.directory, call.authority)
    check_password(user, password)
    return delegated(entra, call, form, client, user, asked)


def _refresh_token(entra: Entra, call: Call, form: Form) -> Grant:
    """The same again, or for another resource; as in Entra, the old token stays good."""
    client = identify_any(call, form, entra.directory)
    ticket = need(form, "refresh_token")
    kept = entra.refresh_tokens.find(ticket)
    if kept is None or kept.grant.user is None:
        raise MalformedGrant
    if kept.grant.app.app_id != client.app.app_id:
        raise GrantOfAnother(client.app.app_id)
    if entra.refresh_tokens.expired(ticket):
        raise ExpiredRefreshToken(kept.issued)
    if entra.revocations.covers(kept.number, kept.grant.subjects):
        raise RevokedGrant
    user = find_user(kept.grant.user.name, entra.directory, call.authority)
    asked = read_asked(entra, call, form, kept.grant.asked)
    grant = delegated(entra, call, form, client, user, asked)
    # Only a fresh sign-in answers a challenge.
    tenant = call.authority.id or kept.grant.tenant
    return replace(grant, tenant=tenant, answers_challenge=False)


def _device_code(entra: Entra, call: Call, form: Form) -> Grant:
    client = identify_any(call, form, entra.directory)
    code = form.get("device_code") or need(form, "code")
    device = entra.devices.poll(code, client.app, entra.directory)
    user = device.user
    assert user is not None  # an approved device has one
    asked = read_asked(entra, call, form, device.asked).with_openid(device.asked.openid)
    return delegated(entra, call, form, client, user, asked)


def _authorization_code(entra: Entra, call: Call, form: Form) -> Grant:
    client = identify_any(call, form, entra.directory)
    ticket = need(form, "code")
    redirect_uri = need(form, "redirect_uri")
    code = entra.codes.find(ticket)
    if code is None:
        raise MalformedGrant
    if code.grant.app.app_id != client.app.app_id:
        raise GrantOfAnother(client.app.app_id)
    if code.redeemed:
        raise CodeRedeemed
    if entra.codes.expired(ticket):
        raise ExpiredCode
    if redirect_uri != code.redirect_uri:
        raise OtherRedirectUri(redirect_uri, code.redirect_uri)
    _check_verifier(code, form)
    # What the user granted beside permissions holds, whatever the code is redeemed for.
    before = code.grant.asked
    asked = read_asked(entra, call, form, before).with_openid(before.openid)
    user = code.grant.user
    assert user is not None  # who signed in to get the code
    grant = delegated(entra, call, form, client, user, asked)
    found = entra.codes.replace(ticket, lambda found: found._replace(redeemed=True))
    if found is None or found.redeemed:
        raise CodeRedeemed
    tenant = call.authority.id or code.grant.tenant
    return replace(grant, tenant=tenant, nonce=code.grant.nonce)


def _check_verifier(code: Code, form: Form) -> None:
    """Proof of the key behind the code's challenge (RFC 7636, 4.6)."""
    if code.challenge is None:
        if "code_verifier" in form:  # somebody took the challenge out (RFC 9700, 2.1.1)
            raise WrongVerifier
        return
    challenge, method = code.challenge
    proof = need(form, "code_verifier").encode()
    if method == "S256":
        proof = base64url(hashlib.sha256(proof).digest()).encode()
    if not compare_digest(proof, challenge.encode()):
        raise WrongVerifier


_FLOWS: Mapping[str, Callable[[Entra, Call, Form], Grant]] = {
    "authorization_code": _authorization_code,
    "client_credentials": _client_credentials,
    "device_code": _device_code,
    "password": _password,
    "refresh_token": _refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": _device_code,
}
# On behalf of a user, and by what another identity provider says.
_NOT_EMULATED = frozenset(
    f"urn:ietf:params:oauth:grant-type:{name}"
    for name in ("jwt-bearer", "saml1_1-bearer", "saml2-bearer", "token-exchange")
)
