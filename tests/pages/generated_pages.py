"""Reference pages of a made-up service, as the generator of the ``localtest`` family writes them.

It has habits: one object comes wrapped in ``value``, ``"String"`` stands for any member and
``"Double"`` for a number, a value of a type that was printed before is printed empty, instants have
seven digits and an offset, lengths count CRLF, keys are ``{placeholders}``, a collection is created
to by ``$ref`` in the syntax and without in the example, a type that no path leads to is shown with
a sentence in place of its URL, times that the service sets are in no request.
"""

from __future__ import annotations

import base64
import json
import random
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ORIGIN = "https://graph.microsoft.com/localtest"
PRIMITIVES = (
    "String", "String", "String", "String", "Boolean", "Int32", "Int64", "Double", "Decimal",
    "DateTimeOffset", "Date", "Duration", "Guid", "Binary", "TimeOfDay", "Stream", "Single",
)  # fmt: skip
WORDS = (
    "access", "activity", "agent", "audit", "badge", "budget", "channel", "check", "circle",
    "client", "cohort", "column", "course", "device", "domain", "drive", "event", "export",
    "feature", "folder", "grant", "group", "health", "image", "item", "journal", "key", "label",
    "ledger", "license", "list", "mail", "meeting", "metric", "module", "note", "office", "order",
    "page", "plan", "policy", "profile", "quota", "record", "region", "report", "review", "role",
    "rule", "scope", "sensor", "session", "setting", "sheet", "signal", "site", "space", "status",
    "summary", "table", "task", "team", "term", "theme", "ticket", "token", "topic", "update",
    "user", "vendor", "version", "vote", "window", "zone",
)  # fmt: skip
INSTANTS = ("2016-12-31T23:57:05.8673305+03:00", "2017-01-01T00:02:21.89044+03:00")
NOT_SENT = ("id", "createdDateTime", "lastModifiedDateTime", "modifiedDateTime")
HEAD = """---
title: "{title}"
description: "{title}."
author: ""
localization_priority: Normal
ms.prod: ""
doc_type: {kind}
---

# {title}

Namespace: microsoft.graph

{text}
"""
# Pages of localtest have these words in print, where nobody told the generator of them which
# permissions it takes: no permission may be read there.
UNTOLD = "**TODO: Determine scopes **"  # words of Microsoft's pages
UNTOLD_OF_APPS = "**TODO: Determine AppOnly scopes **"  # words of theirs, too
PERMISSIONS = f"""## Permissions
One of the following permissions is required to call this API.

|Permission type|Permissions (from most to least privileged)|
|:---|:---|
|Delegated (work or school account)|{UNTOLD}|
|Delegated (personal Microsoft account)|Not supported.|
|Application|{UNTOLD_OF_APPS}|

"""


@dataclass
class Typed:
    """A type of the made-up model: an enumeration where it has ``members``."""

    name: str
    members: list[str] = field(default_factory=list)
    properties: dict[str, tuple[str, bool]] = field(default_factory=dict)
    base: Typed | None = None
    navigation: dict[str, tuple[Typed, bool]] = field(default_factory=dict)
    is_entity: bool = False

    @property
    def link(self) -> str:
        return f"[{self.name}](../resources/{self.name.lower()}.md)"

    def every(self) -> dict[str, tuple[str, bool]]:
        inherited = {} if self.base is None else self.base.every()
        return {**inherited, **self.properties}


@dataclass
class Expected:
    """What a replay of the pages has to find: of all examples, those of each kind."""

    pages: int = 0
    examples: int = 0
    without_url: int = 0
    shown_only: int = 0


