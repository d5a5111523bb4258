"""The site, built by ``make docs`` with Sphinx: Markdown by MyST, references out of the code.

A comment ``<!-- reference: NAME -->`` in a page is where a part of ``scripts.reference`` comes.
Links that leave ``docs`` lead to the repository, at the branch or tag in ``MOCKGRAPH_REF``.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from pygments.lexers.data import JsonLexer
from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from scripts.reference import PARTS  # noqa: E402

REPOSITORY = "https://github.com/mockgraph/mockgraph"
REF = os.environ.get("MOCKGRAPH_REF", "main")

project = "MockGraph"
author = "the MockGraph authors"
copyright = "the MockGraph authors; not affiliated with Microsoft"
version = release = REF.removeprefix("v")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
smartquotes = False  # options of commands are written with two hyphens
# Blocks of other programs' output are shown as they are.
highlight_language = "none"

html_theme = "furo"
html_title = f"MockGraph {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("versions.js", "copy.js")]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "source_repository": f"{REPOSITORY}/",
    "source_branch": REF,
    "source_directory": "docs/",
    "top_of_page_buttons": ["view"],
}
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "versions.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}

# Files of the repository that are pages of the site.
_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
_PART = re.compile(r"<!-- reference: ([\w-]+) -->")


def linked(text: str, folder: Path, page: Path) -> str:
    """Return the text of a file in a folder with its links as they lead from a page of the site."""

    def target(found: re.Match[str]) -> str:
        path, anchor = (folder / found[1]).resolve(), found[2] or ""
        inside = path.is_relative_to(HERE) and not path.is_dir()
        below = path.relative_to(ROOT).as_posix()
        if not inside and below in _PAGES:
            inside, path = True, HERE / _PAGES[below]
            anchor = anchor if below != "README.md" else ""
        if inside:
            return os.path.relpath(path, page.parent) + anchor
        kind = "tree" if path.is_dir() else "blob"
        return f"{REPOSITORY}/{kind}/{REF}/{below}{anchor}"

    return _LINK.sub(target, text)


def read_page(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the parts of the reference into a page, and have its links lead somewhere."""
    page = HERE / f"{docname}.md"
    text = linked(source[0], page.parent, page)
    source[0] = _PART.sub(lambda found: PARTS[found[1]](), text)


def read_included(app: Sphinx, path: Path, _parent: str, source: list[str]) -> None:
    """Have the links of a file that a page includes lead somewhere."""
    page = HERE / f"{app.env.docname}.md"
    source[0] = linked(source[0], (HERE / path).resolve().parent, page)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what is done to pages as they are read."""
    app.add_lexer("jsonl", JsonLexer)
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
    return {"parallel_read_safe": True}
