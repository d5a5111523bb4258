"""How much of a request is read, and what is said beyond that."""

from __future__ import annotations

from io import BytesIO

from mockgraph.errors import GraphError
from mockgraph.settings import MAX_STATE

MAX_HEAD = 64 * 1024  # bytes
MAX_TARGET = 32 * 1024  # bytes
MAX_HEADERS = 100


class TargetTooLong(GraphError):
    status = 414
    code = "RequestUriTooLong"
    default_message = f"The URL is longer than the {MAX_TARGET} bytes allowed."


class HeadersTooLarge(GraphError):
    status = 431
    code = "RequestHeaderFieldsTooLarge"
    default_message = f"More than {MAX_HEADERS} header fields or {MAX_HEAD} bytes of them."


class CutOff(BytesIO):
    """The beginning of a body that is too large: nobody can take it for the whole."""

    def read(self, size: int | None = -1) -> bytes:
        data = b"" if size is None or size < 0 else super().read(size)
        if not data and size != 0:
            raise OSError("The request body is larger than the server keeps.")
        return data


def most_bytes(method: str, path: str, to_graph: int) -> int:
    """How many bytes a body may have: what is put to the control plane may be a whole state."""
    return MAX_STATE if method == "PUT" and "/_mockgraph/" in path else to_graph
