"""Actions on the journal: the requests, their verification, misdeeds, what is not emulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Unpack, cast

from mockgraph.control.actions import ActionContext, Actions
from mockgraph.errors import BadRequest, ExpectationFailed, MockGraphError
from mockgraph.testing.expectations import (
    Expectation,
    Expected,
    ExpectedValues,
    check_called,
)
from mockgraph.testing.police import misdeeds, rules

ACTIONS = Actions()

OptionValue = str | int | list[str] | None


@ACTIONS.get("/requests")
def list_requests(
    context: ActionContext,
    method: Annotated[str | None, "The method."] = None,
    path: Annotated[str | None, "A pattern of whole paths, /security/alerts/{id}."] = None,
    status: Annotated[int | None, "The status of the response."] = None,
    answered_by: Annotated[str | None, "emulation, fault, stub, sign-in, police or route."] = None,
    in_batch: Annotated[bool | None, "True for items of a batch, false for the others."] = None,
    limit: Annotated[int | None, "How many of the newest to return."] = None,
) -> Any:
    """Return the journal, oldest first."""
    requests = context.tenant.requests()
    found = requests.filter(method, path, status, answered_by=answered_by, in_batch=in_batch)
    newest = found if limit is None else found[max(len(found) - limit, 0) :]
    return {"value": [each.as_json() for each in newest], "dropped": requests.dropped}


@ACTIONS.delete("/requests")
def clear_requests(context: ActionContext) -> None:
    """Forget the journal."""
    context.tenant.journal.clear()


@ACTIONS.post("/verify", only_reads=True)
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
) -> Any:
    """Return the requests that were made as expected, or 417 with an explanation."""
    whole = cast("Expected", {**expected, "query": query, "headers": headers})
    expectation = Expectation(method, path, whole)
    try:
        found = check_called(context.tenant.requests(), expectation, times, at_least, at_most)
    except AssertionError as error:
        raise ExpectationFailed(str(error)) from None
    return {"count": len(found), "value": [each.number for each in found]}


@ACTIONS.get("/unemulated")
def list_unemulated(context: ActionContext) -> Any:
    """Return the requests that were neither emulated nor answered by a stub."""
    return {"value": [each.as_json() for each in context.tenant.requests().unemulated]}


@ACTIONS.get("/unmigrated")
def list_unmigrated(context: ActionContext) -> Any:
    """Return the requests of the legacy alerts, with what replaces each."""
    requests = context.tenant.requests()
    return {"value": [each.as_json() for each in requests if each.replacement is not None]}


@ACTIONS.get("/misdeeds")
def list_misdeeds(
    context: ActionContext, allow: Annotated[Sequence[str], "Rules that may be broken."] = ()
) -> Any:
    """Return what clients did that Graph's guidance tells them not to do."""
    try:
        allowed = rules([*allow, *context.tenant.allowed])
    except MockGraphError as error:
        raise BadRequest(f"allow: {error}") from None
    found = misdeeds(context.tenant.journal.requests())
    return {"value": [each.as_json() for each in found if each.rule not in allowed]}
