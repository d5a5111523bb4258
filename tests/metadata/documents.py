"""CSDL documents for tests: a short one around some lines, and the one with all features."""

from __future__ import annotations

from pathlib import Path

FEATURES = Path(__file__).parent / "data" / "features.csdl"
HEAD = '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">'
SCHEMA = '<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="n" Alias="a">'


def document(*lines: str) -> bytes:
    """A document whose first line of content is line 4."""
    return "\n".join(
        [HEAD, "<edmx:DataServices>", SCHEMA, *lines, "</Schema></edmx:DataServices></edmx:Edmx>"]
    ).encode()
