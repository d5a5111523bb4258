"""The answers of actions as types, from which the OpenAPI description takes what comes back.

An action returns one of them, or ``Annotated[Any, ...]`` of one where the value is made elsewhere.
A value may have members beyond those that are named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypedDict, TypeVar

T = TypeVar("T")

JsonObject = Mapping[str, Any]


class Listing(TypedDict, Generic[T]):
    """All that there are."""

    value: list[T]


class HealthAnswer(TypedDict):
    """The word that the server is ready, and its version."""

    status: str
    version: str


class NameAnswer(TypedDict):
    """The name of what was made."""

    name: str


class TimeAnswer(TypedDict):
    """The time of the clock, in ISO 8601."""

    now: str


class CompletedAnswer(TypedDict):
    """How many operations ended."""

    completed: int


class OperationAnswer(TypedDict):
    """An operation that goes on."""

    path: str
    status: str
    starts: str
    ends: str
    ending: str


class SetAnswer(TypedDict):
    """A set of the state."""

    set: str
    type: str
    count: int
    roots: list[str]


class KeyAnswer(TypedDict):
    """The key of an entity."""

    key: str


class EntityAnswer(KeyAnswer):
    """An entity with its key."""

    entity: JsonObject


class EntitiesAnswer(Listing[EntityAnswer]):
    """Entities of a set, and how many of it match."""

    count: int


class FaultAnswer(TypedDict):
    """A fault as it was asked for, and how often it struck."""

    id: str
    times: int | None
    struck: int


class StubAnswer(TypedDict):
    """A stub as it was asked for, and how many requests it answered."""

    id: str
    method: str | None
    path: str
    times: int | None
    answered: int


class ColumnAnswer(TypedDict):
    """A column of what a hunting query found."""

    name: str
    type: str


class HuntAnswer(TypedDict):
    """The columns and the rows that a hunting query found."""

    schema: list[ColumnAnswer]
    results: list[JsonObject]


class MisdeedAnswer(TypedDict):
    """A rule of Graph's guidance that a client broke, with two numbers of requests."""

    rule: str
    message: str
    hint: str
    request: int
    earlier: int
    method: str
    path: str


class ExchangeAnswer(TypedDict):
    """A request and its response; a status of 0 is that of none."""

    number: int
    at: str
    method: str
    path: str
    url: str
    query: JsonObject
    headers: Mapping[str, str]
    json: Any
    body: str | None
    status: int
    response: Any
    responseHeaders: Mapping[str, str]
    durationMs: float
    operation: str | None
    answeredBy: str
    faults: list[str]
    inBatch: bool
    requestId: str
    clientRequestId: str
    misdeeds: list[Any]
    nearest: list[str]
    replacement: JsonObject | None


class WholeExchangeAnswer(ExchangeAnswer):
    """A request and its response, and the request as a command of curl."""

    curl: str


class JournalAnswer(Listing[ExchangeAnswer]):
    """The journal, and how many older requests it has no more."""

    dropped: int


class VerifiedAnswer(Listing[int]):
    """The numbers of the requests that were made as expected, and how many these are."""

    count: int


class SkeletonAnswer(TypedDict):
    """A test's skeleton, as Python."""

    python: str


class ReportAnswer(TypedDict):
    """A report on the journal."""

    requests: int
    dropped: int
    covered: float
    coverage: list[JsonObject]
    permissions: list[JsonObject]
    misdeeds: list[JsonObject]
    advice: list[JsonObject]
    latencies: list[JsonObject]
    idleFaults: list[JsonObject]
    unemulated: list[str]


class TokenAnswer(TypedDict):
    """An access token."""

    access_token: str
