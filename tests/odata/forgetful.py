"""The line as it is where nothing is kept of what was asked before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mockgraph.odata import kept_requests
from mockgraph.odata.rendering.representations import Representations
from mockgraph.request_heads import RequestHead, RequestHeads


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Have each request of a block read and answered by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RequestHeads, "find", lambda *_: RequestHead())
        patch.setattr(kept_requests, "question", lambda *_: None)
        # Nor the JSON of an entity: in a collection, and alone.
        patch.setattr(Representations, "_form", lambda *_: None)
        patch.setattr(Representations, "_json", lambda *_: None)
        yield
