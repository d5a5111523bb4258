"""The app as a Flask app: routes, hooks and error handlers that a user registers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from flask import Blueprint, Flask
from werkzeug.serving import make_server
from wire import ask

from mockgraph import create_app
from mockgraph.errors import BadRequest, GraphError, NotFound
from mockgraph.server_options import Settings

BEARER = {"Authorization": "Bearer x"}
ALERTS = "/v1.0/security/alerts"


@pytest.fixture
def app() -> Iterator[Flask]:
    app = create_app(Settings(seed=({"Security": {"alerts": [{"id": "a1", "title": "One"}]}},)))
    yield app
    app.extensions["mockgraph"].close()


def get(app: Flask, path: str, **options: Any) -> Any:
    return app.test_client().get(path, headers=BEARER, **options)


def test_a_small_app_of_a_users_own(app: Flask) -> None:
    """The one that the documentation shows: a route beside Graph's, and a hook that counts."""
    counted: Counter[str] = Counter()

    @app.get("/v1.0/me")
    def me() -> dict[str, str]:
        return {"displayName": "Ada"}

    @app.before_request
    def count() -> None:
        counted[flask.request.path] += 1

    assert get(app, "/v1.0/me").json == {"displayName": "Ada"}
    assert get(app, f"{ALERTS}/a1").json["title"] == "One"
    assert get(app, f"{ALERTS}/none").json["error"]["code"] == "ResourceNotFound"
    assert counted == {"/v1.0/me": 1, f"{ALERTS}/a1": 1, f"{ALERTS}/none": 1}


