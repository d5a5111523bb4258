"""A program with Microsoft's hosts built in, tested as it is: its calls are answered in process."""

import httpx
import pytest

from mockgraph import MockGraph


async def titles() -> list[str]:
    """The code under test: it signs in, and reads; nothing in it can be set."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "reader",
        "client_secret": "s3cret",
        "scope": "https://graph.microsoft.com/.default",
    }
    sign_in = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
    async with httpx.AsyncClient() as client:
        token = (await client.post(sign_in, data=form)).json()["access_token"]
        answer = await client.get(
            "https://graph.microsoft.com/v1.0/security/alerts_v2",
            headers={"Authorization": f"Bearer {token}"},
        )
        return [each["title"] for each in answer.json()["value"]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.mockgraph(intercept=True, auth="jwt")
async def test_it_signs_in_and_reads(mockgraph: MockGraph) -> None:
    mockgraph.add("alerts_v2", title="Odd sign-in")
    assert await titles() == ["Odd sign-in"]
