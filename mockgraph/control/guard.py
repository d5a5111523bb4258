"""Access to the control plane: no web page of another site, and nobody without the token."""

from __future__ import annotations

import hmac

from mockgraph.control import FAVICON, PREFIX
from mockgraph.errors import ControlNotProxied, ControlTokenMissing
from mockgraph.serving.origins import Origins
from mockgraph.wsgi import Environ

# These tell nothing and do nothing: any page may ask for them. The first two by a proxy, too.
_OF_BROWSERS = ("/", FAVICON)
_OPEN = (*_OF_BROWSERS, f"{PREFIX}/health")


def check(environ: Environ, path: str, token: str | None, origins: Origins) -> None:
    """Raise 403 for a host or a web page that is not the server's, 401 without the token.

    The head of a request is enough; ``path`` is that below its tenant's. The control plane is
    not behind the proxy: 403.
    """
    if "mockgraph.proxied" in environ and path not in _OF_BROWSERS:
        raise ControlNotProxied
    if path in _OPEN:
        return
    origins.check_control(environ)
    if token is not None:
        given: str = environ.get("HTTP_X_MOCKGRAPH_TOKEN", "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise ControlTokenMissing
