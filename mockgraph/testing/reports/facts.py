"""Facts of exchanges that a report is made of: JSON, which processes can send, and merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mockgraph.entra.authorization import permissions_for, permissions_for_query
from mockgraph.errors import GraphError
from mockgraph.metadata.vocabulary import Permission
from mockgraph.state.intent import Address, RequestKind
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.reports.guidance import advice
from mockgraph.testing.reports.least_privilege import APPLICATION, DELEGATED
from mockgraph.testing.reports.operation_templates import called, served_operations

if TYPE_CHECKING:
    from mockgraph.testing.tenant import Tenant

# ``operations`` by name: count, statuses, milliseconds, needs. ``served`` is the same for all.
Facts = dict[str, Any]
Options = Sequence[tuple[str, str]]

_DURATIONS = 1000  # that are kept of an operation


def facts_of(tenant: Tenant) -> Facts:
    """Return the facts of the requests to a tenant that its journal has."""
    exchanges = tenant.requests()
    by_exchange = {each.number: called(each) for each in exchanges}
    facts: Facts = {
        "requests": len(exchanges),
        "dropped": exchanges.dropped,
        "served": served_operations(tenant.state.service, tenant.state.behaviours),
        "operations": _operations(exchanges, by_exchange),
        "granted": _granted(exchanges),
        "advice": {},
        "misdeeds": {},
        "unemulated": sorted({f"{each.method} {each.path}" for each in exchanges.unemulated}),
        "idleFaults": [each.as_json() for each in tenant.faults if not each.struck],
    }
    for each in advice(exchanges, lambda exchange: by_exchange[exchange.number]):
        _count(facts["advice"], each.rule, each.operation, each.exchange.number)
    for exchange in exchanges:
        for misdeed in exchange.misdeeds:
            operation = by_exchange[exchange.number] or f"{exchange.method} {exchange.path}"
            _count(facts["misdeeds"], misdeed.rule, operation, exchange.number)
    return facts


def merged_facts(all_facts: Iterable[Facts]) -> Facts:
    """Return the facts of several tenants, or processes, together; empty without any."""
    total: Facts = {}
    for facts in all_facts:
        if not total:
            total = {**facts, "operations": {}, "granted": {}, "advice": {}, "misdeeds": {}}
            total |= {"requests": 0, "dropped": 0, "unemulated": [], "idleFaults": []}
        total["requests"] += facts["requests"]
        total["dropped"] += facts["dropped"]
        total["idleFaults"] = [*total["idleFaults"], *facts["idleFaults"]]
        total["unemulated"] = sorted({*total["unemulated"], *facts["unemulated"]})
        for name, more in facts["operations"].items():
            total["operations"][name] = _together(total["operations"].get(name), more)
        for kind, names in facts["granted"].items():
            total["granted"][kind] = sorted({*total["granted"].get(kind, ()), *names})
        for member in ("advice", "misdeeds"):
            for rule, places in facts[member].items():
                for place, (number, first) in places.items():
                    known = total[member].setdefault(rule, {})
                    before = known.get(place, [0, first])
                    known[place] = [before[0] + number, before[1]]
    return total


def _operations(
    exchanges: Sequence[Exchange], by_exchange: dict[int, str | None]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    known: dict[tuple[str, Options], dict[str, list[list[str]]]] = {}
    for each in exchanges:
        name = by_exchange[each.number]
        if name is None or each.answered_by == "sign-in":
            continue
        about = found.get(name)
        if about is None:
            needs: dict[str, list[list[str]]] = {DELEGATED: [], APPLICATION: []}
            about = found[name] = {"count": 0, "statuses": {}, "ms": [], "needs": needs}
        about["count"] += 1
        asked = (name, tuple(each.options))
        if asked not in known:
            known[asked] = _needs(each)
            _add_needs(about["needs"], known[asked])
        status = str(each.status)
        about["statuses"][status] = about["statuses"].get(status, 0) + 1
        if len(about["ms"]) < _DURATIONS:
            about["ms"].append(round(each.seconds * 1000, 3))
    return found


def _needs(exchange: Exchange) -> dict[str, list[list[str]]]:
    """Return the permissions of which one will do, of each list, by the kind of the token."""
    address = exchange.address
    if address is None or address.kind is RequestKind.BATCH:
        return {DELEGATED: [], APPLICATION: []}
    said = (*permissions_for(address), *_needs_of_query(address, exchange.options))
    return {
        DELEGATED: [_scopes(each, "delegated") for each in said],
        APPLICATION: [_scopes(each, "application") for each in said],
    }


def _needs_of_query(address: Address, options: Options) -> tuple[tuple[Permission, ...], ...]:
    """Return the permissions on what a request reaches by its query options alone."""
    if not options or not address.steps:
        return ()
    from mockgraph.odata.options import read_options  # not needed where nobody wants a report

    try:
        return permissions_for_query(read_options(options, address.type, resource=address.resource))
    except GraphError:  # the request was refused
        return ()


def _add_needs(needs: dict[str, list[list[str]]], more: dict[str, list[list[str]]]) -> None:
    for kind, choices in more.items():
        needs[kind] += [each for each in choices if each not in needs[kind]]


def _scopes(said: Sequence[Permission], scheme: str) -> list[str]:
    """Return the scopes of the schemes that a kind of token goes by: DelegatedWork, Application."""
    names = [(each.scheme.lower(), each.scopes) for each in said]
    return [
        one for name, scopes in names if name in ("any", "") or scheme in name for one in scopes
    ]


def _granted(exchanges: Iterable[Exchange]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for each in exchanges:
        if each.claims.permissions is not None:
            kind = DELEGATED if each.claims.delegated else APPLICATION
            found.setdefault(kind, set()).update(each.claims.permissions)
    return {kind: sorted(names) for kind, names in found.items()}


def _together(known: dict[str, Any] | None, more: dict[str, Any]) -> dict[str, Any]:
    if known is None:
        return more
    statuses = dict(known["statuses"])
    needs = {kind: [*choices] for kind, choices in known["needs"].items()}
    _add_needs(needs, more["needs"])
    for status, number in more["statuses"].items():
        statuses[status] = statuses.get(status, 0) + number
    return {
        **known,
        "count": known["count"] + more["count"],
        "statuses": statuses,
        "needs": needs,
        "ms": [*known["ms"], *more["ms"]][:_DURATIONS],
    }


def _count(into: dict[str, dict[str, list[int]]], rule: str, place: str, number: int) -> None:
    """Count a rule at a place, and keep the number of the first request that it was said of."""
    places = into.setdefault(rule, {})
    places.setdefault(place, [0, number])[0] += 1
