"""A stand-in for the loop of a connection, without a server."""

from __future__ import annotations

from mockgraph.serving.server.connection import Connection


class StillLoop:
    """A loop that serves nobody else."""

    max_body = 1000
    body_limit = None
    log = None
    is_stopping = False

    def sleep(self, connection: Connection, seconds: float) -> bool:  # noqa: ARG002
        return False
