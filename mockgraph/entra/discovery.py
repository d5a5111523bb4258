"""Discovery: the documents that clients and resource servers look up, and user info."""

from __future__ import annotations

from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from mockgraph.entra.access_tokens import issuer_of
from mockgraph.entra.authorization import bearer_token
from mockgraph.entra.entra import Entra
from mockgraph.entra.oauth_errors import UnknownInstance
from mockgraph.entra.oauth_messages import (
    TenantRequest,
    check_method,
    json_response,
    query_parameters,
    require,
)
from mockgraph.entra.scopes import GRAPH, LOOPBACK, OPENID
from mockgraph.errors import Unauthenticated

# The names of Entra in the public cloud.
_ALIASES = (
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
)
_USER_INFO = ("sub", "name", "email", "preferred_username")


def openid_configuration(_: Entra, call: TenantRequest) -> Response:
    """Answer with the provider metadata (OpenID Connect Discovery, 3), as Entra lays it out.

    It names a tenant by its id; the issuer of ``common`` and ``organizations`` has a placeholder.
    """
    check_method(call.request, "GET")
    base = call.tenant_url
    new = "/v2.0" if call.version == 2 else ""
    tenant = call.authority.id or "{tenantid}"
    return json_response(
        {
            "token_endpoint": f"{base}/oauth2{new}/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            "jwks_uri": f"{base}/discovery{new}/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256", "plain"],
            "scopes_supported": list(OPENID),
            "issuer": issuer_of(call.root, tenant, call.version),
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": f"{call.root}oidc/userinfo",
            "authorization_endpoint": f"{base}/oauth2{new}/authorize",
            "device_authorization_endpoint": f"{base}/oauth2{new}/devicecode",
            "http_logout_supported": True,
            "end_session_endpoint": f"{base}/oauth2{new}/logout",
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "email",
            ],
            "tenant_region_scope": None,
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": urlsplit(GRAPH).netloc,
        },
        public=True,
    )


def key_set(entra: Entra, call: TenantRequest) -> Response:
    """Answer with the public signing key as a JSON Web Key Set (RFC 7517, 5)."""
    check_method(call.request, "GET")
    return json_response({"keys": [entra.key.document()]}, public=True)


def instance_discovery(_: Entra, call: TenantRequest) -> Response:
    """Tell MSAL which hosts are one cloud, and where a tenant's provider metadata is.

    Raises EntraError for an authority on a host that is neither Entra's nor this server's.
    """
    check_method(call.request, "GET")
    authority = require(query_parameters(call.request), "authorization_endpoint")
    host = _instance(authority, call.request.host)
    tenant = urlsplit(authority).path.strip("/").removesuffix("/oauth2/v2.0/authorize")
    tenant = tenant.removesuffix("/oauth2/authorize").rpartition("/")[2] or "common"
    clouds = [_cloud(_ALIASES[0], _ALIASES)]
    if host not in _ALIASES:
        clouds.append(_cloud(host, (host,)))
    return json_response(
        {
            "tenant_discovery_endpoint": f"https://{host}{call.request.root_path}/{tenant}"
            "/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": clouds,
        },
        public=True,
    )


def _instance(authority: str, own: str) -> str:
    """Return the host and port of an authority; MSAL leaves out the port of this server.

    Raises EntraError where it is neither Entra's nor this server's.
    """
    try:
        asked, here = urlsplit(authority), urlsplit(f"//{own}")
    except ValueError:
        raise UnknownInstance from None
    if asked.netloc == here.hostname:
        return own
    if asked.netloc not in _ALIASES and asked.hostname not in {here.hostname, *LOOPBACK}:
        raise UnknownInstance
    return asked.netloc


def user_realm(_: Entra, call: TenantRequest, user: str) -> Response:
    """Tell MSAL, before it sends a password, that Entra itself checks those of the domain."""
    check_method(call.request, "GET")
    return json_response(
        {
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": user.rpartition("@")[2],
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        }
    )


def user_info(entra: Entra, request: Request) -> Response:
    """Answer with the claims about the user of an access token (OpenID Connect Core, 5.3)."""
    try:
        claims = entra.verify(bearer_token(request), request.host)
    except Unauthenticated as error:
        body = {"error": "invalid_token", "error_description": error.message}
        response = json_response(body, error.status)
        response.headers.extend(error.headers)
        return response
    return json_response({name: claims[name] for name in _USER_INFO if name in claims})


def _cloud(preferred: str, aliases: tuple[str, ...]) -> dict[str, object]:
    return {
        "preferred_network": preferred,
        "preferred_cache": preferred,
        "aliases": list(aliases),
    }
