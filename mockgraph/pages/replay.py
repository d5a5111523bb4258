"""Documented requests, sent to a server, and its answers held against the documented ones.

A MockGraph is brought into the state that an example needs before it is sent, and back into
the state that it was found in at the end. Any other server is asked as it is.
"""

from __future__ import annotations

import difflib
import http.client
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import orjson

from mockgraph import instants
from mockgraph import metadata as edm
from mockgraph.errors import GraphError, MockGraphError
from mockgraph.metadata.names import Json
from mockgraph.pages.examples import DocumentedExchange, pages_of, read_exchange, schemas
from mockgraph.service import SERVICE
from mockgraph.state.documents import SECURITY

_TIMEOUT = 30


class Answer(NamedTuple):
    """The answer of a server: ``body`` is the JSON value, or the text where it is none."""

    status: int
    body: Json


def replay_pages(url: str, docs: Iterable[str], token: str, say: Callable[[str], object]) -> bool:
    """Replay every documented example against the server at ``url`` (scheme, host and port).

    Says a line an example, a diff where one differs, and a summary. Gives whether all were
    answered as documented. Raises MockGraphError where nothing answers at the URL.
    """
    target = _Target(url, token)
    passed = failed = 0
    with target.state_kept():
        for page in pages_of(docs):
            for reason in page.skipped:
                say(f"skip  {page.name}: {reason}")
            for example in page.examples:
                line = f"{example.request.method} {example.request.target}  ({page.name})"
                difference = _replay(example, target)
                if difference is None:
                    passed += 1
                    say(f"ok    {line}")
                else:
                    failed += 1
                    say(f"DIFF  {line}\n{difference}")
    say(f"{passed + failed} documented examples: {passed} answered as documented, {failed} not.")
    return failed == 0 and passed > 0


def difference(exchange: DocumentedExchange, answer: Answer) -> str | None:
    """Return the unified diff of an answer to the documented one, None if they agree."""
    exchange = exchange._replace(answer=_documented(exchange.answer))
    documented = _shown(exchange.status, exchange.answer)
    actual = _shown(answer.status, _aligned(exchange, answer.body))
    if documented == actual:
        return None
    lines = difflib.unified_diff(documented, actual, "documented", "answered", lineterm="", n=2)
    return "\n".join(f"      {line}" for line in lines)


def _replay(example: Any, target: _Target) -> str | None:
    try:
        exchange = read_exchange(example, SERVICE)
    except (GraphError, MockGraphError) as error:
        return f"      not replayed: {error}"
    target.prepare(exchange)
    return difference(exchange, target.send(exchange.method, exchange.path, exchange.body))


def _shown(status: int, body: Json) -> list[str]:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode() if body is not None else ""
    return [f"HTTP {status}", *text.splitlines()]


def _aligned(exchange: DocumentedExchange, body: Json) -> Json:
    """The answer with all that may differ made as documented, so that a diff shows the rest."""
    if not isinstance(body, dict):
        return body
    body = _without_control(body)
    alignment = _Alignment(exchange)
    _, schema = schemas(exchange.address)
    documented = exchange.answer
    if schema is None:
        return body
    if isinstance(documented, dict) and isinstance(documented.get("value"), list):
        return {**body, "value": alignment.items(schema, documented["value"], body.get("value"))}
    return alignment.structured(schema, documented, body, "")


def _documented(answer: Json) -> Json:
    """A documented answer without control information, but for ``@odata.type``."""
    answer = _without_control(answer)
    if isinstance(answer, dict) and isinstance(answer.get("value"), list):
        return {**answer, "value": [_without_control(item) for item in answer["value"]]}
    return answer


def _without_control(value: Json) -> Json:
    """An object without the control information that real Graph adds and no page prints."""
    if not isinstance(value, dict):
        return value
    return {
        name: item
        for name, item in value.items()
        if not name.startswith("@odata.") or name == "@odata.type"
    }


