"""Seeds: state documents given as values, as files, or by the name of a bundled one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from mockgraph.bundled import fixtures
from mockgraph.errors import MockGraphError

Seed = Mapping[str, Any] | str | os.PathLike[str]

BUNDLED = ("demo",)


def read_seeds(seed: Seed | Sequence[Seed]) -> tuple[Any, ...]:
    """Seeds as state documents that share nothing with the caller's.

    A text is ``demo``, the bundled tenant, or the path of a file. Raises MockGraphError that
    names the seed where it cannot be read or is no JSON.
    """
    seeds = [seed] if isinstance(seed, (Mapping, str, os.PathLike)) else seed
    return tuple(copied(each) if isinstance(each, Mapping) else _read_file(each) for each in seeds)


def copied(document: Mapping[str, Any]) -> Any:
    """A document as JSON would carry it. Raises MockGraphError where it cannot."""
    try:
        return orjson.loads(orjson.dumps(dict(document)))
    except TypeError as error:
        raise MockGraphError(f"The seed cannot be written as JSON: {error}.") from None


def _read_file(path: str | os.PathLike[str]) -> Any:
    source = fixtures() / f"{path}.json" if path in BUNDLED else Path(path)
    try:
        return orjson.loads(source.read_bytes())
    except OSError as error:
        raise MockGraphError(f"The seed {path} cannot be read: {error.strerror}.") from None
    except orjson.JSONDecodeError as error:
        raise MockGraphError(f"The seed {path} is not valid JSON: {error}.") from None
