"""The state that a server starts from: the documented examples, then seeds laid over them.

A seed is a state document given as a value, as a file, or by the name of a bundled one.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from mockgraph.entra import check_directory
from mockgraph.errors import BadRequest, MockGraphError
from mockgraph.files import fixtures
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource, Service
from mockgraph.server_options import FilePath, Seed, Settings
from mockgraph.service.bundled_seeds import BUNDLED, is_bundled, read_bundled
from mockgraph.service.hunting_query import check_rows
from mockgraph.spelling import suggestion
from mockgraph.state.documents import DIRECTORY, HUNTING, RUNNING, SECURITY, read_document

# The member of a seed that was captured, which says in which form.
CAPTURED = "@mockgraph.capture"
# The files that hold the rows of one of hunting's tables: the one that they are named after.
TABLE_FILES = (".parquet", ".csv", ".jsonl", ".ndjson")


class NamedSeed(dict[str, Json]):
    """A state document with the name of the file that it was read from."""

    name = ""


def read_seeds(seed: Seed | Sequence[Seed]) -> tuple[Any, ...]:
    """Seeds as state documents that share nothing with the caller's.

    A text is ``demo``, the bundled tenant, or the path of a file. Raises MockGraphError that
    names the seed where it cannot be read or is no JSON object.
    """
    if isinstance(seed, (str, bytes)) or not isinstance(seed, Sequence):
        return (_read(seed, "The seed"),)
    return tuple(_read(each, f"Seed {number}") for number, each in enumerate(seed, 1))


def _read(seed: Seed, what: str) -> Any:
    if isinstance(seed, Mapping):
        return copied(seed, what)
    if isinstance(seed, (str, os.PathLike)):
        return _read_file(seed)
    expected = "a state document, the path of one, or the name of a bundled one"
    raise MockGraphError(f"{what} is {reprlib.repr(seed)}; {expected} is expected.")


def copied(document: Mapping[str, Any], what: str = "The seed") -> Any:
    """Return a document as JSON would carry it. Raises MockGraphError where it cannot."""
    try:
        return orjson.loads(orjson.dumps(dict(document)))
    except TypeError as error:
        raise MockGraphError(f"{what} cannot be written as JSON: {error}.") from None


def _read_file(path: str | os.PathLike[str]) -> Any:
    if Path(path).suffix.lower() in TABLE_FILES:
        from mockgraph.service.hunting.seed_files import read_table

        seed = NamedSeed({HUNTING: read_table(Path(path))})
        seed.name = os.fspath(path)
        return seed
    try:
        if is_bundled(os.fspath(path)):
            document = read_bundled(os.fspath(path))
        else:
            document = orjson.loads(Path(path).read_bytes())
    except OSError as error:
        near = _near(Path(path)) if isinstance(error, FileNotFoundError) else ""
        raise MockGraphError(f"The seed {path} cannot be read: {error.strerror}.{near}") from None
    except orjson.JSONDecodeError as error:
        raise MockGraphError(f"The seed {path} is not valid JSON: {error}.") from None
    if not isinstance(document, dict):
        raise MockGraphError(f"The seed {path} is no state document: an object is expected.")
    if CAPTURED in document:
        from mockgraph.pages.capture import migrated  # most are none

        try:
            document = migrated(document)
        except MockGraphError as error:
            raise MockGraphError(f"The seed {path} cannot be used. {error}") from None
    seed = NamedSeed(document)
    seed.name = os.fspath(path)
    return seed


def _near(path: Path) -> str:
    """Return a sentence with the seeds that may be meant: bundled ones, and files beside it."""
    try:
        beside = [os.fspath(each) for each in path.parent.iterdir()]
    except OSError:
        beside = []
    return suggestion(os.fspath(path), [*BUNDLED, *beside])


# What the bundled pages show, with their checksums: parsing them takes longer than all the rest
# of a start. ``scripts/write_documented.py`` writes it.
DIGEST = "documented.json"


def initial_document(service: Service, settings: Settings) -> dict[str, Any]:
    """Return the state that a server starts from: what the pages document, then its seeds.

    Seeds are laid over the documented singleton; where there are any, the sets hold what
    they give and nothing else. The directory is that of the last seed that has one; a seed
    of a directory or of rows for hunting alone says nothing of the rest. Raises MockGraphError
    that names the page or the seed.
    """
    singleton = service.stored.children[SECURITY.lower()]
    whole = _documented(service, settings.docs)
    for number, seed in enumerate(settings.seeds, 1):
        _check_seed(seed, number, service)
    if any(SECURITY in seed for seed in settings.seeds):
        known = singleton.children()
        shown = {k: v for k, v in whole[SECURITY].items() if k.lower() not in known}
        whole = {SECURITY: shown}
    for seed in settings.seeds:
        for member, value in seed.items():
            top = service.stored.children.get(member.lower())
            if member == HUNTING:
                whole[member] = _with_rows(whole.get(member, {}), value)
            else:
                whole[member] = value if top is None else _laid_over(top, whole.get(member), value)
    return whole


def _laid_over(resource: Resource, below: Json, above: Json) -> Json:
    """A document laid over another: collections grow, entities merge, all else is replaced."""
    if resource.is_collection:
        both = isinstance(below, list) and isinstance(above, list)
        return [*below, *above] if both else above
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = dict(below)
    for name, value in above.items():
        child = resource.children().get(name.lower())
        is_known = child is not None and name in below
        merged[name] = _laid_over(child, below[name], value) if child and is_known else value
    return merged


def _with_rows(before: dict[str, Any], hunting: Json) -> Json:
    """The rows of hunting's tables, with those of one more seed; what is no such thing stays it."""
    if not isinstance(hunting, dict):
        return hunting
    tables = dict(before)
    for table, rows in hunting.items():
        lists = isinstance(rows, list) and isinstance(tables.get(table, []), list)
        tables[table] = [*tables.get(table, []), *rows] if lists else rows
    return tables


