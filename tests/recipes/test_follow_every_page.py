"""All entities of a long list, page by page, though somebody writes in between."""

from collections.abc import Iterator

import pytest
import requests

from mockgraph import MockGraph


def every(url: str) -> Iterator[str]:
    """The code under test: it follows @odata.nextLink until there is none."""
    while url:
        page = requests.get(url, headers={"Authorization": "Bearer x"}, timeout=10).json()
        yield from (each["id"] for each in page["value"])
        url = page.get("@odata.nextLink", "")


@pytest.mark.mockgraph(seed="demo?scale=250")
def test_nothing_is_read_twice_or_missed(mockgraph: MockGraph) -> None:
    there = {each["id"] for each in mockgraph.state["Security"]["alerts_v2"]}
    reading = every(f"{mockgraph.v1}/security/alerts_v2?$top=100&$select=id")

    first = next(reading)
    mockgraph.add("alerts_v2", title="Raised while somebody reads")
    ids = [first, *reading]

    assert len(ids) == len(set(ids)) == 250
    assert set(ids) == there
    mockgraph.assert_called("GET", "/security/alerts_v2", times=3)
