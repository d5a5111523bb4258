"""Made-up names in place of those of a real tenant, the same one for the same thing everywhere.

A text is replaced whole, by another of its look: an id by an id, an address by an address of a
range that no host has (RFC 2544, RFC 3849, RFC 2606). Members of enumerations,
instants, numbers and what the caller keeps stay as they are; secrets are left out.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import uuid
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final

from mockgraph import metadata as edm
from mockgraph.metadata.names import Json
from mockgraph.metadata.resources import Resource
from mockgraph.redaction import is_secret

# The names of properties whose texts are words of the service, and of no tenant.
KEPT: Final = frozenset(
    {
        "actionType",
        "basis",
        "category",
        "controlCategory",
        "implementationCost",
        "mitreTechniques",
        "osPlatform",
        "productName",
        "provider",
        "providerVersion",
        "service",
        "subProvider",
        "threats",
        "tier",
        "userImpact",
        "vendor",
    }
)
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX: Final = re.compile(r"[0-9a-fA-F]{16,128}")
_MAIL: Final = re.compile(r"[^@\s/:]+@[^@\s/:]+")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)
_DOMAIN: Final = re.compile(r"(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}")
_DIGITS: Final = re.compile(r"\d{1,18}")
_MEMBER_TYPE: Final = "@odata.type"


class Pseudonyms:
    """The made-up names of one capture; two captures have nothing in common.

    ``keep`` are the names of properties whose texts may stay, besides those that always may.
    """

    def __init__(self, keep: Iterable[str] = ()):
        self._keep = KEPT | set(keep)
        self._salt = secrets.token_bytes(16)
        self._made: dict[str, str] = {}
        self._taken: set[str] = set()

    def entity(self, resource: Resource, entity: Json) -> Json:
        """Return an entity, and the entities within it, under made-up names."""
        if not isinstance(entity, dict):
            return entity
        name = entity.get(_MEMBER_TYPE)
        schema = resource.view.schemas.find(name.removeprefix("#")) if name else None
        own = schema or resource.type
        children = resource.navigation_names(own.type_name)
        hidden: dict[str, Json] = {}
        for name, value in entity.items():
            child = children.get(name)
            if child is None:
                hidden |= self._member(own, name, value)
            elif isinstance(value, list):
                hidden[name] = [self.entity(child, each) for each in value]
            else:
                hidden[name] = self.entity(child, value)
        return hidden

    def _member(
        self, schema: type[edm.StructuredSchema], name: str, value: Json
    ) -> dict[str, Json]:
        """A member as it may be written: none for a secret."""
        if is_secret(name):
            return {}
        if name == _MEMBER_TYPE:
            return {name: value}
        return {name: self._value(schema.properties().get(name), name, value)}

    def _value(self, declared: edm.PropertyField | None, name: str, value: Json) -> Json:
        if isinstance(declared, edm.Collection):
            declared = declared.item
        if isinstance(value, list):
            return [self._value(declared, name, each) for each in value]
        if isinstance(value, dict):
            if isinstance(declared, edm.Complex):
                own = declared.schema.named_by(value)
                members = [self._member(own, each, item) for each, item in value.items()]
                return {each: item for member in members for each, item in member.items()}
            return {
                each: self._value(None, each, item)
                for each, item in value.items()
                if not is_secret(each)
            }
        is_text = declared is None or declared.edm in ("Edm.String", "Edm.Guid", "Edm.Binary")
        if not isinstance(value, str) or not is_text or isinstance(declared, edm.Enum):
            return value
        return self.text(value, name)

    def text(self, text: str, name: str = "") -> str:
        """Return the made-up name for a text; ``name`` is the property that has it."""
        if not text.strip() or name in self._keep:
            return text
        key = text.lower()
        if key not in self._made:
            for attempt in range(1000):
                made = self._make(text, name, attempt)
                if made.lower() not in self._taken and made.lower() != key:
                    break
            self._taken.add(made.lower())
            self._made[key] = made
        return self._made[key]

    def _make(self, text: str, name: str, attempt: int) -> str:
        digest = blake2b(f"{text.lower()} {attempt}".encode(), key=self._salt, digest_size=64)
        number = int.from_bytes(digest.digest()[:6], "big")
        for pattern, make in _LOOKS:
            if pattern.fullmatch(text):
                return make(text, digest.hexdigest(), number)
        if address := _address(text, number):
            return address
        if name == "id" or name.lower().endswith("id"):
            return f"id-{digest.hexdigest()[:16]}"
        if _DOMAIN.fullmatch(text):
            return f"host-{number % 10**6}.example"
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name or "text").capitalize()
        return f"{words} {number % 10**6}"


def _address(text: str, number: int) -> str:
    """An address that no host has in place of an IP address, empty where the text is none."""
    try:
        version = ipaddress.ip_address(text).version
    except ValueError:
        return ""
    if version == 6:
        return str(ipaddress.IPv6Address(0x20010DB8 << 96 | number))
    return str(ipaddress.IPv4Address(0xC6120000 + number % 2**17))


_LOOKS: Final[tuple[tuple[re.Pattern[str], Callable[[str, str, int], str]], ...]] = (
    (_GUID, lambda _, digest, __: str(uuid.UUID(digest[:32], version=4))),
    (_URL, lambda _, digest, __: f"https://contoso.example/{digest[:12]}"),
    (_MAIL, lambda _, __, number: f"person-{number % 10**6}@contoso.example"),
    (_DIGITS, lambda text, _, number: str(10**17 + number)[-len(text) :].replace("0", "1", 1)),
    (_HEX, lambda text, digest, _: digest[: len(text)]),
)
