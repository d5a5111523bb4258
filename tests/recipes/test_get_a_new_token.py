"""A token that is revoked while a program runs: the claims of the challenge get a new one."""

import base64
import re
from collections.abc import Callable

import pytest
import requests

from mockgraph import MockGraph

GetToken = Callable[[str], str]


def read(url: str, get_token: GetToken) -> int:
    """The code under test: with a challenge it asks for a token once more, with its claims."""
    claims = ""
    for _ in range(2):
        headers = {"Authorization": f"Bearer {get_token(claims)}"}
        answer = requests.get(url, headers=headers, timeout=10)
        challenge = re.search(r'claims="([^"]+)"', answer.headers.get("WWW-Authenticate", ""))
        if answer.status_code != 401 or challenge is None:
            break
        claims = base64.b64decode(challenge[1]).decode()
    return answer.status_code


@pytest.mark.mockgraph(auth="jwt")
def test_it_comes_back_with_the_claims(mockgraph: MockGraph) -> None:
    asked = []

    def get_token(claims: str) -> str:
        asked.append(claims)
        return mockgraph.token()

    mockgraph.faults.challenge()
    assert read(f"{mockgraph.v1}/security/incidents", get_token) == 200
    assert "access_token" in asked[1]
    mockgraph.assert_well_behaved()
