"""Runs the example programs, each with the Python that has its client, against one server.

python examples/run.py PYTHON_WITH_THE_SDK
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mockgraph import MockGraph

HERE = Path(__file__).parent


def main(sdk_python: str) -> None:
    with MockGraph() as graph:
        subprocess.run([sdk_python, str(HERE / "python_sdk.py"), graph.origin], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
