"""How a client gets here: the HTTP server, TLS, the proxy, and transports without a socket."""