def check_document(document: Mapping[str, Json], service: Service) -> None:
    """Look into the members that the state does not look into. Raises BadRequest."""
    check_directory(document, service)
    check_rows(document)


@contextmanager
def naming_seeds(service: Service, settings: Settings) -> Iterator[None]:
    """Have a refusal of the initial document name the seed at fault, and the place in it.

    A single seed that is no file needs no name.
    """
    try:
        yield
    except BadRequest as error:
        from mockgraph.testing.nearest_names import with_meant_properties

        named = _of_its_seed(error, service, settings)
        raise BadRequest(with_meant_properties(named.message, service.stored)) from None


def _of_its_seed(error: BadRequest, service: Service, settings: Settings) -> BadRequest:
    seeds = settings.seeds
    if len(seeds) == 1 and not isinstance(seeds[0], NamedSeed):
        return error
    for number, seed in enumerate(seeds, 1):
        name = _called(seed, number)
        if found := _refusal((seed,), service, settings):
            return BadRequest(f"{name}: {found.message}")
        if found := _refusal(seeds[:number], service, settings):
            return BadRequest(f"{name}, laid over those before it: {found.message}")
    return error


def _refusal(seeds: Sequence[Json], service: Service, settings: Settings) -> BadRequest | None:
    """Return the error of the state that these seeds describe, if there is one."""
    try:
        document = initial_document(service, replace(settings, seed=tuple(seeds)))
        check_document(document, service)
        read_document(document, service)
    except BadRequest as error:
        return error
    return None


def checksums() -> dict[str, int]:
    """Return the bundled pages by their names, with the CRC-32 of each, whatever its line ends."""
    pages = [entry for entry in fixtures().iterdir() if entry.name.lower().endswith(".md")]
    return {
        page.name: crc32(page.read_bytes().replace(b"\r\n", b"\n"))
        for page in sorted(pages, key=lambda page: page.name)
    }


def _documented(service: Service, docs: Sequence[FilePath]) -> dict[str, Any]:
    """Return the singleton as the pages in these directories, or else the bundled ones, show it."""
    if not docs:
        digest = orjson.loads((fixtures() / DIGEST).read_bytes())
        if digest["pages"] == checksums():
            return {SECURITY: digest[SECURITY]}
    from mockgraph.pages import examples

    return examples.documented(service, examples.pages_of(docs))


def _called(seed: Json, number: int) -> str:
    return f"The seed {seed.name}" if isinstance(seed, NamedSeed) else f"Seed {number}"


def _check_seed(seed: Json, number: int, service: Service) -> None:
    known = (*service.stored.children, DIRECTORY.lower(), HUNTING.lower(), RUNNING.lower())
    fits = isinstance(seed, dict) and bool(seed)
    if not fits or any(name.lower() not in known for name in seed):
        raise _no_document(seed, number)
    if not isinstance(seed.get(SECURITY, {}), dict):
        raise _no_document(seed, number)


def _no_document(seed: Json, number: int) -> MockGraphError:
    return MockGraphError(
        f'{_called(seed, number)} is no state document: an object with the member "{SECURITY}", '
        f'an object, "{DIRECTORY}", "{HUNTING}" or several of them is expected.'
    )
