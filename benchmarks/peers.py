"""The peers as servers, each with the documents it needs for the same exchanges.

Those that keep state start with whole alerts, as MockGraph answers them. All write no log of
requests where they can be told so.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks import documents
from benchmarks.candidates import Candidate, Store
from benchmarks.installed import NODE_MODULES, PYTHON, Missing, node, npm_version, python_version
from benchmarks.load import Call, send
from benchmarks.peer_documents import attribute, environment, openapi, stub


class JsonServer(Store):
    name = "json-server"
    does = "keeps state, in a file that each write rewrites"
    root = "/Security"
    alerts = "/alerts"

    def __init__(self, stored: int = 0):
        self.stored = stored

    def command(self, port: int, work: Path) -> list[str]:
        state = {"Security": documents.security(), "alerts": list(documents.alerts(self.stored))}
        (work / "db.json").write_text(json.dumps(state))
        options = ["--quiet", "--host", "127.0.0.1", "--port", str(port)]
        return [*node("json-server", "lib/cli/bin.js"), *options, "db.json"]

    def version(self) -> str:
        return npm_version("json-server")

    def titled(self, title: str) -> str:
        return f"title={title}"

    def page(self) -> list[Call]:
        query = "severity=high&_sort=title&_order=asc&_limit=100"
        return [self.call("GET", f"{self.alerts}?{query}")]


class Mockoon(Store):
    name = "Mockoon"
    does = "keeps state, in memory"
    root = "/Security"
    alerts = "/alerts"

    def __init__(self, stored: int = 0):
        self.stored = stored

    def command(self, port: int, work: Path) -> list[str]:
        buckets = {
            "Security": documents.security(),
            "alerts": list(documents.alerts(self.stored)),
        }
        (work / "mocks.json").write_text(json.dumps(environment(port, buckets)))
        options = ["--hostname", "127.0.0.1", "--disable-log-to-file", "--disable-admin-api"]
        start = ["start", "--repair", "--data", "mocks.json", *options]
        return [*node("@mockoon/cli", "bin/run.js"), *start]

    def version(self) -> str:
        return npm_version("@mockoon/cli")

    def titled(self, title: str) -> str:
        return f"title_eq={title}"

    def page(self) -> list[Call]:
        query = "severity_eq=high&sort=title&order=asc&limit=100"
        return [self.call("GET", f"{self.alerts}?{query}")]


class Prism(Candidate):
    name = "Prism"
    does = "validates, answers the documented example"
    root = "/localtest/Security"

    def command(self, port: int, work: Path) -> list[str]:
        (work / "openapi.json").write_text(json.dumps(openapi(self.root)))
        options = ["--port", str(port), "--host", "127.0.0.1", "--verboseLevel", "error"]
        start = ["mock", *options, "openapi.json"]
        return [*node("@stoplight/prism-cli", "dist/index.js"), *start]

    def version(self) -> str:
        return npm_version("@stoplight/prism-cli")


class WireMock(Candidate):
    name = "WireMock"
    does = "answers the documented example"
    root = "/localtest/Security"
    warm = 10

    def command(self, port: int, work: Path) -> list[str]:
        java = shutil.which("java")
        jars = sorted(NODE_MODULES.glob("wiremock*/build/*.jar"))
        if java is None:
            raise Missing("there is no java on this machine")
        if not jars:
            raise Missing("the npm package wiremock is not installed")
        (work / "mappings").mkdir(exist_ok=True)
        stubs = {"mappings": [stub(method, self.root) for method in ("GET", "PATCH")]}
        (work / "mappings" / "security.json").write_text(json.dumps(stubs))
        options = ["--bind-address", "127.0.0.1", "--port", str(port), "--disable-banner"]
        # Without a bound its journal grows for as long as the burst lasts.
        bounded = ["--disable-request-logging", "--max-request-journal-entries", "1000"]
        return [java, "-jar", str(jars[-1]), "--root-dir", ".", *options, *bounded]

    def version(self) -> str:
        return npm_version("wiremock")


class Moto(Candidate):
    """DynamoDB's GetItem and UpdateItem of an item with the same properties."""

    name = "moto"
    does = "validates, keeps state (DynamoDB: the same item)"
    root = "/"
    table = "security"

    def command(self, port: int, work: Path) -> list[str]:  # noqa: ARG002
        python_version("moto")
        return [str(PYTHON.parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]

    def version(self) -> str:
        return python_version("moto")

    def prepare(self, port: int) -> None:
        key = [{"AttributeName": "id", "KeyType": "HASH"}]
        kinds = [{"AttributeName": "id", "AttributeType": "S"}]
        table = {"KeySchema": key, "AttributeDefinitions": kinds, "BillingMode": "PAY_PER_REQUEST"}
        send(port, self._call("CreateTable", table))
        send(port, self._call("PutItem", {"Item": attribute(documents.security())["M"]}))

    def first(self) -> Call:
        return Call("GET", "/moto-api/data.json")

    def singleton_get(self) -> list[Call]:
        return [self._call("GetItem", {"Key": self._key()})]

    def singleton_patch(self) -> list[Call]:
        return [
            self._call(
                "UpdateItem",
                {
                    "Key": self._key(),
                    "UpdateExpression": "SET providerStatus = :new",
                    "ExpressionAttributeValues": {":new": attribute(body["providerStatus"])},
                    "ReturnValues": "ALL_NEW",
                },
            )
            for body in documents.patches()
        ]

    def _key(self) -> dict[str, Any]:
        return {"id": {"S": documents.security()["id"]}}

    def _call(self, action: str, body: dict[str, Any]) -> Call:
        scope = "bench/20260101/us-east-1/dynamodb/aws4_request"
        headers = (
            ("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, Signature=none"),
            ("X-Amz-Target", f"DynamoDB_20120810.{action}"),
            ("Content-Type", "application/x-amz-json-1.0"),
        )
        return Call("POST", "/", json.dumps({"TableName": self.table, **body}).encode(), headers)


class HttpServer(Candidate):
    name = "pytest-httpserver"
    does = "answers the documented example"
    root = "/localtest/Security"

    def command(self, port: int, work: Path) -> list[str]:
        python_version("pytest-httpserver")
        (work / "answer.json").write_text(json.dumps(documents.security()))
        return [str(PYTHON), "-m", "benchmarks.httpserver", str(port), self.root]

    def version(self) -> str:
        return python_version("pytest-httpserver")


PEERS = (JsonServer, Prism, Mockoon, WireMock, Moto, HttpServer)
