"""A real tenant's answers taken home as a seed, under made-up names.

Answers come from the service itself, politely: page by page, waiting as ``Retry-After`` asks; or
from a recording of them (HAR). What does not fit the metadata is left out and told as drift.
"""

from __future__ import annotations

import base64
import codecs
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import orjson

from mockgraph.errors import GraphError, MockGraphError
from mockgraph.files import put
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Service
from mockgraph.odata import addressing
from mockgraph.pages.contract_check import Asked, RemoteServer
from mockgraph.pages.fitting import Fitting
from mockgraph.pages.needed_state import NeededState, entity_key
from mockgraph.pages.pseudonyms import Pseudonyms
from mockgraph.service import SERVICE
from mockgraph.state.intent import RequestKind, Step

# The member of a seed that says in which form it was captured, and the present form. In form 1 it
# was the number alone; since form 2 it says when, too: a tenant goes on, and its copy does not.
FORM: Final = "@mockgraph.capture"
VERSION: Final = 2

_ATTEMPTS: Final = 6
_LONGEST_WAIT: Final = 300.0  # seconds
_MOST_PAGES: Final = 10_000
_BUSY: Final = frozenset({429, 503, 504})


class Captured(NamedTuple):
    """One answer of a service: the path that was asked for, from the root on, and the body."""

    path: str
    body: Json


