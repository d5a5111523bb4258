"""``python -m mockgraph``: the command line, where no script was installed."""

from mockgraph.cli import main

main(prog_name="mockgraph")
