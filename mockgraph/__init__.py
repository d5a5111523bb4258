"""A local, stateful emulator of the Microsoft Graph Security endpoint.

``MockGraph`` is a live server for a ``with`` block, ``create_app`` the bare WSGI app, ``operation``
marks a function as what an action does, ``StoreStorage`` is a TinyDB storage for its store files.
All are imported when they are first used: importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockgraph.api import MockGraph
    from mockgraph.app import create_app
    from mockgraph.service.store_storage import StoreStorage
    from mockgraph.state.behaviours import operation

__version__ = "0.1.0"

__all__ = ["MockGraph", "StoreStorage", "__version__", "create_app", "operation"]

_HOMES = {
    "MockGraph": "mockgraph.api",
    "StoreStorage": "mockgraph.service.store_storage",
    "create_app": "mockgraph.app",
    "operation": "mockgraph.state.behaviours",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