class Capture:
    """A seed as it grows by answers; ``drift`` says what of them does not fit the metadata."""

    def __init__(self, keep: Iterable[str] = (), service: Service = SERVICE):
        self.drift: dict[str, None] = {}
        self.entities = 0
        self._service = service
        self._names = Pseudonyms(keep)
        self._state = NeededState()

    def add(self, captured: Captured) -> None:
        """Take the entities of an answer; an answer that shows none is told as drift."""
        path = unquote(captured.path.partition("?")[0])
        try:
            address = addressing.resolve("GET", path, self._service)
        except GraphError as error:
            self.drift.setdefault(f"{path}: {error.message}")
            return
        body = captured.body
        if address.kind not in (RequestKind.LIST, RequestKind.READ) or not isinstance(body, dict):
            self.drift.setdefault(f"{path}: shows no entities")
            return
        items = body.get("value") if address.kind is RequestKind.LIST else [body]
        resource, fitting = address.resource, Fitting(address.view)
        for item in items if isinstance(items, list) else []:
            fitted = self._names.entity(resource, fitting.entity(resource, address.type, item))
            key = entity_key(resource, fitted) if resource.home.is_collection else None
            if resource.home.is_collection and key is None:
                self.drift.setdefault(f"{path}: an entity has no key")
                continue
            above = [
                each._replace(key=None if each.key is None else self._names.text(each.key, "id"))
                for each in address.steps[:-1]
            ]
            self._state.put([*above, Step(resource, key)], fitted, address.cast or "")
            self.entities += 1
        for note in fitting.notes:
            self.drift.setdefault(f"{path}: {note}")

    def seed(self) -> dict[str, Any]:
        """Return the seed: a state document, the form that it is in, and when it was captured."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {FORM: {"version": VERSION, "captured": now}, **self._state.document}

    def write(self, path: Path) -> None:
        """Write the seed. Raises MockGraphError where the file cannot be written."""
        try:
            put(path, orjson.dumps(self.seed(), option=orjson.OPT_INDENT_2) + b"\n")
        except OSError as error:
            raise MockGraphError(f"{path} cannot be written: {error.strerror}.") from None


class ReadRefused(MockGraphError):
    """The service answers a read with an error."""


def read_service(
    endpoint: RemoteServer,
    paths: Iterable[str],
    *,
    wait: Callable[[float], object] = time.sleep,
    refusals: list[str] | None = None,
) -> Iterator[Captured]:
    """Give the answers of a service to GETs of paths below its root, page by page.

    A path that is refused is told in ``refusals``, where that is given, and the next one is read.
    Raises MockGraphError where the service does not answer, or refuses a path, or all of them.
    """
    is_answered = False
    for path in paths:
        try:
            for each in _pages(endpoint, path.lstrip("/"), wait):
                is_answered = True
                yield each
        except ReadRefused as error:
            if refusals is None:
                raise
            refusals.append(str(error))
    if refusals and not is_answered:
        raise MockGraphError(refusals[0])


def _pages(
    endpoint: RemoteServer, path: str, wait: Callable[[float], object]
) -> Iterator[Captured]:
    following: str | None = path
    for _ in range(_MOST_PAGES):
        if following is None:
            break
        body = _ask(endpoint, following, wait)
        yield Captured(f"/{endpoint.url.rpartition('/')[2]}/{path}", body)
        following = _next(endpoint, body)


def _ask(endpoint: RemoteServer, path: str, wait: Callable[[float], object]) -> Json:
    for attempt in range(_ATTEMPTS):
        answer = endpoint.ask(Asked("GET", path))
        if answer.status == 200:
            return answer.body
        if answer.status not in _BUSY:
            break
        wait(_seconds(answer.headers.get("retry-after"), attempt))
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    told = error.get("message") if isinstance(error, dict) else ""
    raise ReadRefused(f"{endpoint.url}/{path} is answered with {answer.status}: {told}")


def _seconds(text: str | None, attempt: int) -> float:
    """Return the seconds to wait: as the service asks, and else more each time."""
    try:
        asked = float(text or "")
    except ValueError:
        asked = 2.0**attempt
    return min(max(asked, 0.0), _LONGEST_WAIT)


def _next(endpoint: RemoteServer, body: Json) -> str | None:
    """The path of the next page below the root; a link to another host is not followed."""
    link = body.get("@odata.nextLink") if isinstance(body, dict) else None
    if not isinstance(link, str):
        return None
    if not link.startswith(f"{endpoint.url}/"):
        raise MockGraphError(f"The next page is not at {endpoint.url}, and is not asked for.")
    return unquote(link.removeprefix(f"{endpoint.url}/"))


def read_recording(path: str | os.PathLike[str]) -> Iterator[Captured]:
    """Give the answers in a recording (HAR 1.2): those to GETs that went well, and are JSON.

    Raises MockGraphError where the file is no recording.
    """
    try:
        content = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
        entries = orjson.loads(content)["log"]["entries"]
    except OSError as error:
        raise MockGraphError(f"{path} cannot be read: {error.strerror}.") from None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise MockGraphError(f"{path} is no recording in the form HAR.") from None
    for entry in entries if isinstance(entries, list) else []:
        try:
            request, response = entry["request"], entry["response"]
            went_well = request["method"] == "GET" and response["status"] == 200
            if went_well:
                target = urlsplit(request["url"]).path
                yield Captured(quote(unquote(target)), orjson.loads(_text(response["content"])))
        except (KeyError, TypeError, ValueError):
            continue  # an entry of something else: a picture, a stream


def _text(content: Mapping[str, Any]) -> str | bytes:
    """Return the text of a recorded body, which may be written in base64."""
    text: str = content["text"]
    return base64.b64decode(text) if content.get("encoding") == "base64" else text


def migrated(document: dict[str, Any]) -> dict[str, Any]:
    """Return a seed in the present form, without the member that says in which one it was.

    Each form is brought to the next one. Raises MockGraphError for one of a later form.
    """
    if FORM not in document:
        return document
    version = _version(document)
    if version is None or not 1 <= version <= VERSION:
        said = version if version is not None else orjson.dumps(document[FORM]).decode()[:40]
        raise MockGraphError(
            f"It was captured in form {said}; this MockGraph reads those up to {VERSION}."
        )
    for each in range(version, VERSION):
        document = _MIGRATIONS[each](document)
    return {name: value for name, value in document.items() if name != FORM}


def _version(document: Mapping[str, Any]) -> int | None:
    said = document[FORM]
    if isinstance(said, dict):
        said = said.get("version")
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _with_time(document: dict[str, Any]) -> dict[str, Any]:
    """Bring a seed from form 1 to form 2: nobody knows any more when it was captured."""
    return {**document, FORM: {"version": 2, "captured": None}}


# By the form that each begins with.
_MIGRATIONS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: _with_time}
