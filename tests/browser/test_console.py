"""The console as a person uses it who has read nothing, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from mockgraph import MockGraph

from . import shoot

pytestmark = pytest.mark.long

AUTH = {"Authorization": "Bearer anything"}
CONSOLE = "/_mockgraph/console"
PAGES = ["", "/state", "/state/security/alerts_v2", "/new/security/alerts_v2", "/journal"]
PAGES += ["/faults", "/tenants", "/hunting", "/sign-in", "/reports", "/nowhere"]
HOSTILE = (
    "</td><script>document.title='struck'</script><img src=x onerror=\"document.title='struck'\">"
)


def client_asks(graph: MockGraph, path: str = "/security/alerts_v2?$top=2") -> int:
    """The program of the user, which does not wait as it is told."""
    return requests.get(f"{graph.v1}{path}", headers=AUTH, timeout=10).status_code


def test_a_new_user_finds_the_way(page: Any, graph: MockGraph) -> None:
    # Find out what is served, and how a client is pointed at it.
    page.goto("/")
    assert page.get_by_role("rowheader", name="v1.0").is_visible()
    assert graph.v1 in page.get_by_role("tabpanel").inner_text()
    page.get_by_role("tab", name="JavaScript").click()
    assert "fetch(" in page.get_by_role("tabpanel").inner_text()
    shoot(page, "console-overview")

    # Make an alert.
    page.get_by_role("link", name="security/alerts_v2").click()
    page.get_by_role("link", name="Add an entity").click()
    page.get_by_label("Properties, as JSON").fill(
        '{"title": "Made in the console", "severity": "hihg"}'
    )
    page.get_by_role("button", name="Add").click()
    page.get_by_text("is not a member of").wait_for()
    page.get_by_label("Properties, as JSON").fill(
        '{"title": "Made in the console", "severity": "high"}'
    )
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Save").wait_for()
    url = f"{graph.v1}/security/alerts_v2?$filter=title eq 'Made in the console'"
    found = requests.get(url, headers=AUTH, timeout=10).json()["value"]
    assert [each["severity"] for each in found] == ["high"]

    # See the client's request, as it comes.
    page.get_by_role("link", name="Journal").click()
    page.get_by_text("Live").wait_for()
    assert client_asks(graph) == 200
    page.get_by_role("link", name="Request 2").click()
    page.get_by_role("heading", name="2: GET /v1.0/security/alerts_v2").wait_for()
    assert "curl" in page.get_by_label("As a command of curl").inner_text()

    # Throttle the next one.
    page.get_by_role("link", name="Add a fault for /security/alerts_v2").click()
    page.get_by_label("Retry after").fill("30")
    page.get_by_role("button", name="Put it in force").click()
    page.get_by_text("In force.").first.wait_for()
    page.get_by_role("rowheader", name="Fault 1: throttle").wait_for()
    shoot(page, "console-faults")

    # Read why it was retried too early.
    page.get_by_role("link", name="Journal").first.click()
    page.get_by_text("Live").wait_for()
    assert [client_asks(graph), client_asks(graph)] == [429, 200]
    page.get_by_text("retry-after-ignored").wait_for()
    shoot(page, "console-journal")
    page.get_by_role("link", name="Request 4").click()
    told = page.get_by_role("region", name="Misdeeds")
    told.get_by_text("before the time that Retry-After gave had passed").wait_for()
    assert "Wait as many seconds as Retry-After says" in told.inner_text()
    shoot(page, "console-misdeed")


def test_an_entity_is_changed_and_deleted(page: Any, graph: MockGraph) -> None:
    page.goto(f"{CONSOLE}/state/security/incidents")
    page.get_by_label("$filter").fill("severity eq 'high'")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("rowheader").first.get_by_role("link").click()
    document = page.get_by_label("Properties, as JSON")
    key = page.get_by_role("heading", level=1).inner_text()
    document.fill(document.input_value().replace('"displayName": "', '"displayName": "Now '))
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    shown = requests.get(f"{graph.v1}/security/incidents/{key}", headers=AUTH, timeout=10).json()
    assert shown["displayName"].startswith("Now ")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/state/security/incidents")
    gone = requests.get(f"{graph.v1}/security/incidents/{key}", headers=AUTH, timeout=10)
    assert gone.status_code == 404


def test_what_each_fault_struck_is_seen_as_it_happens(page: Any, graph: MockGraph) -> None:
    graph.faults.unavailable(times=None, path="/security/incidents")
    page.goto(f"{CONSOLE}/faults")
    row = page.get_by_role("row", name="Fault 1: unavailable")
    assert row.get_by_role("cell", name="0", exact=True).is_visible()
    client_asks(graph, "/security/incidents")
    row.get_by_role("cell", name="1", exact=True).wait_for()
    page.get_by_label("What goes wrong").select_option("quota")
    page.get_by_label("Limit").fill("many")
    page.get_by_label("Window").fill("60")
    page.get_by_role("button", name="Put it in force").click()
    page.get_by_text("limit: Give a whole number.").wait_for()
    page.get_by_label("Limit").fill("2")
    page.get_by_role("button", name="Put it in force").click()
    page.get_by_role("rowheader", name="Fault 2: quota").wait_for()
    page.get_by_role("button", name="Remove fault 1").click()
    page.get_by_role("rowheader", name="Fault 1: unavailable").wait_for(state="detached")
    assert [each.id for each in graph.faults] == ["2"]


def test_clock_snapshots_and_tenants(page: Any, graph: MockGraph) -> None:
    graph.tenant("team-a")
    page.goto(f"{CONSOLE}/tenants")
    page.get_by_label("At").fill("2026-01-01T00:00:00Z")
    page.get_by_role("button", name="Freeze").click()
    page.get_by_text("2026-01-01T00:00:00.000000Z").wait_for()
    page.get_by_label("Seconds").fill("90")
    page.get_by_role("button", name="Advance").click()
    page.get_by_text("2026-01-01T00:01:30.000000Z").wait_for()
    page.get_by_label("Name").fill("before")
    page.get_by_role("button", name="Take a snapshot").click()
    page.get_by_role("button", name="Restore before").wait_for()
    assert graph.snapshots == ["before"]
    page.get_by_role("link", name="team-a").click()
    page.get_by_text("Tenant team-a").wait_for()


def test_a_hunt(page: Any) -> None:
    pytest.importorskip("duckdb")
    page.goto(f"{CONSOLE}/hunting")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("columnheader", name="Severity").wait_for()
    shoot(page, "console-hunting")
    page.get_by_label("Query").fill("NoSuchTable | count")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Failed to resolve table").wait_for()
    assert page.get_by_role("table").count() == 0


def test_markup_in_whatever_a_client_sends_shows_as_text(page: Any, graph: MockGraph) -> None:
    page.goto(f"{CONSOLE}/journal")
    page.get_by_text("Live").wait_for()
    requests.get(
        f"{graph.v1}/security/alerts_v2?$filter={HOSTILE}",
        headers={**AUTH, "X-Note": HOSTILE, "client-request-id": HOSTILE},
        timeout=10,
    )
    page.get_by_role("link", name="Request 1").wait_for()
    page.reload()
    page.get_by_role("link", name="Request 1").click()
    page.get_by_text("X-Note", exact=True).wait_for()
    assert page.title().startswith("Request 1 ")
    assert page.locator("img").count() == 0


def test_by_the_keyboard_alone(page: Any) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Python"
    assert "import requests" in page.get_by_role("tabpanel").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_each_page_can_be_used_by_everybody(
    chromium: Any, graph: MockGraph, axe: str, scheme: str, width: int
) -> None:
    graph.faults.throttle(times=2, retry_after=30)
    graph.snapshot("one")
    graph.stubs.add("GET", "/me", json={})
    for _ in range(2):
        client_asks(graph)
    context = chromium.new_context(
        base_url=graph.origin,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        bypass_csp=True,  # axe is put into the page
    )
    page = context.new_page()
    key = graph.state["Security"]["alerts_v2"][0]["id"]
    for path in [*PAGES, "/journal/2", f"/entity/security/alerts_v2?key={key}"]:
        page.goto(CONSOLE + path)
        page.evaluate(axe)
        found = page.evaluate("axe.run()")
        told = [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]
        assert told == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    context.close()


def test_a_phone_shows_how_each_request_ended(page: Any, graph: MockGraph) -> None:
    client_asks(graph)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{CONSOLE}/journal")
    status = page.locator("#journal tbody tr").first.get_by_role("cell", name="200", exact=True)
    box = status.bounding_box()
    assert box["x"] + box["width"] <= 390
    page.goto(CONSOLE)
    box = page.locator("#sets tbody td.number").first.bounding_box()
    assert box["x"] + box["width"] <= 390
