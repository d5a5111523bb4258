"""Write what the bundled pages show, ``fixtures/documented.json``, so that no start parses them.

    python scripts/write_documented.py [FILE]

It follows from the pages alone: after a change of one, run this and commit both. Until then the
pages are parsed at each start.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mockgraph.pages import bundled_pages
from mockgraph.pages.examples import documented
from mockgraph.seeds import DIGEST, checksums
from mockgraph.service import SERVICE

FIXTURES = Path(__file__).parent.parent / "fixtures"


def digest() -> str:
    """The checksums of the pages and what they show, as text."""
    shown = documented(SERVICE, bundled_pages())
    content = {"pages": checksums(), **shown}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES / DIGEST
    target.write_text(digest(), encoding="utf-8", newline="\n")
