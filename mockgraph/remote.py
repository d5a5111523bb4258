"""A running server, asked through its control plane."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from mockgraph.errors import MockGraphError

_SECONDS = 30


def mint(url: str, about: Mapping[str, Any]) -> str:
    """A token of the server's at a URL. Raises MockGraphError with what it says."""
    answer = _post(f"{url.rstrip('/')}/_mockgraph/tokens", about)
    return str(answer["access_token"])


def _post(url: str, body: Mapping[str, Any]) -> Any:
    try:
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = json.load(error)["error"]["message"]
        raise MockGraphError(f"{url} refuses: {said}") from None
    except (OSError, ValueError) as error:
        raise MockGraphError(f"{url} cannot be asked: {error}.") from None
