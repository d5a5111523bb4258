"""Names of the Entity Data Model, and how values are shown in messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NAMESPACE = "microsoft.graph"

Json = Any
Properties = Mapping[str, Json]

_IDENTIFIER = re.compile(r"[^\W\d]\w{0,127}")


def is_identifier(name: str) -> bool:
    """Return whether the text can name a property (OData's SimpleIdentifier)."""
    return _IDENTIFIER.fullmatch(name) is not None


def qualified(name: str) -> str:
    """``microsoft.graph.alert`` for ``alert``."""
    return f"{NAMESPACE}.{name}"


def shown(value: Json) -> str:
    """Return a value for a message: short, whatever it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = str(value)
    text = text if len(text) <= 64 else f"{text[:64]}..."
    return f"'{text}'" if isinstance(value, str) else text
