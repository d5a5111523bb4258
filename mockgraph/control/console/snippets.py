"""Programs of a few lines that ask this server, to be copied into one's own."""

from __future__ import annotations

from typing import NamedTuple

_CURL = """\
curl -H 'Authorization: Bearer {token}' \\
  '{url}/security/alerts_v2?$top=5'"""

_PYTHON = """\
import requests

answer = requests.get(
    "{url}/security/alerts_v2",
    params={{"$filter": "severity eq 'high'", "$top": 5}},
    headers={{"Authorization": "Bearer {token}"}},
)
answer.raise_for_status()
for alert in answer.json()["value"]:
    print(alert["severity"], alert["title"])"""

_SDK = """\
import asyncio

from azure.core.credentials import AccessToken
from msgraph import GraphServiceClient


class AnyToken:
    def get_token(self, *scopes, **options):
        return AccessToken("{token}", 2**31)


async def main():
    client = GraphServiceClient(AnyToken(), ["https://graph.microsoft.com/.default"])
    client.request_adapter.base_url = "{url}"
    page = await client.security.alerts_v2.get()
    print([alert.title for alert in page.value])


asyncio.run(main())"""

_JAVASCRIPT = """\
const answer = await fetch("{url}/security/alerts_v2?$top=5", {{
  headers: {{ Authorization: "Bearer {token}" }},
}});
if (!answer.ok) throw new Error((await answer.json()).error.message);
for (const alert of (await answer.json()).value) console.log(alert.severity, alert.title);"""

_CSHARP = """\
using System.Net.Http.Headers;
using System.Text.Json;

using var client = new HttpClient();
client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "{token}");
var json = await client.GetStringAsync("{url}/security/alerts_v2?$top=5");
foreach (var alert in JsonDocument.Parse(json).RootElement.GetProperty("value").EnumerateArray())
    Console.WriteLine($"{{alert.GetProperty("severity")}} {{alert.GetProperty("title")}}");"""

_PROGRAMS = {
    "curl": _CURL,
    "Python": _PYTHON,
    "Python, msgraph-sdk": _SDK,
    "JavaScript": _JAVASCRIPT,
    "C#": _CSHARP,
}


class Snippet(NamedTuple):
    """A program in a language, as text."""

    language: str
    text: str


def snippets(url: str, auth: str) -> list[Snippet]:
    """Return the programs for a root at this URL.

    Where tokens are verified (``auth`` is ``jwt``), one has to be put in the place of TOKEN.
    """
    token = "TOKEN" if auth == "jwt" else "anything"
    return [
        Snippet(language, text.format(url=url, token=token)) for language, text in _PROGRAMS.items()
    ]
