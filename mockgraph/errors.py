"""Every refusal, as an exception that carries its status, code and message.

This is the one place that knows Graph's error body. The codes are those that the live
service answers; ``innerError`` is spelt as both SDKs read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar

# Reason phrases by status, the same on every Python: 3.13 took up the names of RFC 9110 for
# these four, while Graph kept those of RFC 7231 and of WebDAV, in its codes too.
PHRASES: dict[int, str] = {each.value: each.phrase for each in HTTPStatus} | {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}


class GraphError(Exception):
    """A refusal in Graph's shape: an HTTP status, a code and a message for a person."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "InternalServerError"
    default_message: ClassVar[str] = "An internal server error occurred."

    def __init__(self, message: str | None = None, *, headers: Sequence[tuple[str, str]] = ()):
        self.message = message or self.default_message
        self.headers = tuple(headers)
        super().__init__(self.message)

    def body(
        self, request_id: str, client_request_id: str, at: datetime | None = None
    ) -> dict[str, Any]:
        """Return the error object of an answer: ``{"error": {"code", "message", "innerError"}}``.

        ``at`` is when it happened, in UTC; now if left out.
        """
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S"),
                    "request-id": request_id,
                    "client-request-id": client_request_id,
                },
            }
        }


class BadRequest(GraphError):
    status = 400
    code = "BadRequest"
    default_message = "The request is not valid."


class UnknownSegment(BadRequest):
    """A path leads nowhere at a segment; ``roots`` are those under which it leads on."""

    def __init__(self, segment: str, roots: Sequence[str] = ()):
        message = f"Resource not found for the segment '{segment}'."
        if roots:
            message += f" It is served under {' and '.join(roots)}."
        super().__init__(message)


class UnknownRoot(BadRequest):
    def __init__(self, root: str):
        super().__init__(f"Invalid version: {root}")


class LimitExceeded(BadRequest):
    """A query option asks for more than the resource gives at once, in OData .NET's words."""

    def __init__(self, option: str, limit: int, asked: int):
        super().__init__(
            f"The limit of '{limit}' for {option} query has been exceeded. "
            f"The value from the incoming request is '{asked}'."
        )


class EmptyPayload(BadRequest):
    default_message = "Empty Payload. JSON content expected."


class MalformedPayload(BadRequest):
    default_message = (
        "Unable to read JSON request payload. Please ensure Content-Type header is set and "
        "payload is of valid JSON format."
    )


