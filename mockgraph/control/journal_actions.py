"""Actions on the journal: the requests, their verification, misdeeds, what is not emulated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Unpack, cast

from mockgraph.control.actions import ActionContext, Actions, EventStream
from mockgraph.control.answers import (
    ExchangeAnswer,
    JournalAnswer,
    JsonObject,
    Listing,
    MisdeedAnswer,
    ReportAnswer,
    SkeletonAnswer,
    VerifiedAnswer,
    WholeExchangeAnswer,
)
from mockgraph.errors import BadRequest, ExpectationFailed, MockGraphError, NotFound
from mockgraph.testing.curl import as_curl
from mockgraph.testing.expectations import (
    Expectation,
    Expected,
    ExpectedValues,
    check_called,
)
from mockgraph.testing.police import misdeeds, rules, with_misdeeds
from mockgraph.testing.skeletons import skeleton

ACTIONS = Actions()

_INTERVAL = 0.04  # seconds between looks at the journal
_REVIEWED = 300  # of the last requests, which those to come are judged by
_SILENCE = 250  # looks after which a comment shows whether the client is still there

OptionValue = str | int | list[str] | None


@ACTIONS.get("/requests", command="requests list")
def list_requests(
    context: ActionContext,
    method: Annotated[str | None, "The method."] = None,
    path: Annotated[str | None, "A pattern of whole paths, /security/alerts/{id}."] = None,
    status: Annotated[int | None, "The status of the response."] = None,
    answered_by: Annotated[str | None, "emulation, fault, stub, sign-in, police or route."] = None,
    in_batch: Annotated[bool | None, "True for items of a batch, false for the others."] = None,
    limit: Annotated[int | None, "How many of the newest to return."] = None,
) -> Annotated[Any, JournalAnswer]:
    """Return the journal, oldest first."""
    requests = context.tenant.requests()
    found = requests.filter(method, path, status, answered_by=answered_by, in_batch=in_batch)
    newest = found if limit is None else found[max(len(found) - limit, 0) :]
    return {"value": [each.as_json() for each in newest], "dropped": requests.dropped}


@ACTIONS.get("/requests/{number}", command="requests show")
def read_request(
    context: ActionContext, number: Annotated[str, "The number of the request."]
) -> Annotated[Any, WholeExchangeAnswer]:
    """Return a request and its response, whole, with misdeeds, and as a command of curl."""
    requests = context.tenant.requests()
    found = next((each for each in requests if str(each.number) == number), None)
    if found is None:
        raise NotFound(f"The journal has no request {number[:20]}.")
    shown = {**found.as_json(), "misdeeds": [each.as_json() for each in found.misdeeds]}
    return {**shown, "curl": as_curl(found, context.origin)}


@ACTIONS.get("/requests/events", command="requests follow")
def follow_requests(
    context: ActionContext,
    after: Annotated[int | None, "The last request that is known; by default the newest."] = None,
) -> EventStream:
    """Tell of each request as it is recorded, by server-sent events: request, or cleared."""
    return EventStream(_told(context, after))


@ACTIONS.delete("/requests", command="requests clear")
def clear_requests(context: ActionContext) -> None:
    """Forget the journal."""
    context.tenant.journal.clear()


@ACTIONS.post("/verify", only_reads=True, command="verify")
def verify(
    context: ActionContext,
    path: Annotated[str, "A pattern of whole paths, /security/alerts/{id}."],
    method: Annotated[str | None, "The method; any if left out."] = None,
    query: Annotated[
        Mapping[str, OptionValue] | None, "Query options; null for one that is not there."
    ] = None,
    headers: Annotated[
        Mapping[str, str | None] | None, "Headers; null for one that is not there."
    ] = None,
    times: Annotated[int | None, "How many such requests there are, exactly."] = None,
    at_least: Annotated[int, "How many such requests there are at least."] = 1,
    at_most: Annotated[int | None, "How many such requests there are at most."] = None,
    **expected: Unpack[ExpectedValues],
) -> VerifiedAnswer:
    """Return the requests that were made as expected, or 417 with an explanation."""
    whole = cast("Expected", {**expected, "query": query, "headers": headers})
    expectation = Expectation(method, path, whole)
    try:
        found = check_called(context.tenant.requests(), expectation, times, at_least, at_most)
    except AssertionError as error:
        raise ExpectationFailed(str(error)) from None
    return {"count": len(found), "value": [each.number for each in found]}


@ACTIONS.get("/report", command="report")
def read_report(
    context: ActionContext,
    all_tenants: Annotated[bool, "On every tenant of the server, not on one."] = False,
    facts: Annotated[bool, "What a report is made of, to be merged with that of others."] = False,
) -> Annotated[Any, ReportAnswer | JsonObject]:
    """Return a report on the journal: operations, permissions, guidance, latencies."""
    from mockgraph.testing.reports import Report, facts_of, merged_facts

    tenants = [context.tenant]
    if all_tenants:
        tenants = [context.tenants.default, *context.tenants]
    found = merged_facts(facts_of(each) for each in tenants)
    return found if facts else Report(found).as_json()


@ACTIONS.get("/skeleton", command="skeleton")
def write_test(context: ActionContext) -> SkeletonAnswer:
    """Return a test's skeleton for pytest, with the faults in force and what was asked so far."""
    faults = [each.as_json() for each in context.tenant.faults]
    return {"python": skeleton(context.tenant.requests(), faults)}


@ACTIONS.get("/unemulated", command="unemulated")
def list_unemulated(context: ActionContext) -> Annotated[Any, Listing[ExchangeAnswer]]:
    """Return the requests that were neither emulated nor answered by a stub."""
    return {"value": [each.as_json() for each in context.tenant.requests().unemulated]}


@ACTIONS.get("/unmigrated", command="unmigrated")
def list_unmigrated(context: ActionContext) -> Annotated[Any, Listing[ExchangeAnswer]]:
    """Return the requests of the legacy alerts, with what replaces each."""
    requests = context.tenant.requests()
    return {"value": [each.as_json() for each in requests if each.replacement is not None]}


@ACTIONS.get("/misdeeds", command="misdeeds")
def list_misdeeds(
    context: ActionContext, allow: Annotated[Sequence[str], "Rules that may be broken."] = ()
) -> Annotated[Any, Listing[MisdeedAnswer]]:
    """Return what clients did that Graph's guidance tells them not to do."""
    try:
        allowed = rules([*allow, *context.tenant.allowed])
    except MockGraphError as error:
        raise BadRequest(f"allow: {error}") from None
    found = misdeeds(context.tenant.journal.requests())
    return {"value": [each.as_json() for each in found if each.rule not in allowed]}


def _told(context: ActionContext, after: int | None) -> Iterator[tuple[str, Any] | None]:
    """Give the requests that are recorded from now on, and None where the client is looked for."""
    journal = context.tenant.journal
    clears, count = journal.marks
    seen = count if after is None else after
    silent = 0
    while not context.sleep(_INTERVAL):
        marks = journal.marks
        silent += 1
        if marks == (clears, seen):
            if silent >= _SILENCE:
                silent = 0
                yield None
            continue
        silent = 0
        if marks[0] != clears:
            clears, seen = marks[0], 0
            yield "cleared", {}
        for each in with_misdeeds(journal.requests()[-_REVIEWED:]):
            if each.number > seen:
                seen = each.number
                yield "request", each.summary()
