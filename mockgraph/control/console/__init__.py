"""The console: the control plane for people, in a browser, under ``/_mockgraph/console``.

Pages are made by the server, with Jinja2; small JavaScript modules send what forms say to the
control plane's own endpoints. Nothing is loaded from another host, and nothing runs inline.
"""
