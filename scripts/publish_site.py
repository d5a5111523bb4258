"""Put a built site beside those of other versions, as GitHub Pages serves them.

    python -m scripts.publish_site BUILT SITE NAME

``NAME`` is a tag, ``v1.2.3``, or a branch. Each has a folder, ``1.2.3`` or its own name;
``versions.json`` lists them, the latest release first, and ``index.html`` leads to that one, or to
a branch's where there is none.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)(.*)")
_LEAD = """\
<!doctype html>
<meta charset="utf-8">
<title>MockGraph</title>
<meta http-equiv="refresh" content="0; url={version}/">
<a href="{version}/">MockGraph {version}</a>
"""


def publish(built: Path, site: Path, name: str) -> None:
    """Put a build into a site in place of an earlier one of the same name."""
    folder = site / re.sub(r"^v(?=\d)", "", name)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(built, folder, ignore=shutil.ignore_patterns(".doctrees", ".buildinfo"))
    there = versions(site)
    (site / "versions.json").write_text(json.dumps(there) + "\n", encoding="utf-8")
    (site / "index.html").write_text(_LEAD.format(version=there[0]), encoding="utf-8")
    (site / ".nojekyll").touch()  # folders that begin with _ are served as well


def versions(site: Path) -> list[str]:
    """Return the versions of a site: the latest release first, then pre-releases and branches."""
    found = [path.name for path in site.iterdir() if (path / "index.html").is_file()]
    return sorted(found, key=_order)


def _order(name: str) -> tuple[object, ...]:
    release = _RELEASE.fullmatch(name)
    if release is None:
        return 2, name
    numbers = tuple(-int(each) for each in release.groups()[:3])
    return (1 if release[4] else 0), numbers, release[4]


if __name__ == "__main__":
    publish(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
