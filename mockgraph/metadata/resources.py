"""The resources of a service: whatever entities its URLs lead to, at any depth, by the model.

A path of names such as ``security/cases/ediscoveryCases/custodians`` stands for all the entities
that URLs of this form lead to, whatever the keys between the names. It names the table that
keeps them. The id of a stored entity is the keys along its URL, ``case1/custodian7``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import quote, unquote, urlsplit

from mockgraph.metadata.capabilities import RuleBook, Rules
from mockgraph.metadata.elements import EntitySet, NavigationProperty, Operation, Singleton, TypeRef
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.keys import (
    SEPARATOR,
    key_in_parentheses,
    key_in_segment,
    key_names,
    predicate,
    read_segment,
    split_path,
)
from mockgraph.metadata.schemas import Schemas
from mockgraph.metadata.structures import StructuredSchema
from mockgraph.metadata.vocabulary import MOCKGRAPH, Permission, Revision, deprecated, tagged

# Stands for the key of the one entity of a single-valued resource.
SINGLE = "$"

APPENDABLE = f"{MOCKGRAPH}Appendable"


def single_key(owner_keys: Sequence[str]) -> str:
    """Return the id of the one entity of a resource that is no collection."""
    return SEPARATOR.join((*owner_keys, SINGLE))


class ResourceKind(enum.Enum):
    """The ways in which a resource has its entities."""

    CONTAINED = "contained"  # they are its own, and live and die with their owner
    REFERENCE = "reference"  # they are another resource's, and it refers to them
    RELATED = "related"  # they are another resource's: those that a constraint says


class Resource:
    """A singleton, an entity set, or what a navigation property leads to.

    ``path`` is the path of names, ``type`` the declared type's schema, ``owner`` the resource
    whose entities have the navigation property, None at the root.
    """

    def __init__(
        self,
        view: View,
        name: str,
        type_name: str,
        *,
        is_collection: bool,
        owner: Resource | None = None,
        navigation: NavigationProperty | None = None,
        declaring: str | None = None,
    ):
        self.view = view
        self.name = name
        self.type_name = type_name
        self.is_collection = is_collection
        self.owner = owner
        self.navigation = navigation
        self._declaring = declaring
        self.path: str = f"{owner.path}/{name}" if owner else view.canonical(name)
        self._children: dict[str, Mapping[str, Resource]] = {}
        self._by_name: dict[str, Mapping[str, Resource]] = {}
        self._within: dict[str, Mapping[str, Resource]] = {}

    def __repr__(self) -> str:
        return f"<Resource {self.view.name}/{self.path}>"

    @cached_property
    def type(self) -> type[StructuredSchema]:
        """The schema of the declared type."""
        return self.view.schemas[self.type_name]

    @cached_property
    def chain(self) -> tuple[Resource, ...]:
        """The resources from the root to this one."""
        return (*(self.owner.chain if self.owner else ()), self)

    @cached_property
    def kind(self) -> ResourceKind:
        """The way in which it has its entities.

        A reference to entities that no resource of the model holds holds them itself.
        """
        navigation = self.navigation
        if navigation is None or navigation.contains_target:
            return ResourceKind.CONTAINED
        if self.view.holder(self.type_name) is None:
            return ResourceKind.CONTAINED
        return ResourceKind.RELATED if navigation.constraints else ResourceKind.REFERENCE

    @cached_property
    def refers_out(self) -> bool:
        """Whether it leads to one entity of those that no resource of the model holds."""
        navigation = self.navigation
        is_reference = navigation is not None and not navigation.contains_target
        is_held_here = self.kind is ResourceKind.CONTAINED
        return is_reference and is_held_here and not self.is_collection

    @cached_property
    def home(self) -> Resource:
        """The resource that holds the entities: this one, unless it only refers to them."""
        if self.kind is ResourceKind.CONTAINED:
            return self
        return self.view.holder(self.type_name) or self

    @cached_property
    def stored(self) -> Resource:
        """The resource of the state's own view at the same path."""
        return self.view.stored.resource(self.path) or self

    @cached_property
    def appendable(self) -> frozenset[str]:
        """The collections of complex values to which a POST adds an item."""
        model = self.view.model
        return frozenset(
            name
            for name in model.properties(self.type_name)
            if tagged(
                model.annotations(f"{model.declaring(self.type_name, name)}/{name}"), APPENDABLE
            )
        )

    @cached_property
    def reserved(self) -> frozenset[str]:
        """The names of operations on the collection, in small letters, which cannot be keys."""
        bound = self.view.model.bound_operations(TypeRef(self.type_name, True))
        return frozenset(
            name for each in bound for name in (each.lower(), each.rpartition(".")[2].lower())
        )

    @property
    def links(self) -> str:
        """The name of the table that keeps the references of its owners' entities."""
        return f"{self.path}/$ref"

    def children(self, type_name: str | None = None) -> Mapping[str, Resource]:
        """Return the navigation properties of the declared type, or of one that derives from it.

        By name in small letters; of one within a complex value that is the path of it,
        ``settings/networkadapters``. Those of entities that are another resource's are that one's.
        """
        name = type_name or self.type_name
        known = self._children.get(name)
        if known is None:
            if self.home is not self:
                known = self.home.children(name)
            else:
                model = self.view.model
                known = {
                    path.lower(): Resource(
                        self.view,
                        path,
                        each.type.name,
                        is_collection=each.type.collection,
                        owner=self,
                        navigation=each,
                        declaring=model.declaring(of_type, each.name),
                    )
                    for path, of_type, each in _navigation(model, name)
                }
            self._children[name] = known
        return known

    def navigation_names(self, type_name: str) -> Mapping[str, Resource]:
        """Return the navigation properties of a type by their names as they are declared."""
        known = self._by_name.get(type_name)
        if known is None:
            found = self.children(type_name).values()
            known = self._by_name[type_name] = {each.name: each for each in found}
        return known

    def within(self, type_name: str) -> Mapping[str, Resource]:
        """Return the navigation properties within complex values of a type, by their paths.

        These are properties of one value; those of the values of a collection lead nowhere.
        """
        known = self._within.get(type_name)
        if known is None:
            found = self.navigation_names(type_name).items()
            known = self._within[type_name] = {name: one for name, one in found if "/" in name}
        return known

    def led_to(self, type_name: str, names: Sequence[str]) -> tuple[Resource, int] | None:
        """Return the navigation property that a path begins with, and how many names it takes."""
        known = self.navigation_names(type_name)
        if names[0] in known:
            return known[names[0]], 1
        for path, resource in self.within(type_name).items():
            count = path.count("/") + 1
            if path == "/".join(names[:count]):
                return resource, count
        return None

    def operations(self, name: str, *, of_collection: bool, type_name: str) -> Sequence[Operation]:
        """Return the overloads of an operation that is bound to it, by its name, in full or not."""
        return self.view.model.bound_operation(type_name, name, of_collection=of_collection)

    @property
    def _own_name(self) -> str:
        """Its name in the type that declares it."""
        return self.name.rpartition("/")[2]

    @cached_property
    def rules(self) -> Rules:
        """The capabilities that the annotations of the model give it."""
        container = self.view.model.container_of(self.chain[0].name).name
        path = "/".join([container, *(each.name for each in self.chain)])
        declaring = container if self.owner is None else self._declaring
        return self.view.rules.rules(self.type_name, declaring, self._own_name, path)

    def permissions(self, wanted: str) -> tuple[str, ...]:
        """Return the permissions of which one will do, see :meth:`permissions_by_scheme`."""
        return tuple(name for each in self.permissions_by_scheme(wanted) for name in each.scopes)

    def permissions_by_scheme(self, wanted: str) -> tuple[Permission, ...]:
        """Return the permissions of which one will do, by the scheme of the token.

        ``wanted`` is ``read``, ``insert``, ``update`` or ``delete``.

        Where none is said for a kind of write, those for updates will do, and where none is said of
        the resource, those of the one that it belongs to. Empty where nothing is said at all.
        """
        rules = self.rules
        said = {
            "read": rules.read.permissions,
            "insert": rules.insert.permissions or rules.update.permissions,
            "update": rules.update.permissions,
            "delete": rules.delete.permissions or rules.update.permissions,
        }[wanted]
        if not said:
            return () if self.owner is None else self.owner.permissions_by_scheme(wanted)
        return said

    @cached_property
    def deprecated(self) -> Revision | None:
        """The revision that deprecates it, its type, or a resource on the way to it."""
        model = self.view.model
        places = [] if self._declaring is None else [f"{self._declaring}/{self._own_name}"]
        found = (deprecated(model.annotations(each)) for each in (*places, self.type_name))
        above = None if self.owner is None else self.owner.deprecated
        return next((each for each in found if each is not None), above)

    def url(self, key: str) -> str:
        """Return the path of the URL of an entity by its id, ``security/alerts/a1``, quoted."""
        if self._before_key is not None and SEPARATOR not in key:
            return self._before_key + quote(key, safe="")
        keys = (each for each in key.split(SEPARATOR) if each != SINGLE)
        parts: list[str] = []
        for each in self.home.chain:
            if not each.is_collection:
                parts.append(each.name)
            elif each.has_simple_key:
                parts += (each.name, quote(next(keys, ""), safe=""))
            else:
                parts.append(f"{each.name}{predicate(each.type, next(keys, ''))}")
        return "/".join(parts)

    @cached_property
    def _before_key(self) -> str | None:
        """The path of such URLs up to the key, None where that is not all that they differ in."""
        *above, last = self.home.chain
        is_keyed = last.is_collection and last.has_simple_key
        if not is_keyed or any(each.is_collection for each in above):
            return None
        return "".join(f"{each.name}/" for each in (*above, last))

    @cached_property
    def has_simple_key(self) -> bool:
        """Whether a key is one value, which may be a segment of a URL by itself."""
        return len(key_names(self.type)) < 2

    def below(self) -> Iterator[Resource]:
        """Give the resources below it that hold entities, none below one of the same type."""
        yield from _below(self, {self.type_name})


