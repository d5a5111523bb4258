"""Entities that a test adds: what it leaves unsaid is filled in as the service would have it.

Of the types that tests add most, ``fixtures/defaults.json`` says what they look like; of all
others the metadata does: a name, and whatever must not be null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import orjson

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.files import fixtures
from mockgraph.metadata.elements import short_name
from mockgraph.metadata.names import Json, Properties
from mockgraph.metadata.resources import Resource, View
from mockgraph.service import SINGLETON
from mockgraph.spelling import nearest
from mockgraph.state.entities import split_key

# The tenant that entities are of.
TENANT = "6a5f2b1c-0d1e-4f3a-9b8c-7d6e5f4a3b2c"
_BY_NAME: Mapping[str, Json] = {"tenantId": TENANT, "azureTenantId": TENANT}
_NAMES = ("displayName", "title", "name", "subject")
_STATES = ("status", "severity")
_TIMES = ("createdDateTime", "lastModifiedDateTime", "lastUpdateDateTime")
_UNTOLD = ("unknown", edm.UNKNOWN_MEMBER)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def set_at(view: View, path: str) -> tuple[Resource, str]:
    """Return the set at a path, and the key of the entity that its entities belong to.

    The path is as URLs have it below the root or below ``security``: ``alerts_v2``,
    ``cases/ediscoveryCases/c1/custodians``. Raise BadRequest where it leads to no set.
    """
    trimmed = path.strip("/")
    for each in (f"{SINGLETON}/{trimmed}", trimmed):
        found = view.locate(f"{each}/x")
        if found is not None and found[0].is_collection and found[1].endswith("x"):
            return found[0], split_key(found[1])[0]
    singleton = view.children[SINGLETON]
    sets = [each.name for each in singleton.children().values() if each.is_collection]
    near = nearest(trimmed, sets)
    hint = f" The nearest are {', '.join(near)}." if near else ""
    raise BadRequest(f"There is no set '{path[:200]}'.{hint}")


def completed(resource: Resource, properties: Properties, key: str, now: datetime) -> Properties:
    """Return the properties of a new entity with defaults for those that are not given.

    ``key`` is the id of one that brings none. Where the type of the set is abstract, the first
    that derives from it is taken, unless ``@odata.type`` says. Raise BadRequest for one that is
    none here.
    """
    given = dict(properties)
    if resource.type.is_abstract and "@odata.type" not in given:
        given["@odata.type"] = f"#{_heir(resource)}"
    schema = edm.own_type(resource.type, given)
    if edm.key_names(resource.type) == ("id",) and not given.get("id"):
        given["id"] = key
    now = _made_at(given) or now
    made = _generic(schema, now)
    for each in resource.view.model.chain(schema.type_name):
        made |= _filled(schema, _templates().get(each.name, {}), given, now)
    return {**made, **given}


def _made_at(given: Properties) -> datetime | None:
    """Return when an entity was made, where that is given; what led to it was before."""
    try:
        return datetime.fromisoformat(given["createdDateTime"]).astimezone(UTC)
    except (KeyError, OverflowError, TypeError, ValueError):
        return None


def _heir(resource: Resource) -> str:
    """Return the first type with values that derives from the abstract one of a set."""
    view = resource.view
    heirs = view.model.derived(resource.type_name)
    return next(each for each in heirs if not view.schemas[each].is_abstract)


@cache
def _templates() -> Mapping[str, Mapping[str, Json]]:
    found: Mapping[str, Mapping[str, Json]] = orjson.loads(
        (fixtures() / "defaults.json").read_bytes()
    )
    return found


def _filled(
    schema: type[edm.StructuredSchema],
    template: Mapping[str, Json],
    given: Properties,
    now: datetime,
) -> dict[str, Json]:
    """Return the values of a template: instants are seconds from now, texts may name others."""
    made: dict[str, Json] = {}
    for name, value in template.items():
        if isinstance(schema.properties().get(name), edm.DateTimeOffset):
            made[name] = _instant(now + timedelta(seconds=value))
        elif isinstance(value, str) and "{" in value:
            named = re.findall(r"\{(\w+)\}", value)
            if all(given.get(each) for each in named):
                made[name] = value.format_map(given)
        else:
            made[name] = value
    return made


def _generic(schema: type[edm.StructuredSchema], now: datetime) -> dict[str, Json]:
    """Return what any entity of a type has: a name, a state, and what must not be null."""
    made: dict[str, Json] = {}
    is_named = False
    for name, declared in schema.properties().items():
        if declared.computed:
            continue
        if name in _BY_NAME:
            made[name] = _BY_NAME[name]
        elif name in _NAMES and isinstance(declared, edm.String) and not is_named:
            made[name] = _words(schema.type_name)
            is_named = True
        elif name in _TIMES and isinstance(declared, edm.DateTimeOffset):
            made[name] = _instant(now)
        elif not declared.nullable or (name in _STATES and isinstance(declared, edm.Enum)):
            value = _least(declared, now)
            if value is not None:
                made[name] = value
    return made


def _least(declared: edm.PropertyField, now: datetime) -> Json:
    """Return the plainest value of a property, None where there is none to be thought of."""
    match declared:
        case edm.Enum():
            members = declared.values.members
            return next((each for each in members if each not in _UNTOLD), None)
        case edm.Boolean():
            return False
        case edm.Integer() | edm.Double():
            return 0
        case edm.DateTimeOffset():
            return _instant(now)
        case edm.Complex() if not declared.schema.is_abstract:
            return _generic(declared.schema, now)
        case _:
            return None


def _words(type_name: str) -> str:
    """Return the name of a type in words: ``Ediscovery case``."""
    words = _WORD.findall(short_name(type_name))
    return " ".join(words).lower().capitalize()


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
