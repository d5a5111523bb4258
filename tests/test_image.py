"""What the image does that Docker is not needed for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
from processes import ROOT
from wire import port_of

from mockgraph import MockGraph

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_it_is_healthy_while_it_serves() -> None:
    found = re.search(r"HEALTHCHECK.*\n\s*CMD (\[.*\])", DOCKERFILE)
    assert found is not None
    command = json.loads(found[1])
    with MockGraph() as graph:
        environment = {**os.environ, "MOCKGRAPH_PORT": str(port_of(graph.origin))}
        assert subprocess.run(command, env=environment, timeout=30).returncode == 0
    assert subprocess.run(command, env=environment, timeout=30).returncode != 0


def test_it_needs_no_user_of_its_own() -> None:
    user = re.search(r"^USER (\d+):0$", DOCKERFILE, re.MULTILINE)
    assert user is not None
    assert "--mode 1777 /data" in DOCKERFILE
