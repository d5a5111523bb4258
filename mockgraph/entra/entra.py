"""Entra in one object: what it knows and remembers, and what a test does to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from mockgraph.clock import Clock
from mockgraph.entra.catalogue import Catalogue
from mockgraph.entra.devices import Devices
from mockgraph.entra.directory import App, Directory, User
from mockgraph.entra.documents import read_directory
from mockgraph.entra.errors import TenantNotFound
from mockgraph.entra.forms import Authority, read_authority
from mockgraph.entra.issuers import MICROSOFT, Issuers, split_authority
from mockgraph.entra.keys import Claims, Keys
from mockgraph.entra.minting import mint
from mockgraph.entra.revocations import Revocations
from mockgraph.entra.scopes import GRAPH, Asked, Scopes, names_graph
from mockgraph.entra.tickets import Code, Refresh, Tickets
from mockgraph.entra.tokens import LIFETIME, Grant, Tokens
from mockgraph.entra.verification import Verification
from mockgraph.errors import BadRequest, NotFound
from mockgraph.metadata.names import Properties

if TYPE_CHECKING:
    from mockgraph.http import Response as Answer

_CODE_LIFETIME = 600
_REFRESH_LIFETIME = 90 * 24 * 3600
_MOST_CODES = 1000
_MOST_REFRESH_TOKENS = 10_000

_SOME_APP = "mockgraph"


class Entra:
    """Microsoft Entra for one tenant of MockGraph. Safe under threads.

    ``directory`` says who may sign in, ``clock`` tells the time; ``permissions`` are those that
    the service's resources take. ``keys`` are shared by tenants that one server has; a key is
    made when the first token is. ``document`` is what the directory was read from.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        permissions: Iterable[str],
        keys: Keys | None = None,
        document: Properties | None = None,
    ):
        self.clock = clock
        self.keys = keys or Keys()
        self.catalogue = Catalogue(permissions)
        self.issuers = Issuers()
        self.revocations = Revocations(directory)
        self.tokens = Tokens(self.keys, clock, self.issuers, self.revocations)
        self.codes: Tickets[Code] = Tickets(clock, _CODE_LIFETIME, _MOST_CODES)
        self.refresh_tokens: Tickets[Refresh] = Tickets(
            clock, _REFRESH_LIFETIME, _MOST_REFRESH_TOKENS
        )
        self.devices = Devices(clock)
        self._verification = Verification(clock, self.issuers, self.revocations)
        self._know(directory, document)

    def fork(self, clock: Clock) -> Entra:
        """Entra for another tenant: the same directory and key, nothing else in common."""
        known, declared = self._document, self.catalogue.declared
        return Entra(self.directory, clock, declared, self.keys, known)

    def read(self, document: Properties | None) -> Directory:
        """The directory in a document; without one anybody may sign in. Raises BadRequest."""
        if document is None:
            return Directory()
        return read_directory(dict(document), self.catalogue)

    def follow(self, document: Properties | None) -> None:
        """Know the directory in a document. Raises BadRequest.

        Where it is another one, what was handed out and revoked until now is forgotten.
        """
        if document is self._document:
            return
        directory = self.read(document)
        is_another = directory != self.directory
        self._know(directory, document)
        if is_another:
            self.reset()

    def reset(self) -> None:
        """Forget what was handed out and revoked.

        The key stays, and so do the access tokens that a client has kept.
        """
        self.revocations.reset(self.directory)
        self.codes.clear()
        self.refresh_tokens.clear()
        self.devices.clear()

    def answer(self, request: Request) -> Response | None:
        """The answer to a request to one of Entra's paths; None for any other path."""
        from mockgraph.entra.routes import answer  # nobody who starts has to wait for it

        return answer(self, request)

    def reword(self, request: Request, response: Answer) -> None:
        """Say an error of somebody else's on one of Entra's paths as Entra would."""
        from mockgraph.entra.rewording import reword

        reword(self, request, response)

    def verify(self, token: str, host: str) -> Claims:
        """The claims of an access token that this server issued for the service at ``host``,
        which is as the ``Host`` header has it. Raises Unauthenticated with the reason."""
        claims = self.keys.read(token)
        self._verification.check(claims, host)
        return claims

    def refresh(self, grant: Grant) -> str:
        """A refresh token for a grant."""
        issued = self.clock.text()
        return self.refresh_tokens.issue(Refresh(grant, self.revocations.number(), issued))

    # -- what a test does -----------------------------------------------------------------

    def approve_device_code(self, user_code: str, user: str | None = None) -> None:
        """Sign a waiting device in, as this user or as the first one that there is.

        Raises NotFound for a code or a user that is not there, BadRequest for a device that
        was decided on before.
        """
        self.devices.approve(user_code, self._user(user))

    def deny_device_code(self, user_code: str) -> None:
        """Refuse to sign a waiting device in. Raises as ``approve_device_code`` does."""
        self.devices.decline(user_code)

    def revoke(self, user: str | None = None, app: str | None = None) -> None:
        """Revoke the tokens issued up to now: a user's, an app's, or everyone's.

        A client that takes claims challenges (``cp1``) gets one, others a plain 401; refresh
        tokens count no longer either. Raises NotFound for one who is not there.
        """
        if app is not None:
            self.revocations.revoke(self._app(app).app_id)
        if user is not None or app is None:
            self.revocations.revoke(self._user(user).object_id if user else None)

    def mint(
        self,
        *,
        app: str | None = None,
        user: str | None = None,
        tenant: str | None = None,
        permissions: Sequence[str] | None = None,
        audience: str = GRAPH,
        lifetime: float = LIFETIME,
        capabilities: Sequence[str] = (),
        version: int = 1,
        authority: str | None = None,
        flaw: str | None = None,
    ) -> str:
        """An access token without a sign-in, for scripts and tests.

        It is the user's where there is one, else the app's own; ``permissions`` are taken as
        they are, and are else what the directory gives them on the ``audience``, Graph or any
        other. ``authority`` is a URL, its tenant in it or in ``tenant``, under which its reader
        knows the issuer; it is else Entra's own. ``lifetime`` is in seconds from now, ``flaw``
        what is wrong with it: ``expired``, ``future``, ``audience``, ``issuer``, ``tenant``,
        ``key``, ``none``, ``hs256`` or ``tampered``. Raises NotFound for an app, a user or a
        tenant that is not there, BadRequest for another authority, flaw or version.
        """
        if version not in (1, 2):
            raise BadRequest(f"The version of a token is 1 or 2, not {version}.")
        its_app, its_user = self._app(app), self._user(user) if user else None
        api = self.directory.api(audience)
        asked = Asked(audience, api is None and names_graph(audience, ""), api)
        if permissions is not None:
            granted = tuple(permissions)
        elif its_user:
            granted = self.scopes.for_user(asked, its_app, its_user)
        else:
            granted = self.scopes.for_app(asked, its_app)
        root, named = split_authority(authority) if authority else (MICROSOFT, None)
        signed_in = self._authority(named or tenant)
        home = signed_in.tenant_of(its_user, self.directory) if its_user else self.directory.home
        grant = Grant(
            its_app, its_user, signed_in.id or home, asked, granted, "1", tuple(capabilities)
        )
        return mint(self, grant, root, version, lifetime, flaw)

    def _know(self, directory: Directory, document: Properties | None) -> None:
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
        app = self.directory.app(app_id or next(iter(apps or ()), _SOME_APP))
        if app is None:
            raise NotFound(f"There is no app '{app_id or ''}'.")
        return app

    def _authority(self, named: str | None) -> Authority:
        try:
            return read_authority(named or "common", self.directory)
        except TenantNotFound as error:
            raise NotFound(error.message) from None
