"""pytest-httpserver as a server of its own: ``python -m benchmarks.httpserver PORT PATH``.

Answers GET and PATCH of the path with ``answer.json`` of the directory that it is started in.
"""

import signal
import sys
from pathlib import Path

from pytest_httpserver import HTTPServer


def main(port: int, path: str) -> None:
    answer = Path("answer.json").read_text()
    with HTTPServer(host="127.0.0.1", port=port) as server:
        for method in ("GET", "PATCH"):
            handler = server.expect_request(path, method=method)
            handler.respond_with_data(answer, content_type="application/json")
        signal.sigwait([signal.SIGTERM, signal.SIGINT])


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    main(int(sys.argv[1]), sys.argv[2])
