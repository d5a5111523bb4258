"""A ``--store`` file as the storage of a TinyDB of a script's own."""

from __future__ import annotations

from mockgraph.service import SERVICE
from mockgraph.state.numbered_storage import NumberedStorage


class StoreStorage(NumberedStorage):
    """Opens a store that no server has open, for TinyDB to read and to write.

    The tables are named as those of ``graph.db``. TinyDB's own tables number their documents,
    so a document's ``doc_id`` is its place in the table, and its ``id`` what URLs name. What is
    written is checked against the schemas: BadRequest, with the path of the fault, refuses
    what does not fit, and then nothing is changed::

        with TinyDB("graph.store", storage=mockgraph.StoreStorage) as db:
            db.table("security/alerts").update({"status": "resolved"})
    """

    service = SERVICE