class _Alignment:
    """The differences that an answer may have from its page.

    Instants may have another offset. Where an example creates, the key is the server's, and
    where it writes, so are computed properties. A page may leave out what is unset, and on
    the roots that do not print it, the ``@odata.type``.
    """

    def __init__(self, exchange: DocumentedExchange):
        self._writes = exchange.method != "GET"
        self._creates = exchange.method == "POST"
        self._typed = exchange.address.view.documented

    def structured(self, schema: Any, documented: Json, actual: Json, path: str) -> Json:
        if not isinstance(documented, dict) or not isinstance(actual, dict):
            return actual
        aligned: dict[str, Json] = {}
        for name, value in documented.items():
            declared = schema.properties().get(name)
            if name == "@odata.type" and not self._typed:
                aligned[name] = value
            elif name in actual:
                aligned[name] = (
                    actual[name]
                    if declared is None
                    else self._value(declared, value, actual[name], f"{path}/{name}")
                )
        for name, value in actual.items():
            declared = schema.properties().get(name)
            if name not in documented and not (declared and self._may_be_left_out(declared, value)):
                aligned[name] = value
        return aligned

    def items(self, schema: Any, documented: list[Json], actual: Json) -> Json:
        """The entities of a collection, one by one."""
        if not isinstance(actual, list) or len(actual) != len(documented):
            return actual
        pairs = zip(documented, actual, strict=True)
        return [self.structured(schema, mine, _without_control(yours), "") for mine, yours in pairs]

    def _value(
        self, declared: edm.PropertyField, documented: Json, actual: Json, path: str
    ) -> Json:
        if path == "/id":
            made = self._creates and isinstance(actual, str) and actual
            return documented if made else actual
        if isinstance(declared, edm.DateTimeOffset):
            mine = self._writes and declared.computed
            return documented if _moment(actual) and (mine or _same(documented, actual)) else actual
        if isinstance(declared, edm.Complex):
            return self.structured(declared.schema, documented, actual, path)
        if isinstance(declared, edm.Collection) and isinstance(documented, list):
            if not isinstance(actual, list) or len(actual) != len(documented):
                return actual
            pairs = zip(documented, actual, strict=True)
            return [self._value(declared.item, mine, yours, f"{path}/") for mine, yours in pairs]
        return actual

    def _may_be_left_out(self, declared: edm.PropertyField, value: Json) -> bool:
        computed = self._writes and declared.computed
        return value is None or value == [] or computed or not declared.nullable


def _moment(text: Json) -> str | None:
    try:
        return instants.sort_key(instants.to_utc(text))
    except (ValueError, TypeError):
        return None


def _same(documented: Json, actual: Json) -> bool:
    return _moment(documented) == _moment(actual)


class _Target:
    """The server under replay."""

    def __init__(self, url: str, token: str):
        parts = _split(url)
        self._url = url
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._token = token
        self._is_ours = self.send("GET", "/_mockgraph/health").status == 200

    def send(self, method: str, path: str, body: Json = None) -> Answer:
        """Send one request; raises MockGraphError where no HTTP answer comes back."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        headers = {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection = kind(self._host, timeout=_TIMEOUT)
        try:
            content = None if body is None else orjson.dumps(body)
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            return Answer(response.status, _read(response.read()))
        except (OSError, http.client.HTTPException) as error:
            raise MockGraphError(f"{self._url} does not answer: {error}") from None
        finally:
            connection.close()

    def prepare(self, exchange: DocumentedExchange) -> None:
        if self._is_ours:
            answer = self.send("PUT", "/_mockgraph/state", {SECURITY: exchange.state})
            if answer.status != 204:
                raise MockGraphError(f"The state for {exchange.path} was refused: {answer.body}")

    @contextmanager
    def state_kept(self) -> Iterator[None]:
        if not self._is_ours:
            yield
            return
        found = self.send("GET", "/_mockgraph/state").body
        try:
            yield
        finally:
            self.send("PUT", "/_mockgraph/state", found)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, a bracket too few
        is_one = False
    if not is_one:
        raise MockGraphError(f"{url} is no http or https URL.")
    return parts


def _read(content: bytes) -> Json:
    if not content:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return content.decode("utf-8", "replace")
