"""A state that outlives its server, and a script that looks into it meanwhile."""

from pathlib import Path

from tinydb import TinyDB, where

import mockgraph
from mockgraph import MockGraph


def test_the_store_keeps_what_was_written(tmp_path: Path) -> None:
    store = tmp_path / "graph.store"
    with MockGraph(store=store, durability="disk") as graph:
        graph.add("incidents", id="7", displayName="Ransomware")

    with TinyDB(store, storage=mockgraph.StoreStorage) as db:
        db.table("security/incidents").update({"status": "resolved"}, where("id") == "7")

    with MockGraph(store=store) as graph:
        (incident,) = graph.state["Security"]["incidents"]
        assert (incident["displayName"], incident["status"]) == ("Ransomware", "resolved")
