"""What may be the key of an entity: what a URL can say."""

from __future__ import annotations

from mockgraph import metadata as edm
from mockgraph.errors import BadRequest
from mockgraph.metadata.declarations import EntitySet, Resource


def check_key(key: str, resource: Resource, path: str = "") -> None:
    """Raises 400 where a URL with the key would lead elsewhere or nowhere."""
    where = f"{path}/id" if path else "id"
    if "/" in key or key.startswith("$") or not key.isprintable() or len(key) > 512:
        raise BadRequest(
            f"{where}: A key is at most 512 printable characters, without "
            "'/' and with no '$' in front."
        )
    actions = resource.actions if isinstance(resource, EntitySet) else ()
    names = {action.name.lower() for action in actions if not action.on_entity}
    if key in (".", "..") or key.lower().removeprefix(f"{edm.NAMESPACE}.") in names:
        raise BadRequest(f"{where}: '{key}' means something else in a URL.")
