"""A local, stateful emulator of the Microsoft Graph Security endpoint.

``MockGraph`` is a live server for a ``with`` block, ``create_app`` the bare WSGI app,
``StoreStorage`` a TinyDB storage for its store files. They are imported when they are first
used: importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockgraph.version import __version__

if TYPE_CHECKING:
    from mockgraph.api import MockGraph
    from mockgraph.app import create_app
    from mockgraph.service.store_storage import StoreStorage

__all__ = ["MockGraph", "StoreStorage", "__version__", "create_app"]


def __getattr__(name: str) -> Any:
    if name == "MockGraph":
        from mockgraph.api import MockGraph

        return MockGraph
    if name == "create_app":
        from mockgraph.app import create_app

        return create_app
    if name == "StoreStorage":
        from mockgraph.service.store_storage import StoreStorage

        return StoreStorage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
