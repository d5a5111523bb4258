"""The pages of the console: all there, made of what there is, and nothing in them runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from mockgraph import MockGraph
from mockgraph.seeds import read_seeds

CONSOLE = "/_mockgraph/console"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ["", "/state", "/journal", "/faults", "/tenants", "/hunting", "/sign-in"]
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{7*7}}"
ALERTS = "security/alerts_v2"


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == status, path
    assert answer.content_type == "text/html; charset=utf-8"
    return answer.get_data(as_text=True)


def test_a_browser_gets_the_console_and_a_program_json(client: FlaskClient) -> None:
    assert "<h1>MockGraph is serving</h1>" in page(client, "/")
    assert client.get("/").is_json
    assert client.get("/", headers={"Accept": "*/*"}).is_json


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("prefix", ["", "/t/mine"])
def test_each_section_has_its_page(client: FlaskClient, prefix: str, path: str) -> None:
    text = page(client, f"{prefix}{CONSOLE}{path}")
    assert text.count('aria-current="page"') == 1
    assert f'href="{prefix}{CONSOLE}/journal"' in text
    for link in re.findall(r'(?:href|src)="(/[^"?#]*)', text):
        assert client.get(link, headers=HTML).status_code == 200, link


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(client: FlaskClient) -> None:
    for path in PAGES:
        answer = client.get(CONSOLE + path, headers=HTML)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        text = answer.get_data(as_text=True)
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", text)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_a_page_that_is_not_there_is_refused_as_a_page(client: FlaskClient) -> None:
    for path in ("/nowhere", "/journal/first", f"/{HOSTILE}"):
        text = page(client, CONSOLE + path, 404)
        assert "The console has no page" in text
        assert "aria-current" not in text
        assert f'href="{CONSOLE}"' in text
        assert "<script>alert" not in text
    assert "Did you mean journal?" in page(client, f"{CONSOLE}/journl", 404)


LINK = {**HTML, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


@pytest.mark.parametrize("prefix", ["", "/t/mine"])
@pytest.mark.parametrize("path", ["/", CONSOLE, f"{CONSOLE}/state", f"{CONSOLE}/nowhere"])
def test_a_link_of_another_site_is_refused_as_a_page(
    make_client: Callable[..., FlaskClient], prefix: str, path: str
) -> None:
    for token in (None, "sesame"):
        client = make_client(control_token=token)
        if path == "/" and token:
            continue  # it leads to the console, where the link is refused
        answer = client.get(prefix + path, headers=LINK)
        text = answer.get_data(as_text=True)
        assert answer.status_code == 403
        assert answer.content_type == "text/html; charset=utf-8"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "no link of another site" in text
        assert re.findall(r'<a href="([^"]*)"', text) == [f"{prefix}{CONSOLE}"]


@pytest.mark.parametrize(
    ("method", "path", "changed"),
    [
        ("GET", CONSOLE, {"Sec-Fetch-Mode": "no-cors"}),
        ("GET", CONSOLE, {"Accept": "*/*"}),
        ("GET", "/_mockgraph/state", {}),
        ("POST", "/_mockgraph/reset", {}),
    ],
)
def test_what_else_another_site_asks_is_refused_as_to_a_program(
    client: FlaskClient, method: str, path: str, changed: dict[str, str]
) -> None:
    answer = client.open(path, method=method, headers={**LINK, **changed})
    assert answer.status_code == 403
    assert answer.json is not None
    assert "another site" in answer.json["error"]["message"]


def test_a_misspelt_set_and_a_wrong_filter_say_why(client: FlaskClient) -> None:
    assert "security/alerts_v2" in page(client, f"{CONSOLE}/state/security/alert_v2", 400)
    text = unescape(page(client, f"{CONSOLE}/state/{ALERTS}?filter=severty eq 'high'"))
    assert 'role="alert"' in text
    assert "severty" in text


def test_entities_are_filtered_and_paged(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(seed=read_seeds("demo"))
    text = page(client, f"{CONSOLE}/state/{ALERTS}?filter=severity eq 'high'&orderby=title")
    assert "16 entities" in text
    every = page(client, f"{CONSOLE}/state/{ALERTS}")
    assert "1 to 25 shown" in every
    (following,) = re.findall(r'href="(\?[^"]*)">Next', every)
    assert "26 to 34 shown" in page(client, f"{CONSOLE}/state/{ALERTS}{unescape(following)}")


def test_what_a_client_can_set_is_shown_as_text(client: FlaskClient) -> None:
    key = "a<b>"
    seed = {"id": key, "title": HOSTILE}
    added = client.post("/_mockgraph/entities", json={"set": ALERTS, "properties": seed})
    assert added.status_code == 201
    client.get(
        f"/v1.0/{ALERTS}?$filter={HOSTILE}",
        headers={"X-Note": HOSTILE, "client-request-id": HOSTILE},
    )
    client.patch(f"/v1.0/{ALERTS}/{key}", json={"title": HOSTILE})
    client.post("/_mockgraph/stubs", json={"path": "/x", "text": HOSTILE})
    user = {"userPrincipalName": "ada@contoso.example", "displayName": HOSTILE}
    app = {"appId": "x", "displayName": HOSTILE, "redirectUris": [HOSTILE]}
    state: dict[str, Any] = client.get("/_mockgraph/state").get_json()
    state["Directory"] = {"users": [user], "apps": [app]}
    assert client.put("/_mockgraph/state", json=state).status_code == 204
    paths = [f"{CONSOLE}{each}" for each in PAGES]
    paths += [f"{CONSOLE}/journal/1", f"{CONSOLE}/journal/2", f"{CONSOLE}/state/{ALERTS}"]
    paths += [f"{CONSOLE}/entity/{ALERTS}?key=a%3Cb%3E"]
    paths += [f"{CONSOLE}/faults?preset={HOSTILE}&path={HOSTILE}"]
    shown = 0
    for path in paths:
        text = page(client, path)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "'49" not in text
        shown += "alert(1)" in text
    assert shown >= 6


def test_a_request_is_shown_whole_with_what_its_client_did_wrong(client: FlaskClient) -> None:
    client.post("/_mockgraph/faults", json={"preset": "throttle", "retry_after": 30})
    for _ in range(2):
        client.get(f"/v1.0/{ALERTS}?$top=1")
    text = unescape(page(client, f"{CONSOLE}/journal/2"))
    assert "retry-after-ignored" in text
    assert "Wait as many seconds as Retry-After says" in text
    assert f'href="{CONSOLE}/journal/1"' in text
    assert "curl 'http://localhost/v1.0/security/alerts_v2?$top=1'" in text
    assert "Bearer token" not in text
    page(client, f"{CONSOLE}/journal/3", 404)


def test_the_form_of_a_fault_is_that_of_its_declaration(client: FlaskClient) -> None:
    text = page(client, f"{CONSOLE}/faults?preset=quota&path=/security/incidents")
    assert 'value="/security/incidents"' in text
    for name in ("limit", "window"):
        assert re.search(rf'<input id="fault-quota-{name}" name="{name}"[^>]* required', text)
    assert re.search(r'<select id="fault-quota-per"', text)


def test_what_was_struck_is_counted(client: FlaskClient) -> None:
    client.post("/_mockgraph/faults", json={"preset": "throttle", "times": None})
    client.get(f"/v1.0/{ALERTS}")
    text = page(client, f"{CONSOLE}/faults")
    assert re.search(r'Fault 1: throttle.*?for ever</td><td class="number">1</td>', text, re.S)


def test_the_first_page_stays_small(make_client: Callable[..., FlaskClient]) -> None:
    alerts = [{"id": f"a{number}", "title": "x" * 200} for number in range(5000)]
    client = make_client(seed={"Security": {"alerts_v2": alerts}})
    assert "5000" in page(client, "/")
    for path in ("/", f"{CONSOLE}/state", f"{CONSOLE}/state/{ALERTS}"):
        assert len(page(client, path)) < 100_000


class TestBehindAToken:
    @pytest.fixture
    def guarded(self, make_client: Callable[..., FlaskClient]) -> FlaskClient:
        return make_client(control_token="s3cret")

    def test_a_browser_is_asked_for_it(self, guarded: FlaskClient) -> None:
        for path in ("/", CONSOLE, f"{CONSOLE}/journal"):
            answer = guarded.get(path, headers=HTML, follow_redirects=True)
            assert "asks for the control token" in answer.get_data(as_text=True)
            assert "alerts_v2" not in answer.get_data(as_text=True)

    def test_with_it_all_is_open(self, guarded: FlaskClient) -> None:
        refused = guarded.post(f"{CONSOLE}/token", data={"token": "other"})
        assert refused.status_code == 403
        opened = guarded.post(f"{CONSOLE}/token", data={"token": "s3cret"})
        assert (opened.status_code, opened.headers["Location"]) == (303, CONSOLE)
        cookie = opened.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "alerts_v2" in page(guarded, CONSOLE)
        assert guarded.get("/_mockgraph/state").status_code == 200

    def test_programs_send_it_as_before(self, guarded: FlaskClient) -> None:
        assert guarded.get("/_mockgraph/state").status_code == 401
        sent = {"x-mockgraph-token": "s3cret"}
        assert guarded.get("/_mockgraph/state", headers=sent).status_code == 200

    def test_over_a_socket(self) -> None:
        with MockGraph(control_token="s3cret") as graph, requests.Session() as browser:
            browser.headers["Accept"] = "text/html"
            form = f"{graph.origin}{CONSOLE}/token"
            opened = browser.post(form, data={"token": "s3cret"}, timeout=10)
            assert (opened.status_code, opened.url) == (200, f"{graph.origin}{CONSOLE}")
            assert "alerts_v2" in opened.text
