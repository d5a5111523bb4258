"""What Entra refuses of scopes and resources."""

from __future__ import annotations

from mockgraph.entra.errors import EntraError, InvalidGrant


class InvalidScope(EntraError):
    """A ``scope`` that cannot be read."""

    number = 70011
    error = "invalid_scope"
    text = (
        "The provided request must include a 'scope' input parameter. The provided value for "
        "the input parameter 'scope' is not valid. The scope {} is not valid."
    )


class SeveralResources(EntraError):
    """A ``scope`` of more than one resource: a token is for one."""

    number = 28000
    error = "invalid_scope"
    text = (
        "Provided value for the input parameter scope is not valid because it contains more "
        "than one resource. Scope {} is not valid."
    )


class AppScopeNotDefault(EntraError):
    """An app signs in by itself and asks for less than all, ``.default``."""

    number = 1002012
    error = "invalid_scope"
    text = (
        "The provided value for scope {} is not valid. Client credential flows must have a "
        "scope value with /.default suffixed to the resource identifier (application ID URI)."
    )


class ResourceNotFound(EntraError):
    """A resource that is neither Graph, nor an API of the directory, nor Microsoft's."""

    number = 500011
    error = "invalid_resource"
    text = (
        "The resource principal named {} was not found in the tenant named {}. This can happen "
        "if the application has not been installed by the administrator of the tenant or "
        "consented to by any user in the tenant. You might have sent your authentication "
        "request to the wrong tenant."
    )


class ScopeNotFound(EntraError):
    """A permission that Graph does not have."""

    number = 650053
    error = "invalid_scope"
    text = (
        "The application '{}' asked for scope '{}' that doesn't exist on the resource '{}'. "
        "Contact the app vendor."
    )


class NoConsent(InvalidGrant):
    """A permission that the app does not have in the directory."""

    number = 65001
    suberror = "consent_required"
    text = (
        "The user or administrator has not consented to use the application with ID '{}' named "
        "'{}'. Send an interactive authorization request for this user and resource."
    )
