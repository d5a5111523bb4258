"""Files that ship with MockGraph, and files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def fixtures() -> Traversable:
    """Return the folder of fixtures, in an installation or in a checkout."""
    try:
        return files("mockgraph.fixtures")
    except ModuleNotFoundError:
        # In a checkout the folder lies beside the package; an installation maps it into it.
        return Path(__file__).parents[1] / "fixtures"


def put(path: Path, data: bytes | Iterable[bytes], mode: int = 0o600) -> None:
    """Write a file, of pieces or at once, or leave it as it was. Raises OSError."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with mode 0600
    try:
        with os.fdopen(number, "wb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(number)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
