"""The ways a client gets here: the HTTP server, TLS, the proxy, transports without a socket."""
