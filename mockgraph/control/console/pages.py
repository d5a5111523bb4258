"""The pages of the console: what each shows of a tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Any, cast
from urllib.parse import urlencode

import flask
import orjson
from flask import Blueprint

from mockgraph import metadata as edm
from mockgraph.control import CONSOLE, PREFIX, guard
from mockgraph.control.actions import ActionContext
from mockgraph.control.answers import EntitiesAnswer
from mockgraph.control.catalogue import named
from mockgraph.control.console.forms import ActionForm, forms, preset_forms
from mockgraph.control.console.snippets import snippets
from mockgraph.control.entity_actions import (
    list_entities,
    list_sets,
    read_entity,
    resource_named,
    roots_of,
)
from mockgraph.errors import ConsoleLinkRefused, GraphError, NotFound
from mockgraph.http import Request
from mockgraph.metadata.resources import Resource
from mockgraph.server_options import Settings
from mockgraph.spelling import suggestion
from mockgraph.state.query import MAX_INT32
from mockgraph.testing.curl import as_curl
from mockgraph.testing.exchange import Exchange
from mockgraph.testing.nearest_names import with_meant_properties
from mockgraph.testing.reports import Report, facts_of

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECTIONS = (
    ("", "Overview"),
    ("/state", "State"),
    ("/journal", "Journal"),
    ("/faults", "Faults and stubs"),
    ("/tenants", "Clock, snapshots, tenants"),
    ("/hunting", "Hunting"),
    ("/sign-in", "Sign-in"),
    ("/reports", "Report"),
)
_ROOTS = {
    "localtest": "As its reference pages document it",
    "v1.0": "What today's clients ask",
    "beta": "What is not in v1.0 yet",
}
_AUTH = {
    "any": "A bearer token must be sent, and any will do.",
    "off": "The Authorization header is not looked at.",
    "jwt": "Tokens have to be issued by this server's sign-in, and their permissions count.",
}
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_SIZE = 25  # entities of a page
_LINES = 100  # of the journal
_TENANTS = 200
_BODY = 200_000  # characters of a body that is shown
_CELL = 80
_COLUMNS = 5
# Of the properties of a type, those that tell most of an entity.
_TELLING = (
    *("displayName", "title", "name", "userPrincipalName", "severity", "status"),
    *("classification", "assignedTo", "createdDateTime", "lastUpdateDateTime", "provider"),
)
_QUERY = "AlertInfo\n| summarize count() by Severity, ServiceSource\n| order by count_ desc"


class Console:
    """The views of the console, each given what its request is about."""

    def __init__(self, settings: Settings, context_of: Callable[[Request], ActionContext]):
        self._settings = settings
        self._context_of = context_of
        self._names: list[str] = []  # of the pages without a parameter

    def register(self, plane: Blueprint) -> None:
        """Add the pages to a blueprint."""
        views: dict[str, Callable[..., str]] = {
            "": self.overview,
            "/state": self.state,
            "/state/<path:name>": self.set,
            "/entity/<path:name>": self.entity,
            "/new/<path:name>": self.new_entity,
            "/journal": self.journal,
            "/journal/<int:number>": self.exchange,
            "/faults": self.faults,
            "/tenants": self.tenants,
            "/hunting": self.hunting,
            "/sign-in": self.sign_in,
            "/reports": self.reports,
            "/<path:name>": self.no_page,
        }
        self._names = [path[1:] for path in views if path and "<" not in path]
        for path, view in views.items():
            plane.add_url_rule(CONSOLE + path, f"console{path}", self._page(view), methods=["GET"])
        plane.add_url_rule(f"{CONSOLE}/token", "console/token", self.token, methods=["GET", "POST"])
        plane.add_url_rule(f"{CONSOLE}/static/<path:name>", "console/static", _static)

    def open(self) -> flask.Response:
        """Answer with the first page, once the caller is known to be let in."""
        return self._page(self.overview)()

    def _page(self, view: Callable[..., str]) -> Callable[..., flask.Response]:
        def answer(**in_path: Any) -> flask.Response:
            status = 200
            try:
                text = view(self._context_of(cast("Request", flask.request)), **in_path)
            except GraphError as error:
                status = error.status
                text = self._render("error", "/error", status=status, message=error.message)
            return _html(text, status)

        return answer

    def _render(self, template: str, section: str, **values: Any) -> str:
        prefix = flask.request.script_root
        return flask.render_template(
            f"console/{template}.html",
            section=section,
            sections=_SECTIONS,
            control=prefix + PREFIX,
            pages=prefix + CONSOLE,
            static=lambda name: f"{prefix}{CONSOLE}/static/{name}",
            tenant=flask.request.environ["mockgraph.tenant"],
            forms=_forms(),
            **values,
        )

    # -- pages ----------------------------------------------------------------------------------

    def overview(self, context: ActionContext) -> str:
        """Return the page of what is served, and how a client is pointed at it."""
        views = context.tenant.state.service.views.values()
        roots = [
            {
                "name": view.name,
                "url": f"{context.origin}/{view.name}",
                "told": _ROOTS.get(view.name, "Another root of the metadata"),
            }
            for view in views
        ]
        return self._render(
            "overview",
            "",
            roots=roots,
            auth=_AUTH[self._settings.auth],
            snippets=snippets(f"{context.origin}/v1.0", self._settings.auth),
            sets=list_sets(context)["value"],
        )

    def state(self, context: ActionContext) -> str:
        """Return the page of the sets."""
        every = flask.request.args.get("every") == "true"
        return self._render("state", "/state", sets=list_sets(context, every)["value"])

    def set(self, context: ActionContext, name: str) -> str:
        """Return the page of the entities of a set, filtered as a client would."""
        resource = resource_named(context.tenant.state, name)
        names = ("filter", "orderby", "search")
        asked = {each: flask.request.args.get(each, "").strip() for each in names}
        skip = min(max(0, flask.request.args.get("skip", 0, int)), MAX_INT32)
        error, found = "", EntitiesAnswer(value=[], count=0)
        try:
            found = list_entities(context, resource.path, top=_SIZE, skip=skip, **asked)
        except GraphError as refusal:
            error = with_meant_properties(refusal.message, resource.view)
        given = {name: text for name, text in asked.items() if text}
        return self._render(
            "set",
            "/state",
            set=resource.path,
            type=resource.type_name,
            roots=[each.name for each in roots_of(context.tenant.state, resource)],
            asked=asked,
            error=error,
            shown=found["value"],
            count=found["count"],
            skip=skip,
            size=_SIZE,
            columns=_columns(resource),
            example=_example(resource),
            cell=_cell,
            page=lambda skip: urlencode({**given, "skip": max(0, skip)}),
        )

    def entity(self, context: ActionContext, name: str) -> str:
        """Return the page on which an entity is changed."""
        resource = resource_named(context.tenant.state, name)
        key = flask.request.args.get("key", "")
        entity = read_entity(context, resource.path, key)
        urls = [
            f"{context.origin}/{view.name}/{view_resource.url(key)}"
            for view in roots_of(context.tenant.state, resource)
            if (view_resource := view.resource(resource.path)) is not None
        ]
        return self._entity_page(resource, key, entity, urls)

    def new_entity(self, context: ActionContext, name: str) -> str:
        """Return the page on which an entity is added."""
        return self._entity_page(resource_named(context.tenant.state, name), "", {}, [])

    def _entity_page(
        self, resource: Resource, key: str, entity: Mapping[str, Any], urls: list[str]
    ) -> str:
        fixed = {"set": resource.path, **({"key": key} if key else {})}
        return self._render(
            "entity",
            "/state",
            set=resource.path,
            type=resource.type_name,
            key=key,
            urls=urls,
            fixed=orjson.dumps(fixed).decode(),
            member="entity" if key else "properties",
            remove=f"/entity?{urlencode(fixed)}",
            document=orjson.dumps(dict(entity), option=orjson.OPT_INDENT_2).decode(),
            properties=_properties(resource),
        )

    def journal(self, context: ActionContext) -> str:
        """Return the page of the requests, which goes on by itself."""
        requests = context.tenant.requests()
        last = requests.last
        return self._render(
            "journal",
            "/journal",
            requests=list(requests)[: -_LINES - 1 : -1],
            after=last.number if last else 0,
            older=max(0, len(requests) - _LINES) + requests.dropped,
        )

    def exchange(self, context: ActionContext, number: int) -> str:
        """Return the page of one request, whole."""
        found = next((each for each in context.tenant.requests() if each.number == number), None)
        if found is None:
            raise NotFound(f"The journal has no request {number} any more.")
        return self._render(
            "exchange",
            "/journal",
            each=found,
            body=_body(found.body),
            response=_body(found.response_body),
            curl=as_curl(found, context.origin),
            suggest=_suggested(found),
        )

    def faults(self, context: ActionContext) -> str:
        """Return the page of faults and stubs: those in force, and forms for new ones."""
        tenant = context.tenant
        given = flask.request.args.to_dict()
        presets = preset_forms(named("add_fault"), given)
        chosen = next((each for each in presets if each.title == given.get("preset")), presets[0])
        faults = [each.as_json() for each in tenant.faults]
        stubs = [each.as_json() for each in tenant.stubs]
        return self._render(
            "faults",
            "/faults",
            faults=faults,
            stubs=stubs,
            in_force=[*(("Fault", each) for each in faults), *(("Stub", each) for each in stubs)],
            presets=presets,
            chosen=chosen.title,
            preset=chosen,
            told=_told,
        )

    def tenants(self, context: ActionContext) -> str:
        """Return the page of the clock, the snapshots and the tenants."""
        named = list(context.tenants)
        prefix, own = flask.request.script_root, context.tenant.prefix
        return self._render(
            "tenants",
            "/tenants",
            clock=context.tenant.state.clock,
            tenants=named[:_TENANTS],
            more_tenants=max(0, len(named) - _TENANTS),
            default_count=len(context.tenants.default.requests()),
            top=prefix.removesuffix(own),
        )

    def hunting(self, _: ActionContext) -> str:
        """Return the page of a hunting query and what it finds."""
        from mockgraph.service.hunting.schema import schema

        return self._render("hunting", "/hunting", query=_QUERY, tables=sorted(schema()))

    def sign_in(self, context: ActionContext) -> str:
        """Return the page of who may sign in, and of tokens."""
        directory = context.tenant.entra.directory
        return self._render(
            "sign_in",
            "/sign-in",
            mode=_AUTH[self._settings.auth],
            authority=f"{context.origin}/{directory.home}",
            apps=None if directory.apps is None else list(directory.apps.values()),
            users=None if directory.users is None else list(directory.users.values()),
        )

    def reports(self, context: ActionContext) -> str:
        """Return the page of the report on the journal."""
        report = Report(facts_of(context.tenant))
        return self._render("reports", "/reports", report=report, told=_told)

    def no_page(self, _: ActionContext, name: str) -> str:
        """Refuse the path of a page that the console has not."""
        near = suggestion(name, self._names)
        raise NotFound(f"The console has no page {name[:200]}.{near}")

    def token(self) -> flask.Response:
        """Take the control token, and keep it in a cookie for the console."""
        request = cast("Request", flask.request)
        prefix = request.script_root
        error = ""
        if request.method == "POST":
            given = request.form.get("token", "")
            if guard.is_token(given, self._settings.control_token):
                answer = flask.redirect(prefix + CONSOLE, 303)
                answer.set_cookie(
                    guard.COOKIE, given, httponly=True, samesite="Strict", path=prefix + PREFIX
                )
                return cast("flask.Response", answer)
            error = "This is not the token."
        return _html(_plain_page("token", error=error), 403 if error else 200)

    def refuse_link(self, refusal: ConsoleLinkRefused) -> flask.Response:
        """Answer a person who has come by a link of another site: why not, and how to go on."""
        return _html(_plain_page("link"), refusal.status)


def _plain_page(template: str, **values: Any) -> str:
    """Return a page that shows nothing of the state, for who is not let in yet."""
    pages = flask.request.script_root + CONSOLE
    return flask.render_template(
        f"console/{template}.html",
        pages=pages,
        static=lambda name: f"{pages}/static/{name}",
        **values,
    )


def _html(text: str, status: int) -> flask.Response:
    answer = flask.Response(text, status, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Vary"] = "Accept"
    return answer


def _static(name: str) -> flask.Response:
    found = _static_files().get(name)
    if found is None:
        raise NotFound
    answer = flask.Response(found, content_type=_TYPES[name.rpartition(".")[2]])
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@cache
def _static_files() -> Mapping[str, bytes]:
    folder = resources.files(__package__).joinpath("static")
    return {each.name: each.read_bytes() for each in folder.iterdir()}


@cache
def _forms() -> dict[str, ActionForm]:
    return forms()


def _columns(resource: Resource) -> list[str]:
    """Return the names of the properties that a table of entities shows."""
    names = resource.type.properties()
    telling = [name for name in _TELLING if name in names]
    others = [name for name in names if name != "id" and name not in telling]
    return [*telling, *others][:_COLUMNS]


def _example(resource: Resource) -> str:
    for each in _properties(resource):
        if each["members"]:
            return f"{each['name']} eq '{each['members'][0]}'"
    return "id eq '1'"


def _properties(resource: Resource) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": each.type_name, "members": _members(each)}
        for name, each in resource.type.properties().items()
    ]


def _members(declared: edm.PropertyField) -> list[str]:
    item = declared.item if isinstance(declared, edm.Collection) else declared
    return list(item.values.members) if isinstance(item, edm.Enum) else []


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"


def _body(data: bytes) -> str:
    """Return a body as a person reads it: JSON with indents, of a long one the beginning."""
    text = data.decode(errors="replace")
    with suppress(orjson.JSONDecodeError, orjson.JSONEncodeError):
        text = orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2).decode()
    return text if len(text) <= _BODY else f"{text[:_BODY]}\n… ({len(text)} characters)"


def _told(each: Mapping[str, Any]) -> str:
    """Return which requests a fault or a stub is for, and what it was asked to do."""
    left_out = {"id", "preset", "times", "struck", "answered"}
    parts = (
        f"{name}={_cell(value)}"
        for name, value in each.items()
        if name not in left_out and value is not None
    )
    return " ".join(parts)


def _suggested(exchange: Exchange) -> dict[str, str] | None:
    """Return what the form of a fault begins with for requests like this one."""
    if exchange.answered_by == "sign-in":
        return None
    return {"preset": "throttle", "method": exchange.method, "path": exchange.below}
