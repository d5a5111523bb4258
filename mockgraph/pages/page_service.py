"""A folder of pages as a model: the types of its resources, the paths and operations of its URLs.

What bundled metadata has stays as it is there; pages add what they describe beyond, under the
root that their URLs name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from mockgraph.errors import MockGraphError
from mockgraph.metadata import is_identifier
from mockgraph.metadata.annotations import Annotation, PropertyValue, Record
from mockgraph.metadata.elements import (
    Annotations,
    Child,
    ComplexType,
    EntityContainer,
    EntitySet,
    EntityType,
    Operation,
    OperationImport,
    OperationKind,
    Parameter,
    ReturnType,
    Singleton,
    TypeRef,
    namespace_of,
    short_name,
)
from mockgraph.metadata.entity_data_model import Model
from mockgraph.metadata.names import NAMESPACE, Json
from mockgraph.metadata.namespaces import Schema
from mockgraph.metadata.notation import BINDING_PARAMETER
from mockgraph.metadata.vocabulary import CAPABILITIES, MOCKGRAPH
from mockgraph.pages.page import DocumentedProperty, ReferencePage, permission_names
from mockgraph.pages.page_types import PageTypes, schemas_of
from mockgraph.pages.url_tree import Documented, UrlNode, named_root, url_trees

_CONTAINER: Final = f"{NAMESPACE}.GraphService"
_FOLDERS: Final = frozenset({"api", "resources"})
# The restriction that lists the permissions of a method.
_RESTRICTIONS: Final = {
    "GET": "ReadRestrictions",
    "POST": "InsertRestrictions",
    "PATCH": "UpdateRestrictions",
    "PUT": "UpdateRestrictions",
    "DELETE": "DeleteRestrictions",
}
_MAX_DEPTH: Final = 24


def page_models(
    pages: Iterable[ReferencePage], known: Callable[[str], Model | None]
) -> dict[str, Model]:
    """Return what pages add to each root, by its name in small letters.

    ``known`` gives the model that a root has already.
    """
    folders: dict[str, list[ReferencePage]] = {}
    for page in pages:
        folders.setdefault(_folder(page.name), []).append(page)
    every = Counter(each for several in folders.values() for each in _roots(several))
    models: dict[str, Model] = {}
    for folder, several in folders.items():
        root = _root_of(folder, several, every)
        for name, tree in url_trees(several, every, root).items():
            model = known(name) or Model()
            below = models.get(name)
            added = _Folder(
                several, model if below is None else model.with_layer(below), tree
            ).model()
            models[name] = added if below is None else below.with_layer(added)
    return models


def _folder(name: str) -> str:
    """The folder that pages of one reference have in common: above ``api`` and ``resources``."""
    parts = name.split("/")[:-1]
    while parts and parts[-1].lower() in _FOLDERS:
        parts = parts[:-1]
    return "/".join(parts)


def _roots(pages: Iterable[ReferencePage]) -> Iterator[str]:
    for page in pages:
        for example in page.examples:
            root = named_root(example.request.url)
            if root is not None:
                yield root


def _root_of(folder: str, pages: Sequence[ReferencePage], every: Counter[str]) -> str:
    """The root of URLs that name none: the one that most others of the folder name."""
    own = Counter(_roots(pages)) or Counter(
        {each: 1 for each in folder.lower().split("/") if each in every}
    )
    found = (own or every).most_common(1)
    return found[0][0] if found else "v1.0"


class _Folder:
    """The pages of one folder, laid over the model of one root."""

    def __init__(self, pages: Sequence[ReferencePage], known: Model, tree: UrlNode):
        self._known = known
        self._tree = tree
        self._types = PageTypes(pages, known)
        self._called: dict[tuple[str, TypeRef | None], list[UrlNode]] = {}
        self._children: list[Child] = []
        self._targets: dict[str, Annotations] = {}
        containers = known.containers
        self._container = containers[0].name if containers else _CONTAINER

    def model(self) -> Model:
        for node in self._tree.children.values():
            self._declare_root(node)
        operations = [self._operation(*key, nodes) for key, nodes in self._called.items()]
        schemas = schemas_of(self._types.elements())
        by_namespace: dict[str, list[Operation]] = {}
        for each in operations:
            by_namespace.setdefault(namespace_of(each.name), []).append(each)
        for namespace, several in by_namespace.items():
            schemas.append(Schema.of(namespace, operations=several))
        container = EntityContainer(
            self._container,
            sets=tuple(each for each in self._children if isinstance(each, EntitySet)),
            singletons=tuple(each for each in self._children if isinstance(each, Singleton)),
            imports=tuple(each for each in self._children if isinstance(each, OperationImport)),
        )
        schemas.append(
            Schema.of(namespace_of(self._container), containers=[container], targets=self._targets)
        )
        return Model(schemas)

    # -- paths ----------------------------------------------------------------------------------

    def _declare_root(self, node: UrlNode) -> None:
        roots = {name.lower(): child for name, child in self._known.roots.items()}
        known = roots.get(node.name.lower())
        if isinstance(known, (EntitySet, Singleton)):
            path = f"{self._container}/{known.name}"
            is_many = isinstance(known, EntitySet)
            self._declare_node(node, TypeRef(known.type, is_many), path, is_new=False)
        elif known is None and self._is_operation(node):
            self._declare_operation(node, None)
        elif known is None:
            is_many = self._is_collection(node)
            type_name = self._type_of(node, is_many)
            self._children.append(
                EntitySet(node.name, type_name) if is_many else Singleton(node.name, type_name)
            )
            kind = TypeRef(type_name, is_many)
            self._declare_node(node, kind, f"{self._container}/{node.name}", is_new=True)

    def _declare_node(self, node: UrlNode, kind: TypeRef, path: str, *, is_new: bool) -> None:
        """Declare what is below a node of entities of a type, the operations on both included."""
        type_name = kind.name
        if kind.collection and node.key is None:
            self._find_keys(node)
        self._annotate(node, path, is_new=is_new)
        for each in (node, *([node.key] if node.key else [])):
            for documented in each.documented:
                self._absorb(documented, type_name)
        if path.count("/") > _MAX_DEPTH:
            return
        if node.key is None and not kind.collection:
            self._declare_children(node, type_name, path)
            return
        for child in node.children.values():
            if not self._is_cast(child):
                self._declare_operation(child, TypeRef(type_name, True))
        if node.key is not None:
            self._declare_children(node.key, type_name, path)

    def _find_keys(self, node: UrlNode) -> None:
        """Take what is no operation below a collection for keys, where the syntax names none."""
        for name, child in list(node.children.items()):
            if not self._is_cast(child) and not self._is_operation(child):
                node.entity().absorb(child)
                del node.children[name]

    def _declare_children(self, node: UrlNode, type_name: str, path: str) -> None:
        for child in node.children.values():
            if self._is_cast(child):
                derived = self._types.find(child.name) or type_name
                self._declare_children(child, derived, path)
                continue
            related = self._related(type_name, child.name)
            if related is not None:
                name, kind, is_new = related
                self._declare_node(child, kind, f"{path}/{name}", is_new=is_new)
            elif self._types.property_type(type_name, child.name) is not None:
                continue
            elif self._is_operation(child):
                self._declare_operation(child, TypeRef(type_name))
            else:
                self._declare_navigation(child, type_name, path)

    def _declare_navigation(self, node: UrlNode, owner: str, path: str) -> None:
        is_many = self._is_collection(node)
        type_name = self._type_of(node, is_many)
        described = self._types.made(owner, is_entity=True)
        if isinstance(self._known.type(owner), ComplexType):
            described.base = None
        kind = described.navigation[node.name] = TypeRef(type_name, is_many)
        self._declare_node(node, kind, f"{path}/{node.name}", is_new=True)

    def _related(self, owner: str, name: str) -> tuple[str, TypeRef, bool] | None:
        """The navigation property of a type, own or inherited, that has a name in any case."""
        seen: set[str] = set()
        current: str | None = owner
        while current is not None and current not in seen:
            seen.add(current)
            if isinstance(self._known.type(current), ComplexType):
                for each in self._known.navigation(current).values():
                    if each.name.lower() == name.lower():
                        return each.name, each.type, False
            described = self._types.types.get(current)
            if described is None:
                return None
            for own, kind in described.navigation.items():
                if own.lower() == name.lower() and self._is_entity(kind.name):
                    return own, kind, True
            current = described.base
        return None

    def _is_entity(self, name: str) -> bool:
        described = self._types.types.get(name)
        if described is not None and self._known.type(name) is None:
            return described.is_entity
        return isinstance(self._known.type(name), EntityType)

    # -- what a node is -------------------------------------------------------------------------

    def _is_cast(self, node: UrlNode) -> bool:
        found = self._types.find(node.name) if "." in node.name else None
        return found is not None and found.lower() == node.name.lower()

    def _is_operation(self, node: UrlNode) -> bool:
        """Whether a name is that of an action or a function: nothing is below it, or created."""
        if node.key is not None or node.children:
            return False
        if node.arguments is not None:
            return True
        methods = {each.method for each in node.documented}
        name = short_name(node.name).lower()
        titles = {each.page.title.lower() for each in node.documented}
        if methods not in ({"GET"}, {"POST"}):
            return False
        if any(":" in each or each.replace(" ", "") == name for each in titles):
            return True
        return methods == {"POST"} and not any(_creates(each) for each in node.documented)

    def _is_collection(self, node: UrlNode) -> bool:
        if node.key is not None or any(_creates(each) for each in node.documented):
            return True
        return any(
            each.example is not None and each.method == "GET" and _lists(each)
            for each in node.documented
        )

    def _type_of(self, node: UrlNode, is_many: bool) -> str:
        """The type of the entities at a node: what pages name, or one made of what they show."""
        every = [*node.documented, *(node.key.documented if node.key else ())]
        names = Counter(name for each in every for name in self._named_by(each))
        for name, _ in names.most_common():
            if self._types.as_entity(name):
                return name
        namespace = next((each.page.namespace for each in every if each.page.namespace), NAMESPACE)
        given = next((name for each in every if (name := _type_named(each))), "")
        made = given or f"{namespace}.{_singular(node.name) if is_many else node.name}"
        if self._known.type(made) is not None or not self._is_free(made):
            made = f"{made}Entity"
        return self._types.made(made, is_entity=True).name

    def _is_free(self, name: str) -> bool:
        described = self._types.types.get(name)
        return described is None or described.is_entity

    def _named_by(self, documented: Documented) -> Iterator[str]:
        example, page = documented.example, documented.page
        if example is not None:
            response = example.response
            if response is not None and response.type_name:
                yield from self._found(response.type_name, page.namespace)
            for body in (_answer(documented), _sent(documented)):
                for item in _items(body):
                    if isinstance(name := item.get("@odata.type"), str):
                        yield from self._found(name, page.namespace)
        if page.returns:
            yield from self._found("", page.namespace, page.returns)

    def _found(self, name: str, namespace: str, target: str = "") -> Iterator[str]:
        for each in (name, name.removesuffix("s")):
            found = self._types.find(each, namespace, target)
            if found is not None:
                yield found
                return

    def _absorb(self, documented: Documented, type_name: str) -> None:
        is_described = self._known.type(type_name) is not None or type_name in self._types.described
        sent = _sent(documented)
        for body in (_answer(documented), sent):
            for item in _items(body):
                own = type_name
                if isinstance(name := item.get("@odata.type"), str):
                    own = self._types.find(name.removeprefix("#")) or type_name
                self._types.absorb(own, item, is_described=is_described)
                if body is sent:
                    self._types.note_sent(own, item)

    # -- operations -----------------------------------------------------------------------------

    def _declare_operation(self, node: UrlNode, binding: TypeRef | None) -> None:
        if binding is not None and self._known.type(binding.name) is not None:
            of_collection = binding.collection
            if self._known.bound_operation(binding.name, node.name, of_collection=of_collection):
                return
        if node.key is not None or node.children or not node.documented:
            return
        namespace = namespace_of(binding.name) if binding else NAMESPACE
        name = node.name if "." in node.name else f"{namespace}.{node.name}"
        self._called.setdefault((name, binding), []).append(node)

    def _operation(self, name: str, binding: TypeRef | None, nodes: list[UrlNode]) -> Operation:
        """The operation of a name that is bound to one thing, by whatever paths it is called."""
        documented = [each for node in nodes for each in node.documented]
        is_function = any(each.method == "GET" for each in documented)
        kind: OperationKind = "function" if is_function else "action"
        arguments = dict.fromkeys(each for node in nodes for each in node.arguments or ())
        parameters = tuple(self._parameters(documented, name, arguments if is_function else None))
        if binding is not None:
            parameters = (Parameter(BINDING_PARAMETER, binding), *parameters)
        returned = (self._returns(each, name) for each in documented)
        returns = next(filter(None, returned), None)
        if binding is None:
            self._children.append(OperationImport(short_name(name), kind, name))
        permissions = _permissions(documented[0].page)
        if permissions:
            said = Annotation(f"{CAPABILITIES}OperationRestrictions", permissions)
            self._targets[name] = (said,)
        return Operation(name, kind, binding is not None, parameters, returns)

    def _parameters(
        self, several: Iterable[Documented], name: str, arguments: Iterable[str] | None
    ) -> Iterator[Parameter]:
        """The parameters that tables list and requests send; of a function, those of its URLs."""
        listed: dict[str, DocumentedProperty] = {}
        sent: dict[str, Json] = {}
        for documented in several:
            listed |= {each.name: each for each in documented.page.properties}
            body = _sent(documented)
            sent |= body if isinstance(body, dict) else {}
        described = self._types.made(f"{name}_parameters", is_entity=False)
        described.properties |= self._types.rows(listed.values(), namespace_of(name), name, sent)
        self._types.absorb(described.name, sent)
        known = described.properties
        for parameter in known if arguments is None else arguments:
            yield Parameter(parameter, known.get(parameter, TypeRef("Edm.String")))
        del self._types.types[described.name]

    def _returns(self, documented: Documented, operation: str) -> ReturnType | None:
        """Return the type that an operation returns, as one example of it shows."""
        example, body = documented.example, _answer(documented)
        if example is None or example.response is None or body is None:
            return None
        is_many = isinstance(body, dict) and isinstance(body.get("value"), list)
        for name in self._named_by(documented):
            return ReturnType(TypeRef(name, is_many))
        if isinstance(body, dict) and body.keys() - {"@odata.context"} == {"value"}:
            kind = self._types.shown_type(body["value"], "", "value")
            return ReturnType(kind)
        if not isinstance(body, dict):
            return ReturnType(TypeRef("Edm.Untyped"))
        made = self._types.made(_type_named(documented) or f"{operation}_result", is_entity=False)
        self._types.absorb(made.name, body)
        return ReturnType(TypeRef(made.name))

    # -- annotations ----------------------------------------------------------------------------

    def _annotate(self, node: UrlNode, path: str, *, is_new: bool) -> None:
        """Say of a new resource which permissions it needs, and that an update answers 204."""
        every = [*node.documented, *(node.key.documented if node.key else ())]
        found: dict[str, Annotation] = {}
        for each in every:
            response = each.example.response if each.example else None
            if each.method == "PATCH" and response is not None:
                term = f"{MOCKGRAPH}UpdateAnswers"
                sends = each.example is not None and each.example.request.header("prefer")
                if response.status in (200, 204) and not sends:
                    found.setdefault(term, Annotation(term, response.status))
            restriction = _RESTRICTIONS.get(each.method)
            permissions = _permissions(each.page) if is_new and restriction else None
            if permissions is not None:
                term = f"{CAPABILITIES}{restriction}"
                found.setdefault(term, Annotation(term, permissions))
        said = self._known.annotations(path) if not is_new else ()
        terms = {each.term for each in said}
        fresh = tuple(each for term, each in found.items() if term not in terms)
        if fresh:
            self._targets[path] = fresh


def _permissions(page: ReferencePage) -> Record | None:
    """The permissions of a page's table as a restriction states them, None where it names none."""
    names = dict.fromkeys(
        name for text in page.permissions.values() for name in permission_names(text)
    )
    if not names:
        return None
    scopes = tuple(Record((PropertyValue("Scope", name),)) for name in names)
    scheme = Record((PropertyValue("SchemeName", "any"), PropertyValue("Scopes", scopes)))
    return Record((PropertyValue("Permissions", (scheme,)),))


