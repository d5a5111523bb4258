"""Microsoft Entra, as far as clients of Graph need it: sign-in, tokens, and who may do what.

:class:`Entra` answers the requests to ``login.microsoftonline.com`` and to the endpoints of
managed identities, by a :class:`Directory` that :func:`read_directory` reads from a seed. It
verifies the tokens that it issued.
"""

from __future__ import annotations

from mockgraph.entra.catalogue import Catalogue
from mockgraph.entra.directory import Directory
from mockgraph.entra.documents import read_directory
from mockgraph.entra.entra import Entra
from mockgraph.entra.keys import Keys
from mockgraph.entra.minting import FLAWS

__all__ = ["FLAWS", "Catalogue", "Directory", "Entra", "Keys", "read_directory"]