class Unauthenticated(GraphError):
    status = 401
    code = "InvalidAuthenticationToken"
    default_message = "Access token is empty."

    def __init__(self, message: str | None = None, challenge: str = ""):
        # The field names and their order are those of the live service's challenge.
        parameters = (
            'realm="", '
            'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        )
        challenge = f", {challenge}" if challenge else ""
        super().__init__(message, headers=[("WWW-Authenticate", f"Bearer {parameters}{challenge}")])


class Forbidden(GraphError):
    status = 403
    code = "Authorization_RequestDenied"
    default_message = "Insufficient privileges to complete the operation."


class MissingRoles(Forbidden):
    """A caller lacks what a newer service of Security demands, in that service's words.

    ``held`` are the roles of an app, or the scopes by which it acts for a user.
    """

    code = "Forbidden"

    def __init__(self, required: Sequence[str], held: Iterable[str], *, is_app: bool):
        what, whose = ("roles", "application") if is_app else ("scopes", "user")
        super().__init__(
            f"Missing {whose} {what}. API required {what}: {','.join(required)}, "
            f"{whose} {what}: {','.join(sorted(held))}."
        )


class HostRefused(GraphError):
    """A request by a host name behind which a web page may be."""

    status = 403
    code = "Forbidden"

    def __init__(self, host: str):
        super().__init__(
            f"MockGraph is not to be asked by the host name {host[:100]!r}: a web page may be "
            "behind it. Allow it with --allowed-host."
        )


class OriginRefused(GraphError):
    """The control plane is asked by a web page of another site; ``origin`` is None if unsaid."""

    status = 403
    code = "Forbidden"

    def __init__(self, origin: str | None):
        page = "a web page of another site" if origin is None else f"the origin {origin[:100]!r}"
        super().__init__(
            f"The control plane is not for {page}. Allow an origin with --allowed-origin."
        )


class ConsoleLinkRefused(OriginRefused):
    """A person has followed a link of another site to a page of the console."""


class ControlNotProxied(GraphError):
    """The control plane is asked through the proxy, by the name of somebody else's host."""

    status = 403
    code = "Forbidden"
    default_message = "The control plane is MockGraph's: ask it by a URL of MockGraph's own."


class ControlTokenMissing(GraphError):
    """The control plane has a token, and the caller did not send it."""

    status = 401
    code = "Unauthorized"
    default_message = "The control plane asks for its token in the header x-mockgraph-token."


class ConsoleTokenMissing(ControlTokenMissing):
    """A browser that shows a page of the console has not been told the token."""


class ProxyRefused(GraphError):
    """A request that another proxy would pass on; ``summary`` fits in a status line."""

    status = 403
    code = "Forbidden"

    def __init__(self, target: str):
        self.summary = f"MockGraph does not pass requests on to {target}"
        super().__init__(
            f"{self.summary}: as a proxy it answers for Microsoft Graph and Entra, on their own "
            "ports, and nothing leaves this machine. Name the host in NO_PROXY to have it asked "
            "directly."
        )


class NotFound(GraphError):
    status = 404
    code = "ResourceNotFound"
    default_message = "Resource not found."


class UnknownKey(NotFound):
    """Says that no entity has a key."""

    def __init__(self, key: str):
        super().__init__(f"Resource '{key}' does not exist.")


class MethodNotAllowed(GraphError):
    status = 405
    code = "MethodNotAllowed"

    default_message = "Specified HTTP method is not allowed for the request target."

    def __init__(self, allowed: Sequence[str]):
        super().__init__(headers=[("Allow", ", ".join(allowed))])


class NotAcceptable(GraphError):
    status = 406
    code = "NotAcceptable"


class ClientMisbehaved(GraphError):
    """The client does what Graph's guidance tells clients not to do; no client retries a 400."""

    status = 400
    code = "ClientMisbehaved"


class ExpectationFailed(GraphError):
    """An expectation of a test does not hold for the requests."""

    status = 417
    code = "ExpectationFailed"


class Conflict(GraphError):
    status = 409
    code = "Conflict"


class Overtaken(GraphError):
    """A request was held up until MockGraph was reset: what it was for is gone."""

    status = 410
    code = "Gone"
    default_message = "MockGraph was reset while this request waited, so it was not carried out."


class PreconditionFailed(GraphError):
    status = 412
    code = "PreconditionFailed"
    default_message = "The entity has changed: its etag does not match the one in the request."


class PayloadTooLarge(GraphError):
    status = 413
    code = "RequestEntityTooLarge"

    def __init__(self, limit: int):
        super().__init__(f"The request body is larger than the {limit} bytes allowed.")


class TooManyValues(PayloadTooLarge):
    def __init__(self, most: int):
        GraphError.__init__(
            self,
            f"The request body has more than the {most} objects or arrays allowed of its size.",
        )


class UnsupportedMediaType(GraphError):
    status = 415
    code = "UnsupportedMediaType"

    def __init__(self, media_type: str):
        super().__init__(f"The media type '{media_type}' is not supported; send application/json.")


class UnsupportedCoding(GraphError):
    """A body is packed in a way that cannot be unpacked (RFC 7694)."""

    status = 415
    code = "UnsupportedMediaType"

    def __init__(self, coding: str):
        super().__init__(
            f"The content coding '{coding}' is not supported; send gzip, or a plain body.",
            headers=[("Accept-Encoding", "gzip")],
        )


class Misdirected(GraphError):
    """A request for one host in the tunnel to another."""

    status = 421
    code = "MisdirectedRequest"

    def __init__(self, host: str, other: str):
        super().__init__(f"The tunnel is to {host}, and the request is for {other}.")


class FailedDependency(GraphError):
    status = 424
    code = "FailedDependency"
    default_message = "A request that this one depends on failed."


class NotEmulated(GraphError):
    """Something that Graph has and MockGraph lacks: said, never made up."""

    status = 501
    code = "notImplemented"

    def __init__(self, what: str):
        super().__init__(f"MockGraph does not emulate {what}.")


class WrongResult(GraphError):
    """A behaviour that a user registered returned a value that the metadata does not declare."""

    def __init__(self, name: str, fault: str):
        super().__init__(f"What is registered with MockGraph for '{name}' is wrong: {fault}")


class ServiceUnavailable(GraphError):
    status = 503
    code = "ServiceUnavailable"
    default_message = "The service is not available."


class StoreFailed(GraphError):
    """The store could not take a write; the state is as it was before."""

    status = 507
    code = "InsufficientStorage"


# What a web framework refuses by itself, as the refusal that it is here.
BY_STATUS: dict[int, type[GraphError]] = {
    400: BadRequest,
    404: NotFound,
    406: NotAcceptable,
    412: PreconditionFailed,
}


class MockGraphError(Exception):
    """A fault of the setup (a seed, a store, a port), told to the person who started us."""