class View:
    """A root of the service: the first segment of its paths, and the model that they are of.

    ``documented`` views are those of the ``localtest`` pages: ``@odata.type`` at each level.
    ``stored`` is the view that the state is checked against, itself unless a service has another;
    ``roots`` are the names of all views of the service.
    ``shows_null`` tells the types whose properties are null where nothing was written, be they
    nullable or not. ``others`` gives resources at the root that are those of another view, by name
    in small letters.
    """

    def __init__(
        self,
        name: str,
        model: Callable[[], Model],
        *,
        documented: bool = False,
        shows_null: Callable[[str], bool] = lambda _: True,
        canonical: Callable[[str], str] = lambda name: name,
        others: Callable[[], Mapping[str, Resource]] = dict,
    ):
        self.name = name
        self.documented = documented
        self.canonical = canonical
        self._shows_null = shows_null
        self._others = others
        self.stored = self
        self.roots = frozenset({name})
        self._make_model = model
        self._resources: dict[str, Resource | None] = {}

    def __repr__(self) -> str:
        return f"<View {self.name}>"

    @cached_property
    def model(self) -> Model:
        """The model, made when it is first asked for."""
        return self._make_model()

    @cached_property
    def schemas(self) -> Schemas:
        """The schemas of the model's types."""
        return Schemas(
            self.model,
            any_case=not self.documented,
            shows_null=self._shows_null,
            stored=lambda: self.stored.schemas,
        )

    @cached_property
    def children(self) -> Mapping[str, Resource]:
        """The singletons and entity sets at the root, by name in small letters."""
        own = {
            name.lower(): Resource(self, name, each.type, is_collection=isinstance(each, EntitySet))
            for name, each in self.model.roots.items()
            if isinstance(each, (EntitySet, Singleton))
        }
        return {**own, **self._others()}

    def resource(self, path: str) -> Resource | None:
        """Return the resource of a path of names, in any case; None where the model has none."""
        if path not in self._resources:
            self._resources[path] = self._find(path)
        return self._resources[path]

    def locate(self, path: str) -> tuple[Resource, str] | None:
        """Return the resource and the stored key that the path of an entity's URL leads to.

        The path is relative to the root, percent-decoded, with keys as segments or in parentheses:
        ``security/labels/categories('c1')``. None where it leads to no entity that is held there.
        """
        return self._located(split_path(path.strip("/")))

    def _located(self, path: Sequence[str]) -> tuple[Resource, str] | None:
        resource: Resource | None = None
        owner: Resource | None = None
        keys: list[str] = []
        above = ""
        segments = iter(path)
        for text in segments:
            segment = read_segment(text)
            if segment is None:
                return None
            name = f"{above}{segment.name.lower()}"
            above = ""
            resource = _child(owner, name) if owner else self.children.get(name)
            if resource is None and segment.arguments is None:
                above = f"{name}/"  # the name of a complex value
                continue
            if resource is None or resource.kind is not ResourceKind.CONTAINED:
                return None
            if resource.is_collection:
                key = _key(resource, segment.arguments, segments)
                if not key:
                    return None
                keys.append(key)
            owner = resource
        if resource is None:
            return None
        return resource, SEPARATOR.join(keys) if resource.is_collection else single_key(keys)

    def target(self, url: str) -> tuple[Resource, str] | None:
        """Return what ``locate`` does, by a URL: a whole one, or one relative to the root.

        One that names another root of the service leads to the same entity.
        """
        try:
            path = urlsplit(url).path
        except ValueError:  # a host in brackets that is no address
            return None
        segments = [unquote(each) for each in split_path(path.strip("/"))]
        roots = [index for index, each in enumerate(segments) if each.lower() in self.roots]
        return self._located(segments[roots[0] + 1 :] if roots else segments)

    def _find(self, path: str) -> Resource | None:
        first, *rest = path.lower().split("/")
        found = self.children.get(first)
        above = ""
        for name in rest:
            if found is None:
                return None
            child = _child(found, f"{above}{name}")
            above = f"{above}{name}/" if child is None else ""
            found = child or found
        return None if above else found

    @cached_property
    def rules(self) -> RuleBook:
        """The rules that the model's annotations state."""
        return RuleBook(self.model)

    def holder(self, type_name: str) -> Resource | None:
        """Return the collection that holds the entities of a type, which others refer to.

        The one nearest to the root; of several there the one that is declared first. One of a
        base type will do where none is of the type itself. None where the model has none.
        """
        names = (each.name for each in self.model.chain(type_name))
        return next((found for name in names if (found := self._held.get(name))), None)

    @cached_property
    def _held(self) -> Mapping[str, Resource]:
        """The collection nearest to the root that holds the entities of each type."""
        found: dict[str, Resource] = {}
        seen: set[str] = set()
        level = list(self.children.values())
        while level:
            further: list[Resource] = []
            for each in level:
                if each.is_collection:
                    found.setdefault(each.type_name, each)
                if each.type_name not in seen:
                    seen.add(each.type_name)
                    further += (
                        child
                        for child in each.children().values()
                        if child.navigation is not None and child.navigation.contains_target
                    )
            level = further
        return found