def _creates(documented: Documented) -> bool:
    """Whether an example, or the text where there is none, says that something is created."""
    if documented.method != "POST":
        return False
    response = documented.example.response if documented.example else None
    return 201 in documented.page.statuses if response is None else response.status == 201


def _lists(documented: Documented) -> bool:
    response = documented.example.response if documented.example else None
    body = _answer(documented)
    shown = isinstance(body, dict) and isinstance(body.get("value"), list)
    return shown or (response is not None and response.is_collection)


def _answer(documented: Documented) -> Json:
    """The body of the response, None where there is none or it cannot be read."""
    response = documented.example.response if documented.example else None
    if response is None or response.status >= 300:
        return None
    try:
        return response.unwrapped()
    except MockGraphError:
        return None


def _sent(documented: Documented) -> Json:
    try:
        return documented.example.request.json() if documented.example else None
    except MockGraphError:
        return None


def _items(body: Json) -> list[Mapping[str, Json]]:
    """The objects in a body: those of a collection, or itself."""
    if isinstance(body, dict) and isinstance(body.get("value"), list):
        body = body["value"]
    return [each for each in (body if isinstance(body, list) else [body]) if isinstance(each, dict)]


def _type_named(documented: Documented) -> str:
    """The qualified name of the type that the response is annotated with, empty without one."""
    response = documented.example.response if documented.example else None
    name = (response.type_name or "").removeprefix("#") if response else ""
    return name if name.count(".") > 1 and all(map(is_identifier, name.split("."))) else ""


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name[:-1] if name.endswith("s") and len(name) > 3 else name
