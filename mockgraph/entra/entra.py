"""Entra for one tenant of MockGraph: its directory, its tokens, and the actions of a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mockgraph.clock import Clock
from mockgraph.entra.access_tokens import MICROSOFT, TOKEN_LIFETIME, Grant, Tokens, split_authority
from mockgraph.entra.codes import AuthorizationCode, CodeStore, Devices, RefreshToken
from mockgraph.entra.directory import (
    App,
    Catalogue,
    Directory,
    SignInAuthority,
    User,
    read_directory,
)
from mockgraph.entra.oauth_errors import TenantNotFound
from mockgraph.entra.scopes import GRAPH, RequestedScope, Scopes, names_graph
from mockgraph.entra.signing_keys import Claims, SigningKey
from mockgraph.errors import BadRequest, NotFound
from mockgraph.metadata.names import Properties

# Lifetimes in seconds.
_CODE_LIFETIME = 600
_REFRESH_TOKEN_LIFETIME = 90 * 24 * 3600
_MOST_CODES = 1000
_MOST_REFRESH_TOKENS = 10_000

_DEFAULT_APP = "mockgraph"


class Entra:
    """Microsoft Entra for one tenant of MockGraph. Safe under threads.

    ``permissions`` are those that the service declares. The tenants of a server share a ``key``.
    ``document`` is the one that the directory was read from.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        permissions: Iterable[str],
        key: SigningKey | None = None,
        document: Properties | None = None,
    ):
        self.clock = clock
        self.key = key or SigningKey()
        self.catalogue = Catalogue(permissions)
        self.tokens = Tokens(self.key, clock, directory)
        self.codes: CodeStore[AuthorizationCode] = CodeStore(clock, _CODE_LIFETIME, _MOST_CODES)
        self.refresh_tokens: CodeStore[RefreshToken] = CodeStore(
            clock, _REFRESH_TOKEN_LIFETIME, _MOST_REFRESH_TOKENS
        )
        self.devices = Devices(clock)
        self._use(directory, document)

    def fork(self, clock: Clock) -> Entra:
        """Make Entra for another tenant, with the same directory and key."""
        known, declared = self._document, self.catalogue.declared
        return Entra(self.directory, clock, declared, self.key, known)

    def read(self, document: Properties | None) -> Directory:
        """Read the directory in a document; without one it is open. Raises BadRequest."""
        if document is None:
            return Directory()
        return read_directory(dict(document), self.catalogue)

    def follow(self, document: Properties | None) -> None:
        """Use the directory in a document from now on. Raises BadRequest.

        Where it is another one, all codes, refresh tokens and revocations are forgotten.
        """
        if document is self._document:
            return
        directory = self.read(document)
        is_another = directory != self.directory
        self._use(directory, document)
        if is_another:
            self.reset()

    def reset(self) -> None:
        """Forget all codes, refresh tokens and revocations.

        The key stays, and access tokens that clients have stay valid.
        """
        self.tokens.revocations.reset(self.directory)
        self.codes.clear()
        self.refresh_tokens.clear()
        self.devices.clear()

    def verify(self, token: str, host: str) -> Claims:
        """Return the claims of an access token that is valid at this host, as in ``Host``.

        Raises Unauthenticated with the reason.
        """
        return self.tokens.verify(token, host)

    def refresh_token(self, grant: Grant) -> str:
        """Issue a refresh token for a grant."""
        number, issued = self.tokens.revocations.number(), self.clock.text()
        return self.refresh_tokens.issue(RefreshToken(grant, number, issued))

    # -- actions of a test ----------------------------------------------------------------

    def approve_device_code(self, user_code: str, user: str | None = None) -> None:
        """Sign a waiting device in as this user, by default the first one of the directory.

        Raises NotFound for an unknown code or user, BadRequest for a device that was approved
        or declined before.
        """
        self.devices.approve(user_code, self._user(user))

    def deny_device_code(self, user_code: str) -> None:
        """Refuse to sign a waiting device in. Raises as ``approve_device_code`` does."""
        self.devices.decline(user_code)

    def revoke(self, user: str | None = None, app: str | None = None) -> None:
        """Revoke the tokens issued until now: a user's, an app's, or everyone's.

        Refresh tokens are revoked, too. A client that handles claims challenges (``cp1``) gets
        one, others a plain 401. Raises NotFound for an unknown user or app.
        """
        if app is not None:
            self.tokens.revocations.revoke(self._app(app).app_id)
        if user is not None or app is None:
            self.tokens.revocations.revoke(self._user(user).object_id if user else None)

    def mint(
        self,
        *,
        app: str | None = None,
        user: str | None = None,
        tenant: str | None = None,
        permissions: Sequence[str] | None = None,
        audience: str = GRAPH,
        lifetime: float = TOKEN_LIFETIME,
        capabilities: Sequence[str] = (),
        version: int = 1,
        authority: str | None = None,
        flaw: str | None = None,
    ) -> str:
        """Issue an access token without a sign-in, for scripts and tests.

        With a ``user`` it is a delegated one, else the app's own. ``permissions`` need not exist;
        by default they are those of the directory on the ``audience``, Graph or any other.
        ``authority`` is the URL under which a resource server knows the issuer, with the tenant
        in it or in ``tenant``; by default Entra's own. ``lifetime`` is in seconds from now.
        ``flaw`` makes the token an invalid one: ``expired``, ``future``, ``audience``,
        ``issuer``, ``tenant``, ``key``, ``none``, ``hs256`` or ``tampered``. Raises NotFound for
        an unknown app, user or tenant, BadRequest for another authority, flaw or version.
        """
        if version not in (1, 2):
            raise BadRequest(f"The version of a token is 1 or 2, not {version}.")
        its_app, its_user = self._app(app), self._user(user) if user else None
        api = self.directory.api(audience)
        requested = RequestedScope(audience, api is None and names_graph(audience, ""), api)
        if permissions is not None:
            granted = tuple(permissions)
        elif its_user:
            granted = self.scopes.for_user(requested, its_app, its_user)
        else:
            granted = self.scopes.for_app(requested, its_app)
        root, named = split_authority(authority) if authority else (MICROSOFT, None)
        signed_in = self._authority(named or tenant)
        home = signed_in.tenant_of(its_user, self.directory) if its_user else self.directory.home
        grant = Grant(
            its_app, its_user, signed_in.id or home, requested, granted, "1", tuple(capabilities)
        )
        return self.tokens.mint(grant, root, version, lifetime, flaw)

    def _use(self, directory: Directory, document: Properties | None) -> None:
        self.directory = directory
        self._document = document
        self.scopes = Scopes(directory, self.catalogue)

    def _user(self, name: str | None) -> User:
        user = self.directory.user(name) if name else self.directory.default_user
        if user is None:
            raise NotFound(f"There is no user '{name}'." if name else "There are no users.")
        return user

    def _app(self, app_id: str | None) -> App:
        apps = self.directory.apps
        app = self.directory.app(app_id or next(iter(apps or ()), _DEFAULT_APP))
        if app is None:
            raise NotFound(f"There is no app '{app_id or ''}'.")
        return app

    def _authority(self, named: str | None) -> SignInAuthority:
        authority = self.directory.authority(named or "common")
        if authority is None:
            raise NotFound(TenantNotFound(named).message)
        return authority