def test_flasks_own_server_serves_it(app: Flask) -> None:
    """Which gives the client's port as a number."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        origin = f"http://127.0.0.1:{server.server_port}"
        assert ask(origin, "GET", f"{ALERTS}/a1", headers=BEARER).json["title"] == "One"
        assert ask(origin, "GET", "/v1.0/nowhere", headers=BEARER).status == 400
    finally:
        server.shutdown()
        server.server_close()
    recorded = app.extensions["mockgraph"].default.requests()
    assert [each.status for each in recorded] == [200, 400]
    assert all(each.sender.isdecimal() for each in recorded)


def test_a_route_goes_before_graphs_own_path(app: Flask) -> None:
    @app.get(f"{ALERTS}/<key>")
    def mine(key: str) -> dict[str, str]:
        return {"mine": key}

    assert get(app, f"{ALERTS}/a1").json == {"mine": "a1"}
    assert "value" in get(app, ALERTS).json
    refused = app.test_client().delete(f"{ALERTS}/a1", headers=BEARER)
    assert refused.status_code == 405
    assert refused.get_json()["error"]["code"] == "MethodNotAllowed"


def test_a_blueprint(app: Flask) -> None:
    users = Blueprint("users", __name__, url_prefix="/v1.0/users")

    @users.get("/<name>")
    def user(name: str) -> dict[str, str]:
        return {"id": name}

    app.register_blueprint(users)
    assert get(app, "/v1.0/users/ada").json == {"id": "ada"}
    assert get(app, f"{ALERTS}/a1").status_code == 200
    assert app.test_client().get("/_mockgraph/health").status_code == 200


def test_a_hook_may_answer(app: Flask) -> None:
    @app.before_request
    def refuse() -> tuple[str, int] | None:
        return ("closed", 503) if flask.request.path == ALERTS else None

    assert get(app, ALERTS).data == b"closed"
    assert get(app, f"{ALERTS}/a1").status_code == 200


def test_a_hook_may_change_an_answer(app: Flask) -> None:
    @app.after_request
    def mark(response: Any) -> Any:
        response.headers["x-mine"] = "yes"
        return response

    whole = get(app, f"{ALERTS}/a1")
    assert whole.headers["x-mine"] == "yes"
    assert whole.headers["request-id"]
    assert int(whole.headers["Content-Length"]) == len(whole.data)
    head = app.test_client().head(f"{ALERTS}/a1", headers=BEARER)
    assert (head.data, head.headers["Content-Length"]) == (b"", whole.headers["Content-Length"])


@pytest.mark.parametrize("key", [404, NotFound, GraphError, Exception])
def test_an_error_handler_gets_graphs_errors(app: Flask, key: Any) -> None:
    @app.errorhandler(key)
    def handle(error: GraphError) -> tuple[dict[str, str], int]:
        return {"mine": error.message}, 410

    answer = get(app, f"{ALERTS}/none")
    assert answer.status_code == 410
    assert "none" in answer.json["mine"]
    assert answer.headers["request-id"]


def test_an_error_handler_gets_its_own_errors_alone(app: Flask) -> None:
    @app.errorhandler(BadRequest)
    def handle(error: BadRequest) -> str:
        return error.message

    assert get(app, f"{ALERTS}/none").json["error"]["code"] == "ResourceNotFound"
    assert get(app, f"{ALERTS}?$top=x").status_code == 200


def test_an_error_in_a_route_is_graphs_500(app: Flask) -> None:
    @app.get("/v1.0/me")
    def me() -> str:
        raise ZeroDivisionError

    answer = get(app, "/v1.0/me")
    assert answer.status_code == 500
    assert answer.json["error"]["code"] == "InternalServerError"


def test_tenants_have_the_routes_too(app: Flask) -> None:
    @app.get("/v1.0/me")
    def me() -> dict[str, str]:
        return {"root": flask.request.root_path}

    assert get(app, "/t/one/v1.0/me").json == {"root": "/t/one"}
    assert get(app, f"/t/one{ALERTS}/a1").status_code == 200


def test_items_of_a_batch_meet_the_hooks(app: Flask) -> None:
    seen = []
    app.before_request(lambda: seen.append(flask.request.path))
    batch = {"requests": [{"id": "1", "method": "GET", "url": "/security/alerts/a1"}]}
    answer = app.test_client().post("/v1.0/$batch", json=batch, headers=BEARER)
    assert answer.get_json()["responses"][0]["status"] == 200
    assert seen == ["/v1.0/$batch", f"{ALERTS}/a1"]


def test_what_routes_answer_is_in_the_journal(app: Flask) -> None:
    @app.get("/v1.0/me")
    def me() -> dict[str, str]:
        return {"displayName": "Ada"}

    get(app, "/v1.0/me")
    get(app, f"{ALERTS}/a1")
    app.test_client().get("/_mockgraph/health")
    recorded = app.extensions["mockgraph"].default.requests()
    assert [(each.path, each.answered_by) for each in recorded] == [
        ("/v1.0/me", "route"),
        (f"{ALERTS}/a1", "emulation"),
    ]
    assert recorded[0].response == {"displayName": "Ada"}


def test_faults_strike_behind_hooks_too(app: Flask) -> None:
    app.before_request(lambda: None)
    tenant = app.extensions["mockgraph"].default
    tenant.faults.slow_body(pieces=2, pause_ms=1)
    answer = get(app, f"{ALERTS}/a1", environ_overrides={"mockgraph.sleep": lambda _: None})
    assert answer.json["title"] == "One"
    tenant.faults.throttle()
    assert get(app, f"{ALERTS}/a1").status_code == 429


def test_graphs_paths_are_answered_alike_with_a_hook(app: Flask) -> None:
    paths = (ALERTS, f"{ALERTS}/a1", f"{ALERTS}/none", "/v1.0//security/alerts", "/v2/x", "/v1.0")
    plain = [get(app, path) for path in paths]
    app.before_request(lambda: None)
    for path, before in zip(paths, plain, strict=True):
        after = get(app, path)
        assert after.status_code == before.status_code
        if before.status_code == 200:
            assert after.data == before.data
        assert [*after.headers.keys()] == [*before.headers.keys()]


def test_without_anything_registered_no_context_is_pushed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any) -> None:
        raise AssertionError("Flask's way was taken.")

    monkeypatch.setattr(app, "full_dispatch_request", forbidden)
    assert get(app, f"{ALERTS}/a1").status_code == 200


def test_the_control_plane_leaves_the_short_way_open(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.test_client().get("/_mockgraph").status_code == 200
    test_without_anything_registered_no_context_is_pushed(app, monkeypatch)