class Service:
    """All that is served: the views on one state.

    ``stored`` is the view that the state itself is checked against: of all that the others have.
    """

    def __init__(self, views: Sequence[View], stored: View):
        self.views: Mapping[str, View] = {each.name: each for each in views}
        self.stored = stored
        for each in views:
            each.stored, each.roots = stored, frozenset(self.views)


def _navigation(
    model: Model, type_name: str, above: str = "", passed: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, NavigationProperty]]:
    """Give path, declaring type and element of each navigation property of a type.

    Those within its complex values are among them.
    """
    for each in model.navigation(type_name).values():
        yield f"{above}{each.name}", type_name, each
    for declared in model.properties(type_name).values():
        inner = declared.type.name
        if not declared.type.collection and inner not in passed and model.navigates(inner):
            yield from _navigation(model, inner, f"{above}{declared.name}/", (*passed, inner))


def _key(
    resource: Resource, arguments: Mapping[str, str] | None, segments: Iterator[str]
) -> str | None:
    """The own key that a URL has in parentheses, or else as the next of its segments."""
    if arguments is not None:
        return key_in_parentheses(resource.type, arguments)
    text = next(segments, None)
    return None if text is None else key_in_segment(resource.type, text)


def _child(resource: Resource, name: str) -> Resource | None:
    found = resource.children().get(name)
    if found is not None:
        return found
    for derived in resource.view.model.derived(resource.type_name):
        found = resource.children(derived).get(name)
        if found is not None:
            return found
    return None


def _below(resource: Resource, seen: set[str]) -> Iterator[Resource]:
    for child in resource.children().values():
        if child.kind is ResourceKind.CONTAINED and child.type_name not in seen:
            yield child
            yield from _below(child, {*seen, child.type_name})
