"""Types as resource pages describe them, and, where there is no such page, as examples show them.

A property's type stands in its table, as a word and mostly as a link to another page; what the
table leaves out the JSON representation shows. What is known already, of bundled metadata,
is taken from there, and grows only by what pages say beyond.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from mockgraph.errors import MockGraphError
from mockgraph.metadata import is_identifier
from mockgraph.metadata.annotations import Annotation
from mockgraph.metadata.elements import (
    Annotations,
    ComplexType,
    EntityType,
    EnumType,
    KeyProperty,
    Member,
    NamedType,
    NavigationProperty,
    Property,
    TypeRef,
    namespace_of,
    short_name,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.names import NAMESPACE, Json
from mockgraph.metadata.namespaces import Schema
from mockgraph.metadata.vocabulary import COMPUTED
from mockgraph.pages.fitting import is_placeholder
from mockgraph.pages.page import DocumentedProperty, ReferencePage, Representation
from mockgraph.state.computed_properties import AUTHORS, TIMES_OF_CHANGE

_WORDS: Final = {
    "string": "String", "text": "String", "url": "String", "identifier": "String",
    "boolean": "Boolean", "bool": "Boolean", "true": "Boolean", "false": "Boolean",
    "byte": "Byte", "sbyte": "SByte", "int16": "Int16", "int32": "Int32", "int64": "Int64",
    "int": "Int32", "integer": "Int32", "number": "Double", "long": "Int64",
    "double": "Double", "float": "Double", "single": "Single", "decimal": "Decimal",
    "datetimeoffset": "DateTimeOffset", "datetime": "DateTimeOffset", "timestamp": "DateTimeOffset",
    "date": "Date", "dateonly": "Date", "timeofday": "TimeOfDay", "duration": "Duration",
    "guid": "Guid", "binary": "Binary", "bytes": "Binary", "stream": "Stream",
    "object": "Untyped", "json": "Untyped",
}  # fmt: skip
_COLLECTION: Final = re.compile(r"(?i)collection\s*(?:\(|of\s)\s*(.*?)\)?|(.*?)\s+collection")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_LARGEST_INT32: Final = 2**31 - 1
ENTITY: Final = f"{NAMESPACE}.entity"
_READ_ONLY: Final = re.compile(r"(?i)\bread-only\b")
_TIMES: Final = frozenset({"createdDateTime", "lastModifiedDateTime"})
_IDENTITIES: Final = frozenset(
    TypeRef(f"{NAMESPACE}.{each}") for each in ("identity", "identitySet")
)
_CALLERS: Final = frozenset({"application", "device", "user", "@odata.type"})
_UNTYPED: Final = TypeRef("Edm.Untyped")


@dataclass
class Described:
    """A type as it is made out so far."""

    name: str
    base: str | None = None
    is_open: bool = False
    is_entity: bool = False
    key: str | None = None
    properties: dict[str, TypeRef] = field(default_factory=dict)
    read_only: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    navigation: dict[str, TypeRef] = field(default_factory=dict)


class PageTypes:
    """The types of a folder of pages, beside a model that is known."""

    def __init__(self, pages: Iterable[ReferencePage], known: Model):
        self.known = known
        self.types: dict[str, Described] = {}
        self._members: dict[str, dict[str, None]] = {}
        self._by_page: dict[str, str] = {}
        self._folded: dict[str, str] = {}
        self._short: dict[str, str] = {}
        self._mentioned: set[str] = set()
        resources = [page for page in pages if page.representations]
        for page in resources:
            self._name(page)
        for page in resources:
            for name, members in page.enumerations.items():
                self._enumerate(self._qualified(name, page.namespace), members)
        for page in resources:
            self._describe(page)
        for each in self.types.values():
            each.is_entity = each.name in self._mentioned or self._is_entity(each)
        self.described = frozenset(self.types) - self._mentioned

    # -- names ----------------------------------------------------------------------------------

    def _name(self, page: ReferencePage) -> None:
        for representation in page.representations:
            name = self._name_of(page, representation)
            if name not in self.types:
                self.types[name] = Described(name)
                self._remember(name)
            self._by_page.setdefault(_stem(page.name), name)

    def _name_of(self, page: ReferencePage, representation: Representation) -> str:
        given = (representation.type_name or "").removeprefix("#").strip()
        if "." in given and all(map(is_identifier, given.split("."))):
            return given
        word = (given or page.title).partition(" ")[0]
        name = word if is_identifier(word) else re.sub(r"\W", "_", _stem(page.name)) or "resource"
        return f"{page.namespace or NAMESPACE}.{name}"

    def _remember(self, name: str) -> None:
        self._folded.setdefault(name.lower(), name)
        self._short.setdefault(short_name(name).lower(), name)

    def _qualified(self, name: str, namespace: str) -> str:
        name = name.strip().removeprefix("#")
        return name if "." in name else f"{namespace or NAMESPACE}.{name}"

    def find(self, name: str, namespace: str = "", target: str = "") -> str | None:
        """Return the qualified name of a type by a name as pages have it, or by its page."""
        if target in self._by_page:
            return self._by_page[target]
        for each in (self._qualified(name, namespace), f"{NAMESPACE}.{short_name(name)}"):
            found = self._folded.get(each.lower()) or self.known.cased(each)
            if found is not None and (found in self._members or self._is_type(found)):
                return found
        return self._short.get(short_name(name).lower())

    def _is_type(self, name: str) -> bool:
        return name in self.types or self.known.type(name) is not None

    # -- what resource pages say ----------------------------------------------------------------

    def _describe(self, page: ReferencePage) -> None:
        for representation in page.representations:
            described = self.types[self._name_of(page, representation)]
            described.is_open |= representation.open_type
            described.key = described.key or representation.key_property
            base = representation.base_type
            found = self.find(base or "", page.namespace, "" if base else page.base)
            if found and found != described.name and self._is_structured(found):
                described.base = described.base or found
            try:
                shown = representation.json()
            except MockGraphError:
                shown = None
            shown = shown if isinstance(shown, dict) else {}
            if representation is page.representations[0]:
                for each in page.properties:
                    if is_identifier(each.name):
                        kind = self._type(each, page.namespace, described.name, shown)
                        described.properties.setdefault(each.name, kind)
                    if _READ_ONLY.search(each.description):
                        described.read_only.add(each.name)
                for each in page.relationships:
                    related = self._related(each, page.namespace, described.name)
                    if is_identifier(each.name) and related is not None:
                        described.navigation.setdefault(each.name, related)
            for name, value in shown.items():
                if is_identifier(name) and name not in described.navigation:
                    kind = self.shown_type(value, described.name, name)
                    described.properties.setdefault(name, kind)

    def _related(self, said: DocumentedProperty, namespace: str, owner: str) -> TypeRef | None:
        """The entities that a row of relationships names, which may have no page of their own."""
        found = self._type(said, namespace, owner, {})
        if self._is_structured(found.name):
            return found
        name, _ = _unwrapped(said.type)
        if found.name != _UNTYPED.name or not all(map(is_identifier, name.split("."))):
            return None
        made = self._qualified(name, namespace)
        self._mentioned.add(made)
        return TypeRef(self.made(made, is_entity=True).name, found.collection)

    def rows(
        self,
        rows: Iterable[DocumentedProperty],
        namespace: str,
        owner: str,
        shown: Mapping[str, Json],
    ) -> dict[str, TypeRef]:
        """Return the types that the rows of a table give to names."""
        return {
            each.name: self._type(each, namespace, owner, shown)
            for each in rows
            if is_identifier(each.name)
        }

    def _is_structured(self, name: str) -> bool:
        return name in self.types or isinstance(self.known.type(name), ComplexType)

    def _type(
        self, said: DocumentedProperty, namespace: str, owner: str, shown: Mapping[str, Json]
    ) -> TypeRef:
        """The type that a row of a table says a property has."""
        text, is_many = _unwrapped(said.type)
        word = text.removeprefix("Edm.").partition(" ")[0]
        primitive = _WORDS.get(word.lower())
        if primitive is not None:
            return TypeRef(f"Edm.{primitive}", is_many)
        found = self.find(text, namespace, said.target) if word else None
        if said.members and (found is None or not self._is_structured(found)):
            if found is None:
                made = short_name(word) if is_identifier(short_name(word)) else ""
                if made.lower() in ("", "enumeration", "enum"):
                    made = f"{short_name(owner)}_{said.name}"
                found = self._qualified(made, namespace_of(word) or namespace)
            self._enumerate(found, said.members)
        if found is not None:
            return TypeRef(found, is_many)
        if said.name in shown:
            kind = self.shown_type(shown[said.name], owner, said.name)
            return TypeRef(kind.name, is_many or kind.collection)
        return TypeRef("Edm.Untyped", is_many)

    def _enumerate(self, name: str, members: Iterable[str]) -> None:
        """Have an enumeration with these members; one that is known stays as it is."""
        if name in self.types or self.known.type(name) is not None:
            return
        named = dict.fromkeys(each for each in members if is_identifier(each))
        if named:
            self._members.setdefault(name, {}).update(named)
            self._remember(name)

    def _is_entity(self, described: Described) -> bool:
        seen: set[str] = set()
        name: str | None = described.name
        while name is not None and name not in seen:
            seen.add(name)
            here = self.types.get(name)
            if here is None:
                return isinstance(self.known.type(name), EntityType)
            if here.key:
                return True
            name = here.base
        return False

    # -- what examples show ---------------------------------------------------------------------

    def note_sent(self, name: str, value: Mapping[str, Json]) -> None:
        """Note the properties of an entity that a request sends, those of its bases among them."""
        described = self.types.get(name)
        seen: set[str] = set()
        while described is not None and described.name not in seen:
            seen.add(described.name)
            described.sent |= value.keys()
            described = self.types.get(described.base or "")

    def made(self, name: str, *, is_entity: bool) -> Described:
        """Return a type that no page describes, by its qualified name."""
        if name not in self.types:
            base = ENTITY if is_entity and self.known.type(ENTITY) else None
            self.types[name] = Described(name, base, is_entity=is_entity)
            if is_entity and base is None:
                self.types[name].properties["id"] = TypeRef("Edm.String")
            self._remember(name)
        return self.types[name]

    def as_entity(self, name: str) -> bool:
        """Return whether a type is one of entities; one with an id that is no base becomes it."""
        described = self.types.get(name)
        if described is None or self.known.type(name) is not None:
            return isinstance(self.known.type(name), EntityType)
        if not described.is_entity and "id" in described.properties and described.base is None:
            described.is_entity = True
        return described.is_entity

    def absorb(self, name: str, value: Json, *, is_described: bool = False) -> None:
        """Have a type that no page describes hold a value; of others, members are added."""
        if isinstance(value, list):
            for each in value:
                self.absorb(name, each, is_described=is_described)
        described = self.types.get(name)
        if not isinstance(value, dict) or described is None:
            return
        for printed, item in value.items():
            member = printed.strip()
            if member in described.navigation:
                target = described.navigation[member].name
                self.absorb(target, item, is_described=target in self.described)
                continue
            if not is_identifier(member):
                continue
            kind = self.property_type(name, member)
            if not is_described and (kind is None or (kind.name == _UNTYPED.name and item)):
                kind = described.properties[member] = self._shown_within(item, name, member)
            if kind is not None:
                self._absorb_member(kind, item)

    def _shown_within(self, value: Json, owner: str, name: str) -> TypeRef:
        """The type of a value that is shown; an object without a name has one of its own."""
        kind = self.shown_type(value, owner, name)
        items = value if isinstance(value, list) else [value]
        objects = [each for each in items if isinstance(each, dict)]
        if kind.name != _UNTYPED.name or not objects:
            return kind
        identities = self.find("identitySet")
        if identities and all(each and each.keys() <= _CALLERS for each in objects):
            return TypeRef(identities, kind.collection)
        made = self.made(f"{owner}_{name}", is_entity=False)
        self.absorb(made.name, objects)
        return TypeRef(made.name, kind.collection)

    def _absorb_member(self, kind: TypeRef, value: Json) -> None:
        members = self._members.get(kind.name)
        if members is not None:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and is_identifier(each) and not is_placeholder(each):
                    folded = {member.lower() for member in members}
                    members.update({} if each.lower() in folded else {each: None})

    def property_type(self, name: str, member: str) -> TypeRef | None:
        """Return the type of a property, own or inherited; None where there is none."""
        seen: set[str] = set()
        current: str | None = name
        while current is not None and current not in seen:
            seen.add(current)
            described = self.types.get(current)
            known = self.known.type(current)
            if isinstance(known, ComplexType):
                found = self.known.properties(current).get(member)
                if found is not None:
                    return found.type
            if described is None:
                return None
            if member in described.properties:
                return described.properties[member]
            current = described.base
        return None

    def shown_type(self, value: Json, owner: str, name: str) -> TypeRef:
        """Return the type of a value that is shown; words stand for types."""
        if isinstance(value, list):
            kinds = {self.shown_type(each, owner, name).name for each in value}
            return TypeRef(kinds.pop() if len(kinds) == 1 else "Edm.Untyped", True)
        if isinstance(value, dict):
            given = value.get("@odata.type")
            found = self.find(given.removeprefix("#")) if isinstance(given, str) else None
            return TypeRef(found) if found and self._is_structured(found) else _UNTYPED
        if isinstance(value, bool):
            return TypeRef("Edm.Boolean")
        if isinstance(value, int):
            return TypeRef("Edm.Int32" if abs(value) <= _LARGEST_INT32 else "Edm.Int64")
        if isinstance(value, float):
            return TypeRef("Edm.Double")
        if not isinstance(value, str):
            return _UNTYPED
        if "timestamp" in value.lower() or _INSTANT.fullmatch(value):
            return TypeRef("Edm.DateTimeOffset")
        words = value.split()
        primitive = _WORDS.get(words[0].removeprefix("Edm.").lower()) if words else None
        is_type = primitive is not None and primitive != "Stream" and len(words) == 1
        return TypeRef(f"Edm.{primitive}") if is_type else TypeRef("Edm.String")

    # -- the model ------------------------------------------------------------------------------

    def elements(self) -> list[NamedType]:
        """Return what is to be added to the known model."""
        made: list[NamedType] = [
            EnumType(name, tuple(Member(each, index) for index, each in enumerate(members)))
            for name, members in self._members.items()
        ]
        made += [
            added for each in self.types.values() if (added := self._element(each)) is not None
        ]
        return made

    def _element(self, described: Described) -> NamedType | None:
        known = self.known.type(described.name)
        if known is not None and not isinstance(known, ComplexType):
            return None
        taken: set[str] = set()
        if isinstance(known, ComplexType):
            taken = {*self.known.properties(known.name), *self.known.navigation(known.name)}
        base = described.base if known is None and self._may_be_base(described) else None
        inherited = self._inherited(base)
        navigation = tuple(
            NavigationProperty(name, kind, contains_target=True)
            for name, kind in described.navigation.items()
            if name not in taken | inherited and self._holds_entities(kind.name)
        )
        taken |= {each.name for each in navigation} | inherited
        properties = tuple(
            Property(name, kind, annotations=_made_by_service(name, kind, described))
            for name, kind in described.properties.items()
            if name not in taken
        )
        is_entity = described.is_entity if known is None else isinstance(known, EntityType)
        if known is not None and not properties and not navigation:
            return None
        whole = ComplexType(described.name, base, False, described.is_open, properties, navigation)
        if not is_entity:
            return whole
        key = described.key or "id"
        own = known is None and key not in inherited and (base is None or key in own_names(whole))
        if own and key not in own_names(whole):  # it is said to be there, and in no table
            properties = (Property(key, TypeRef("Edm.String")), *properties)
        return EntityType(
            whole.name,
            whole.base,
            open=whole.open,
            properties=properties,
            navigation=navigation,
            key=(KeyProperty(key),) if own else (),
        )

    def _inherited(self, base: str | None) -> set[str]:
        """The names of all that a base has."""
        found: set[str] = set()
        while base is not None:
            if isinstance(self.known.type(base), ComplexType):
                found |= {*self.known.properties(base), *self.known.navigation(base)}
            described = self.types.get(base)
            if described is None:
                break
            found |= {*described.properties, *described.navigation}
            base = described.base
        return found

    def _may_be_base(self, described: Described) -> bool:
        """Whether the base is of the same kind, and does not derive from this type."""
        base = described.base
        if base is None:
            return False
        other = self.types.get(base)
        is_entity = other.is_entity if other else isinstance(self.known.type(base), EntityType)
        seen = {described.name}
        while base is not None:
            if base in seen:
                return False
            seen.add(base)
            following = self.types.get(base)
            base = following.base if following else None
        return is_entity == described.is_entity

    def _holds_entities(self, name: str) -> bool:
        described = self.types.get(name)
        if described is not None:
            return described.is_entity
        return isinstance(self.known.type(name), EntityType)


def own_names(type_: ComplexType) -> set[str]:
    """Return the names of the properties that a type itself has."""
    return {each.name for each in type_.properties}


def _made_by_service(name: str, kind: TypeRef, described: Described) -> Annotations:
    """Say of a property that the service gives it its value.

    It is read-only, or the time or the author of a change that no request sends, though some are
    sent.
    """
    is_unsent = described.is_entity and bool(described.sent) and name not in described.sent
    is_time = kind == TypeRef("Edm.DateTimeOffset") and described.is_entity
    is_made = is_time and (name in _TIMES or (is_unsent and name in TIMES_OF_CHANGE))
    if is_unsent and name in AUTHORS and kind in _IDENTITIES:
        is_made = True
    return (Annotation(COMPUTED),) if is_made or name in described.read_only else ()


def schemas_of(elements: Iterable[NamedType]) -> list[Schema]:
    """Return types as schemas, one a namespace."""
    by_namespace: dict[str, list[NamedType]] = {}
    for each in elements:
        by_namespace.setdefault(namespace_of(each.name), []).append(each)
    return [Schema.of(namespace, types=types) for namespace, types in by_namespace.items()]


def _unwrapped(text: str) -> tuple[str, bool]:
    """The type of an item, and whether it is a collection that a text speaks of."""
    text = text.strip().strip("`*")
    found = _COLLECTION.fullmatch(text)
    if found is None:
        return text.removeprefix("#"), text.endswith("[]")
    return (found[1] or found[2] or "").strip().strip("`*").removeprefix("#"), True


def _stem(name: str) -> str:
    """The name of a page as links have it: ``security-alert``."""
    return name.rpartition("/")[2].rpartition(".")[0].lower()
