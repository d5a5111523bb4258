"""A running server, asked through its control plane."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import orjson

from mockgraph.cli.arguments import nearest_name
from mockgraph.errors import GraphError, MalformedPayload, MockGraphError
from mockgraph.json_file import JsonFile

if TYPE_CHECKING:
    from mockgraph.control.actions import ControlAction

# A server may have a hundred thousand entities to check.
_SECONDS = 600


class Remote(NamedTuple):
    """A server, or a tenant of it, at a URL of scheme, host and port.

    ``token`` is what its control plane asks for, where it does. All methods raise
    MockGraphError with what the server says, or why it says nothing.
    """

    url: str
    tenant: str | None = None
    token: str | None = None

    def mint(self, about: Mapping[str, Any]) -> str:
        """Return an access token, see :meth:`mockgraph.entra.Entra.mint`."""
        answer = self._json("POST", "/tokens", json.dumps(about).encode())
        try:
            return str(answer["access_token"])
        except (KeyError, TypeError):
            raise self._is_another() from None

    def act(self, action: ControlAction, arguments: Mapping[str, Any]) -> Any:
        """Have an action done, with arguments by the names of its parameters; return its answer.

        An answer without content is None.
        """
        if action.only_reads:
            self._check_tenant()
        path, body = _address(action, arguments)
        content = self._ask(action.method, path, body)
        if not content:
            return None
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            raise self._is_another() from None

    def events(self, after: int | None = None) -> Iterator[Any]:
        """Give each request that is recorded from now on, or after that of a number."""
        self._check_tenant()
        path = "/requests/events" + ("" if after is None else f"?after={after}")
        with self._open("GET", path) as answer:
            name = ""
            for line in answer:
                field, _, value = line.strip().partition(b": ")
                if field == b"event":
                    name = value.decode()
                elif field == b"data" and name == "request":
                    yield orjson.loads(value)

    def state(self, into: IO[bytes], snapshot: str | None = None) -> Any:
        """Return the state document, or that of a snapshot, of a tenant that there is.

        It is kept in a file, where the entities of its sets stay until they are looked at.
        """
        self._check_tenant()
        try:
            with self._open("GET", _state(snapshot)) as answer:
                shutil.copyfileobj(answer, into)
                if answer.length:
                    raise self._broke_off()
        except http.client.IncompleteRead:
            raise self._broke_off() from None
        except OSError as error:
            raise self._is_silent(error) from None
        try:
            document = JsonFile(into, lambda path: len(path) <= 2, sys.maxsize, GraphError()).read()
        except MalformedPayload:
            raise self._is_another() from None
        if not isinstance(document, dict) or "error" in document:
            raise self._is_another()
        return document

    def put_state(self, document: bytes | IO[bytes], snapshot: str | None = None) -> None:
        """Make a document, written as JSON, the state or a snapshot."""
        self._ask("PUT", _state(snapshot), document)

    def _check_tenant(self) -> None:
        """Raises MockGraphError where there is no such tenant: to ask for its state makes it."""
        if not self.tenant:
            return
        listed = self._replace(tenant=None)._json("GET", "/tenants")
        try:
            names = [str(name) for name in listed["value"]]
        except (KeyError, TypeError):
            raise self._is_another() from None
        if self.tenant not in names:
            from mockgraph.testing.tenant import check_name

            check_name("tenant", self.tenant)
            near = (
                f"the nearest is '{nearest_name(self.tenant, names)}'" if names else "there is none"
            )
            raise MockGraphError(f"There is no tenant '{self.tenant}' at {self.url}; {near}.")

    def _json(self, method: str, path: str, body: bytes | None = None) -> Any:
        try:
            return orjson.loads(self._ask(method, path, body))
        except orjson.JSONDecodeError:
            raise self._is_another() from None

    def _ask(self, method: str, path: str, body: bytes | IO[bytes] | None = None) -> bytes:
        try:
            with self._open(method, path, body) as answer:
                content: bytes = answer.read()
                return content
        except http.client.IncompleteRead:
            raise self._broke_off() from None
        except OSError as error:
            raise self._is_silent(error) from None

    def _open(self, method: str, path: str, body: bytes | IO[bytes] | None = None) -> Any:
        # No proxy: the server is the caller's own, and mostly on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return opener.open(self._request(method, path, body), timeout=_SECONDS)
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except OSError as error:
            raise self._is_silent(error) from None
        except http.client.HTTPException:
            raise self._is_another() from None

    def _request(
        self, method: str, path: str, body: bytes | IO[bytes] | None
    ) -> urllib.request.Request:
        if not _is_url(self.url):
            raise MockGraphError(f"{self.url} is no http or https URL.")
        headers = {} if body is None else {"Content-Type": "application/json"}
        if body is not None and not isinstance(body, bytes):
            headers["Content-Length"] = str(body.seek(0, os.SEEK_END))
            body.seek(0)
        if self.token:
            if not (self.token.isascii() and self.token.isprintable()):
                raise MockGraphError("The control token is no text that a header can carry.")
            headers["x-mockgraph-token"] = self.token
        prefix = f"/t/{quote(self.tenant, safe='')}" if self.tenant else ""
        url = f"{self.url.rstrip('/')}{prefix}/_mockgraph{path}"
        return urllib.request.Request(url, body, headers, method=method)

    def _refusal(self, error: urllib.error.HTTPError) -> MockGraphError:
        with error:
            try:
                said = orjson.loads(error.read())["error"]["message"]
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
                return self._is_another()
        return MockGraphError(f"{self.url} refuses: {said}")

    def _broke_off(self) -> MockGraphError:
        return MockGraphError(f"{self.url} broke off its answer.")

    def _is_silent(self, error: OSError) -> MockGraphError:
        why = getattr(error, "reason", error)
        return MockGraphError(f"{self.url} cannot be asked: {_why(why)}.")

    def _is_another(self) -> MockGraphError:
        return MockGraphError(f"{self.url} does not answer as MockGraph does.")


def _address(action: ControlAction, arguments: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Return the path and the query of a request for an action, and its body."""
    in_path = {name: quote(str(arguments[name]), safe="") for name in action.path_names}
    path = action.path.format(**in_path)
    if action.document is not None:
        return path, orjson.dumps(arguments[action.document])
    names = {each.name: each.query_name for each in action.members}
    given = {name: value for name, value in arguments.items() if name in names}
    if action.is_asked_by_query:
        texts = {names[name]: _query_text(value) for name, value in given.items()}
        return (f"{path}?{urlencode(texts, doseq=True)}" if texts else path), None
    needs_body = action.members and (given or action.needs_body)
    return path, orjson.dumps(given) if needs_body else None


def _query_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _state(snapshot: str | None) -> str:
    return "/state" if snapshot is None else f"/snapshots/{quote(snapshot, safe='')}"


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    whole = url.isascii() and url.isprintable() and " " not in url
    return whole and parts.scheme in ("http", "https") and bool(parts.hostname)


def _why(error: object) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
