"""The state that a server starts from: the documented examples, then seeds laid over them.

A seed is a state document given as a value, as a file, or by the name of a bundled one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from mockgraph.errors import MockGraphError
from mockgraph.files import fixtures
from mockgraph.metadata.declarations import DIRECTORY, Service
from mockgraph.metadata.names import Json
from mockgraph.settings import Settings

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


# What the bundled pages show, with their checksums: parsing them takes longer than all the rest
# of a start. ``scripts/write_documented.py`` writes it.
DIGEST = "documented.json"


def initial_document(service: Service, settings: Settings) -> dict[str, Any]:
    """The state that a server starts from: what the pages document, then its seeds.

    Seeds are laid over the documented singleton; where there are any, the sets hold what
    they give and nothing else. The directory is that of the last seed that has one; a seed
    of a directory alone says nothing of the rest. Raises MockGraphError that names the page
    or the seed.
    """
    name = service.singleton.name
    document = _documented(service, settings.docs)
    for number, seed in enumerate(settings.seeds, 1):
        _check_seed(seed, number, name)
    if any(name in seed for seed in settings.seeds):
        document = {
            key: value for key, value in document.items() if key.lower() not in service.sets
        }
    whole = {name: document}
    for seed in settings.seeds:
        for key, value in seed.get(name, {}).items():
            if key.lower() in service.sets and isinstance(value, list):
                value = [*document.get(key, []), *value]
            document[key] = value
        if DIRECTORY in seed:
            whole[DIRECTORY] = seed[DIRECTORY]
    return whole


def checksums() -> dict[str, int]:
    """The bundled pages by their names, with the CRC-32 of each, whatever its line ends."""
    pages = [entry for entry in fixtures().iterdir() if entry.name.lower().endswith(".md")]
    return {
        page.name: crc32(page.read_bytes().replace(b"\r\n", b"\n"))
        for page in sorted(pages, key=lambda page: page.name)
    }


def _documented(service: Service, docs: Sequence[str]) -> dict[str, Any]:
    """What the pages in these directories, or else the bundled ones, show."""
    if not docs:
        digest = orjson.loads((fixtures() / DIGEST).read_bytes())
        if digest["pages"] == checksums():
            shown: dict[str, Any] = digest[service.singleton.name]
            return shown
    from mockgraph.pages import examples

    return examples.documented(service, examples.pages_of(docs))


def _check_seed(seed: Json, number: int, name: str) -> None:
    fits = isinstance(seed, dict) and bool(seed) and seed.keys() <= {name, DIRECTORY}
    if not fits or not isinstance(seed.get(name, {}), dict):
        raise MockGraphError(
            f'Seed {number} is no state document: an object with the member "{name}", an '
            f'object, "{DIRECTORY}" or both is expected.'
        )