class GeneratedPages:
    """A made-up service and its pages; ``expected`` counts them as they are written."""

    def __init__(self, folder: Path, types: int, seed: int = 0):
        self.expected = Expected()
        self._folder = folder
        self._random = random.Random(seed)
        self._taken: set[str] = set()
        self._types: dict[str, Typed] = {}
        self._enums = [self._enum() for _ in range(max(types // 6, 2))]
        self._complex: list[Typed] = []
        for _ in range(max(types // 3, 3)):
            self._complex.append(self._complex_type())
        self._entity = Typed("entity", properties={"id": ("String", False)}, is_entity=True)
        self._entities: list[Typed] = []
        self._roots: dict[str, tuple[Typed, bool]] = {}
        for _ in range(types):
            self._place(self._entity_type())

    # -- the model ------------------------------------------------------------------------------

    def _name(self) -> str:
        while True:
            words = self._random.sample(WORDS, self._random.choice((2, 2, 3)))
            name = words[0] + "".join(each.capitalize() for each in words[1:])
            if name not in self._taken:
                self._taken.add(name)
                return name

    def _enum(self) -> Typed:
        members = [self._name() for _ in range(self._random.randint(2, 5))]
        made = Typed(self._name(), members)
        self._types[made.name] = made
        return made

    def _some_properties(self) -> dict[str, tuple[str, bool]]:
        found: dict[str, tuple[str, bool]] = {}
        for _ in range(self._random.randint(1, 8)):
            others = [each.name for each in (*self._enums, *self._complex)]
            kind = self._random.choice((*PRIMITIVES, *self._random.sample(others, 2)))
            is_many = kind != "Stream" and self._random.random() < 0.15
            found[self._name()] = (kind, is_many)
        return found

    def _complex_type(self) -> Typed:
        made = Typed(self._name(), properties=self._some_properties())
        if self._random.random() < 0.1:
            made.properties = {}
        elif self._random.random() < 0.2:
            made.properties = {"id": ("String", False), **made.properties}
        self._types[made.name] = made
        return made

    def _entity_type(self) -> Typed:
        base = self._entity
        if self._entities and self._random.random() < 0.15:
            base = self._random.choice(self._entities)
        own = self._some_properties()
        for name in NOT_SENT[1:]:
            if self._random.random() < 0.2 and name not in base.every():
                own[name] = ("DateTimeOffset", False)
        made = Typed(self._name(), properties=own, base=base, is_entity=True)
        self._types[made.name] = made
        return made

    def _place(self, made: Typed) -> None:
        """Put a type at the root or below others; some are of no place."""
        owners = [each for each in self._entities if each.base is self._entity]
        chance = self._random.random()
        if made.base is self._entity and chance < 0.92:
            if len(owners) < 4 or chance < 0.12:
                is_many = self._random.random() < 0.6
                self._roots[made.name + "s" * is_many] = (made, is_many)
            for _ in range(self._random.choice((1, 1, 2))):
                if len(owners) >= 4:
                    is_many = self._random.random() < 0.75
                    name = self._name() + "s" * is_many
                    self._random.choice(owners).navigation[name] = (made, is_many)
            if self._random.random() < 0.05:
                made.navigation[self._name() + "s"] = (made, True)
        self._entities.append(made)

    # -- values ---------------------------------------------------------------------------------

    def _value(self, kind: str, name: str, seen: set[str]) -> Any:
        made = self._types.get(kind)
        if made is not None and made.members:
            return "String"
        if made is not None:
            return self._object(made, seen)
        words = "".join(f" {each}" if each.isupper() else each for each in name).capitalize()
        guid = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return {
            "Boolean": True,
            "Int32": self._random.randint(1, 15),
            "Int64": self._random.randint(1, 15),
            "Double": "Double",
            "Single": "Single",
            "Decimal": "4.2",
            "DateTimeOffset": self._random.choice(INSTANTS),
            "Date": "Date",
            "Duration": "-PT1M8.1281301S",
            "Guid": guid,
            "Binary": base64.b64encode(name.encode()).decode(),
            "TimeOfDay": "TimeOfDay",
            "Stream": "Stream",
        }.get(kind, f"https://example.com/{name}/" if len(name) % 7 == 0 else f"{words} value")

    def _object(self, made: Typed, seen: set[str], *, skip: tuple[str, ...] = ()) -> dict[str, Any]:
        mark = "#" if made.is_entity else ""
        shown: dict[str, Any] = {"@odata.type": f"{mark}microsoft.graph.{made.name}"}
        if made.name in seen and not made.is_entity:
            return shown
        seen.add(made.name)
        for name, (kind, is_many) in made.every().items():
            if name in skip:
                continue
            value = self._value(kind, name, seen)
            if name == "id" and made.is_entity:
                value = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
            shown[name] = [value] if is_many else value
        return shown

    def _rows(self, made: Typed) -> str:
        rows = ""
        for name, (kind, is_many) in made.every().items():
            named = self._types.get(kind)
            text = kind if named is None else "Enumeration" if named.members else named.link
            told = "" if name not in ("id",) or not made.is_entity else " Inherited from entity"
            if named is not None and named.members:
                told = ". Possible values are: "
                told += ", ".join(f"`{each}`" for each in named.members) + "."
            rows += f"|{name}|{text}{' collection' if is_many else ''}|{told}|\n"
        return rows

    # -- pages ----------------------------------------------------------------------------------

    def write(self) -> Expected:
        """Write all pages; return what a replay has to find."""
        for name in ("api", "resources"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        for made in (self._entity, *self._types.values()):
            if not made.members:
                self._resource(made)
        paths = self._paths()
        for made in self._entities:
            self._of_entity(made, paths.get(made.name, []))
        for owner in (None, *self._entities):
            for name, (made, is_many) in (
                self._roots if owner is None else owner.navigation
            ).items():
                above = [("", True)] if owner is None else paths.get(owner.name, [])
                ways = [f"{path}/{name}" for path, _ in above]
                if is_many and ways:
                    self._of_collection(owner, name, made, ways)
        return self.expected

    def _paths(self) -> dict[str, list[tuple[str, bool]]]:
        """The paths to one entity of each type, and whether it is one of a collection."""
        found: dict[str, list[tuple[str, bool]]] = {}
        waiting = [("", name, *target) for name, target in self._roots.items()]
        for above, name, made, is_many in waiting:
            several = found.setdefault(made.name, [])
            if len(several) >= 5 or above.count("/") > 9:
                continue
            key = f"/{{{name if not above else made.name}Id}}" if is_many else ""
            path = f"{above}/{name}{key}"
            several.append((path, is_many))
            for inner, target in made.navigation.items():
                waiting.append((path, inner, *target))
        return found

    def _resource(self, made: Typed) -> None:
        base = "" if made.base is None else f"Inherits from {made.base.link}\n\n"
        text = HEAD.format(title=f"{made.name} resource type", kind="resourcePageType", text=base)
        rows = self._rows(made)
        head = "|Property|Type|Description|\n|:---|:---|:---|\n"
        text += f"## Properties\n{head}{rows}\n" if rows else "## Properties\nNone\n\n"
        text += "## Relationships\n"
        if made.navigation:
            text += "|Relationship|Type|Description|\n|:---|:---|:---|\n"
            for name, (target, is_many) in made.navigation.items():
                text += f"|{name}|{target.link}{' collection' if is_many else ''}||\n"
        else:
            text += "None\n"
        keys: dict[str, Any] = {"blockType": "resource"}
        if made.is_entity:
            keys["keyProperty"] = "id"
        keys["@odata.type"] = f"microsoft.graph.{made.name}"
        if made.is_entity:
            keys["baseType"] = "" if made.base is None else f"microsoft.graph.{made.base.name}"
            keys["openType"] = False
        shown = self._described(made)
        text += "\n## JSON representation\nHere is a JSON representation of the resource.\n"
        text += f"<!-- {json.dumps(keys, indent=2)}\n-->\n``` json\n"
        text += json.dumps(shown, indent=2) + "\n```\n\n"
        self._put(f"resources/{made.name.lower()}.md", text)

    def _described(self, made: Typed) -> dict[str, Any]:
        shown: dict[str, Any] = {"@odata.type": f"#microsoft.graph.{made.name}"}
        for name, (kind, is_many) in made.every().items():
            named = self._types.get(kind)
            value: Any = {"Boolean": True, "Int32": 1024, "Int64": 1024}.get(kind, "String")
            if kind == "DateTimeOffset":
                value = "String (timestamp)"
            elif kind in ("Double", "Decimal", "Date", "Stream"):
                value = kind
            elif named is not None and not named.members:
                value = {"@odata.type": f"microsoft.graph.{kind}"}
            shown[name] = [value] if is_many else value
        if made.is_entity:
            shown["id"] = "String (identifier)"
        return shown

    def _of_entity(self, made: Typed, ways: list[tuple[str, bool]]) -> None:
        paths = [path for path, _ in ways]
        name, link = made.name, made.link
        full = self._object(made, set())
        sent = {k: v for k, v in full.items() if k not in NOT_SENT}
        stem = name.lower()
        told = f"If successful, this method returns a `200 OK` response code and {link} object."
        kind = {"@odata.type": f"microsoft.graph.{name}"}
        self._api(f"{stem}-get", f"Get {name}", "GET", paths, told, "200 OK", name,
                  answer={"value": full}, keys=kind)  # fmt: skip
        told = f"If successful, this method returns a `200 OK` response code and an updated {link}."
        self._api(f"{stem}-update", f"Update {name}", "PATCH", paths, told, "200 OK", name,
                  sent=sent, answer=full, table=self._rows(made))  # fmt: skip
        told = "If successful, this method returns a `204 No Content` response code."
        if not any(path.count("/") == 1 for path in paths[:1]):  # a singleton is not deleted
            self._api(
                f"{stem}-delete", f"Delete {name}", "DELETE", paths, told, "204 No Content", name
            )
        if self._random.random() < 0.15 and paths:
            self._operation(made, paths)

    def _of_collection(self, owner: Typed | None, name: str, made: Typed, ways: list[str]) -> None:
        stem = f"{'service' if owner is None else owner.name}".lower()
        full = self._object(made, set())
        sent = {k: v for k, v in full.items() if k not in NOT_SENT}
        told = "If successful, this method returns a `200 OK` response code and a collection of "
        told += f"{made.link} objects in the response body."
        keys = {"@odata.type": f"collection(microsoft.graph.{made.name})"}
        self._api(f"{stem}-list-{name}".lower(), f"List {name}", "GET", ways, told, "200 OK",
                  made.name, answer={"value": [full]}, keys=keys)  # fmt: skip
        told = f"If successful, this method returns a `201 Created` response code and {made.link}."
        syntax = [f"{path}/$ref" for path in ways] if owner else ways
        self._api(f"{stem}-post-{name}".lower(), f"Add {name}", "POST", ways, told, "201 Created",
                  made.name, sent=sent, answer=full, table=self._rows(made), syntax=syntax,
                  keys={"@odata.type": f"microsoft.graph.{made.name.lower()}"})  # fmt: skip
        if self._random.random() < 0.12:
            self._function(made, ways, full)

    def _operation(self, made: Typed, paths: list[str]) -> None:
        """An action on one entity, that answers nothing, a text, or the entity."""
        name = self._name()
        ways = [f"{path}/{name}" for path in paths]
        parameters = self._some_properties()
        typed = Typed("parameters", properties=parameters)
        sent = {k: v for k, v in self._object(typed, set()).items() if k != "@odata.type"}
        stem = f"{made.name}-{name}".lower()
        kind = self._random.choice(("nothing", "nothing", "text", "entity"))
        if kind == "nothing":
            told = "If successful, this action returns a `204 No Content` response code."
            self._api(stem, name, "POST", ways, told, "204 No Content", made.name, sent=sent,
                      table=self._rows(typed), is_action=True)  # fmt: skip
            return
        answer: Any = f"{name.capitalize()} value"
        keys = {"@odata.type": "edm.string"}
        if kind == "entity":
            answer = self._object(made, set())
            keys = {"@odata.type": f"microsoft.graph.{made.name.lower()}"}
        told = "If successful, this action returns a `200 OK` response code and a value."
        self._api(stem, name, "POST", ways, told, "200 OK", made.name, sent=sent, is_action=True,
                  answer={"value": answer}, keys=keys, table=self._rows(typed))  # fmt: skip
        self.expected.shown_only += kind == "text"

    def _function(self, made: Typed, ways: list[str], full: dict[str, Any]) -> None:
        """A function on a collection, that gives one of its entities, or all."""
        name = self._name()
        is_many = self._random.random() < 0.5
        argument = self._random.choice(("", "(index=5)", "(key='Key value')"))
        parameter = "Int32" if "5" in argument else "String"
        kind = f"microsoft.graph.{made.name.lower()}"
        told = "If successful, this function returns a `200 OK` response code and "
        self._api(
            f"{made.name}-{name}".lower(),
            name,
            "GET",
            [f"{path}/{name}{argument}" for path in ways],
            told + f"a {made.link} in the response body.",
            "200 OK",
            made.name,
            answer={"value": [full] if is_many else full},
            keys={"@odata.type": f"collection({kind})" if is_many else kind},
            table=argument and f"|{argument[1:].partition('=')[0]}|{parameter}||\n",
            syntax=[f"{path}/{name}" for path in ways],
        )

    def _api(
        self, file: str, title: str, method: str, paths: list[str], told: str, status: str,
        type_name: str, *, sent: Any = None, answer: Any = None, table: str = "",
        syntax: list[str] | None = None, keys: dict[str, str] | None = None,
        is_action: bool = False,
    ) -> None:  # fmt: skip
        missing = f"** Entity URI for microsoft.graph.{type_name} not found"
        lines = [f"{method} {path}" for path in (paths and (syntax or paths)) or [missing]]
        text = HEAD.format(title=title, kind="apiPageType", text="") + PERMISSIONS
        text += '## HTTP request\n<!-- {\n  "blockType": "ignored"\n}\n-->\n``` http\n'
        text += "\n".join(lines) + "\n```\n\n## Request headers\n|Header|Value|\n|:---|:---|\n"
        text += "|Authorization|Bearer {token}.Required|\n\n## Request body\n"
        if table:
            head = "|Property|Type|Description|\n|:---|:---|:---|\n"
            text += f"The following table shows the properties.\n\n{head}{table}\n"
        else:
            text += "Do not supply a request body for this method.\n\n"
        text += f"## Response\n{told}\n\n## Examples\n\n### Request\n"
        text += "Here is an example of the request.\n"
        text += (
            f'<!-- {{\n  "blockType": "request",\n  "name": "example_{self.expected.examples}"\n'
        )
        text += f"}}\n-->\n``` http\n{method} {ORIGIN}{(paths or [missing])[0]}\n"
        text += "\n" * is_action + _body(sent) if sent is not None else ""
        notes = {"blockType": "response", "truncated": True, **(keys or {})}
        text += "```\n\n### Response\nHere is an example of the response.\n"
        text += f"<!-- {json.dumps(notes, indent=2)}\n-->\n``` http\nHTTP/1.1 {status}\n"
        text += _body(answer) if answer is not None else ""
        self._put(f"api/{file}.md", f"{text}```\n\n")
        self.expected.examples += 1
        self.expected.without_url += not paths

    def _put(self, name: str, text: str) -> None:
        path = self._folder / name
        assert not path.exists(), name
        path.write_text(text)
        self.expected.pages += 1


def _body(value: Any) -> str:
    printed = json.dumps(value, indent=2)
    length = len(printed.replace("\n", "\r\n"))
    return f"Content-type: application/json\nContent-length: {length}\n\n{printed}\n"
