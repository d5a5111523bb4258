"""Serve a WSGI app by MockGraph's HTTP server: ``MODULE:APP PORT [PROXY_PORT CA_DIR]``."""

from __future__ import annotations

import importlib
import signal
import sys

from mockgraph.serving.server import Server


def main(app: str, port: str, proxy_port: str = "", ca_dir: str = "") -> None:
    module, _, name = app.partition(":")
    served = getattr(importlib.import_module(module), name)
    certificate = None
    if proxy_port:
        from mockgraph.serving.tls import authority

        certificate = authority(ca_dir).issue()
    server = Server(
        served,
        port=int(port),
        proxy_port=int(proxy_port) if proxy_port else None,
        proxy_certificate=certificate,
    )
    server.start()
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
