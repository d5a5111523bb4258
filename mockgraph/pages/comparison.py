"""An answer held against the documented one: what counts as a difference, and whose fault it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from mockgraph import instants
from mockgraph import metadata as edm
from mockgraph.metadata.names import Json
from mockgraph.pages.examples import DocumentedExchange, schemas
from mockgraph.state.intent import RequestKind

_MOST_SHOWN = 60  # characters of a value in a reason
_ITEM = re.compile(r"/value/\d+")


class Answer(NamedTuple):
    """The answer of a server: ``body`` is the JSON value, or the text where it is none."""

    status: int
    body: Json

    @property
    def message(self) -> str:
        """The message of an error, empty where it has none."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        message = error.get("message") if isinstance(error, dict) else None
        return message if isinstance(message, str) else ""


class Difference(NamedTuple):
    """The difference of an answer from the documented one: in a line, and as a unified diff."""

    reason: str
    diff: str


def difference(exchange: DocumentedExchange, answer: Answer) -> Difference | None:
    """Return the difference of an answer to the documented one, None if there is none."""
    if exchange.status >= 400:
        return _of_errors(exchange, answer)
    exchange = exchange._replace(answer=_documented(exchange.answer))
    actual = _aligned(exchange, answer.body)
    if exchange.answer is None and exchange.status == answer.status:
        return None  # what is shown in part is shown without a body, too
    if exchange.status == answer.status and exchange.answer == actual:
        return None
    reason = _status_reason(exchange, answer) or next(_reasons(exchange.answer, actual, ""), "")
    return Difference(reason or "the order of the members", _diff(exchange, answer.status, actual))


def _of_errors(exchange: DocumentedExchange, answer: Answer) -> Difference | None:
    """Of an error the status and the code count; messages and ids are the service's own."""
    codes = [
        body["error"].get("code")
        if isinstance(body, dict) and isinstance(body.get("error"), dict)
        else None
        for body in (exchange.answer, answer.body)
    ]
    if exchange.status == answer.status and codes[0] in (None, codes[1]):
        return None
    reason = _status_reason(exchange, answer) or f"the code is '{codes[1]}', not '{codes[0]}'"
    return Difference(reason, _diff(exchange, answer.status, answer.body))


def _status_reason(exchange: DocumentedExchange, answer: Answer) -> str:
    if exchange.status == answer.status:
        return ""
    message = f": {answer.message}" if answer.message else ""
    return f"answers {answer.status} where {exchange.status} is documented{message}"


def _diff(exchange: DocumentedExchange, status: int, actual: Json) -> str:
    documented = _shown(exchange.status, exchange.answer)
    answered = _shown(status, actual)
    lines = difflib.unified_diff(documented, answered, "documented", "answered", lineterm="", n=2)
    return "\n".join(f"      {line}" for line in lines)


def _shown(status: int, body: Json) -> list[str]:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode() if body is not None else ""
    return [f"HTTP {status}", *text.splitlines()]


def _reasons(documented: Json, actual: Json, path: str) -> Iterator[str]:
    """Give the differences, value by value."""
    if isinstance(documented, dict) and isinstance(actual, dict):
        for name in documented.keys() | actual.keys():
            where = f"{path}/{name}" if path else name
            if name not in actual:
                yield f"'{where}' is documented, and not answered"
            elif name not in documented:
                yield f"'{where}' is answered, and not documented"
            else:
                yield from _reasons(documented[name], actual[name], where)
    elif isinstance(documented, list) and isinstance(actual, list):
        if len(documented) != len(actual):
            yield f"'{path or 'value'}' has {len(actual)} items, not {len(documented)}"
        for index, pair in enumerate(zip(documented, actual, strict=False)):
            yield from _reasons(*pair, f"{path}/{index}" if path else str(index))
    elif documented != actual:
        texts = [orjson.dumps(each).decode()[:_MOST_SHOWN] for each in (actual, documented)]
        yield f"'{path}' is {texts[0]}, not {texts[1]}" if path else "another body is answered"


def _aligned(exchange: DocumentedExchange, body: Json) -> Json:
    """The answer with all that may differ made as documented, so that a diff shows the rest."""
    if not isinstance(body, dict):
        return body
    body = _without_control(body)
    alignment = _Alignment(exchange)
    _, schema = schemas(exchange.address)
    documented = exchange.answer
    if isinstance(documented, dict) and isinstance(documented.get("value"), list):
        given = body.get("value")
        if isinstance(given, list) and exchange.truncated and exchange.address.call is not None:
            given = _those_shown(documented["value"], given)
        if schema is None:
            return {**body, "value": given}
        return {**body, "value": alignment.items(schema, documented["value"], given, "/value")}
    return body if schema is None else alignment.structured(schema, documented, body, "")


def _those_shown(documented: list[Json], given: list[Json]) -> list[Json]:
    """The entities that a page shows among all that are answered, where it shows some of them.

    They have its keys, or, where the server made the keys, are the first ones.
    """
    if len(documented) >= len(given) or not documented:
        return given
    by_id = {each.get("id"): each for each in given if isinstance(each, dict)}
    ids = [each.get("id") if isinstance(each, dict) else None for each in documented]
    is_all = all(each in by_id for each in ids)
    return [by_id[each] for each in ids] if is_all else given[: len(documented)]


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
        name: item for name, item in value.items() if "@odata." not in name or name == "@odata.type"
    }


