"""The limit: Flask that parses the body and answers prepared bytes.

They are read from ``answer.json`` in the directory that it is started in.
"""

from pathlib import Path

from flask import Flask, Response, request

ANSWER = Path("answer.json").read_bytes()

app = Flask("bare")


@app.route("/<path:path>", methods=["GET", "POST", "PATCH"])
def answer(path: str) -> Response:  # noqa: ARG001
    if request.method != "GET":
        request.get_json()
    return Response(ANSWER, content_type="application/json")