class _Alignment:
    """The differences that an answer may have from its page.

    Instants may have another offset. Where an example creates, the key is the server's, and so
    are instants that were not sent, and what no request may send; where it writes, so are computed
    properties, and what the page prints a word for. A page may leave out what is unset, what its
    request wrote, and on the roots that do not print it, the ``@odata.type``.
    """

    def __init__(self, exchange: DocumentedExchange):
        address = exchange.address
        body = exchange.body if isinstance(exchange.body, dict) else {}
        self._view = address.view
        self._writes = exchange.method != "GET"
        self._creates = exchange.method == "POST"
        self._makes = address.kind is RequestKind.CREATE
        self._made = exchange.made
        self._words = exchange.words if self._creates else frozenset()
        self._written = body.keys()
        items = body.get("value") if address.call is not None else None
        self._written_of_items = frozenset(
            name
            for each in (items if isinstance(items, list) else ())
            if isinstance(each, dict)
            for name in each
        )
        self._added = body.keys() if address.kind is RequestKind.APPEND else None

    def structured(self, schema: Any, documented: Json, actual: Json, path: str) -> Json:
        """Align a value of a structured type at a path, ``""`` being the whole answer."""
        if not isinstance(documented, dict) or not isinstance(actual, dict):
            return actual
        own = _own(schema, actual)
        aligned: dict[str, Json] = {}
        for name, value in documented.items():
            if name == "@odata.type" and not self._view.documented:
                aligned[name] = value
            elif name in actual:
                where = f"{path}/{name}"
                is_made = self._is_made(name, path) or where.lower() in self._words
                given = actual[name]
                aligned[name] = value if is_made else self._member(own, name, value, given, where)
        for name, value in actual.items():
            if name not in documented and not self._may_be_left_out(own, name, value, path):
                aligned[name] = value
        return aligned

    def items(self, schema: Any, documented: list[Json], actual: Json, path: str) -> Json:
        """Return the entities of a collection, one by one."""
        if not isinstance(actual, list) or len(actual) != len(documented):
            return actual
        pairs = enumerate(zip(documented, actual, strict=True))
        found = [
            self.structured(schema, mine, _without_control(yours), f"{path}/{index}")
            for index, (mine, yours) in pairs
        ]
        if self._added is not None and found and isinstance(found[-1], dict):
            made = {k: v for k, v in documented[-1].items() if k not in self._added}
            found[-1] = {**found[-1], **made}  # the last one is the one that was sent
        return found

    def _member(self, own: Any, name: str, documented: Json, actual: Json, path: str) -> Json:
        """The value of a property, or the entities that a navigation property leads to."""
        declared = own.properties().get(name)
        if declared is not None:
            return self._value(declared, documented, actual, path)
        navigation = self._view.model.navigation(own.type_name).get(name)
        if navigation is None:
            return documented if _moment(actual) and _same(documented, actual) else actual
        schema = self._view.schemas[navigation.type.name]
        if isinstance(documented, list):
            return self.items(schema, documented, actual, path)
        return self.structured(schema, documented, _without_control(actual), path)

    def _is_made(self, name: str, path: str) -> bool:
        """Whether a property of a new entity is one that no request may send."""
        return "*" in self._made and not path and f"!{name}" not in self._made

    def _value(
        self, declared: edm.PropertyField, documented: Json, actual: Json, path: str
    ) -> Json:
        if path == "/id":
            made = self._creates and isinstance(actual, str) and actual
            return documented if made else actual
        if isinstance(declared, edm.DateTimeOffset):
            unsent = self._makes and path.count("/") == 1 and path[1:] not in self._written
            mine = (self._writes and declared.computed) or unsent
            return documented if _moment(actual) and (mine or _same(documented, actual)) else actual
        if declared.computed and self._writes and documented is not None:
            return documented
        if (
            self._creates
            and actual is None
            and isinstance(documented, str)
            and not documented.strip()
        ):
            return documented  # a blank is printed for what is unset
        if isinstance(declared, edm.Complex):
            return self.structured(declared.schema, documented, actual, path)
        if isinstance(declared, edm.Collection) and isinstance(documented, list):
            if not isinstance(actual, list) or len(actual) != len(documented):
                return actual
            pairs = enumerate(zip(documented, actual, strict=True))
            return [self._value(declared.item, *pair, f"{path}/{i}") for i, pair in pairs]
        return actual

    def _may_be_left_out(self, own: Any, name: str, value: Json, path: str) -> bool:
        if name == "@odata.type":
            return not self._view.documented
        if not path and name in self._written:
            return True
        if _ITEM.fullmatch(path) and name in self._written_of_items:
            return True
        declared = own.properties().get(name)
        if declared is None:
            return False
        is_given = declared.initial is not None or isinstance(declared, edm.DateTimeOffset)
        computed = self._writes and (declared.computed or (self._makes and not path and is_given))
        return value is None or value == [] or computed or not declared.nullable


def _own(schema: Any, value: Json) -> Any:
    """The type that an answer names, the declared one where it names none."""
    name = value.get("@odata.type")
    own = schema.schemas(name.removeprefix("#")) if isinstance(name, str) else None
    return schema if own is None else own


def _moment(text: Json) -> str | None:
    try:
        return instants.sort_key(instants.to_utc(text))
    except (ValueError, TypeError):
        return None


def _same(documented: Json, actual: Json) -> bool:
    """Whether two instants are one, to the microsecond where one of them has no more digits."""
    mine, yours = _moment(documented), _moment(actual)
    return mine == yours or (mine is not None and yours is not None and mine[:26] == yours[:26])
