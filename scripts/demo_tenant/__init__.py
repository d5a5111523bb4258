"""The tenant of ``--seed demo``: Tidewell, an invented maker of tide gauges and sonar.

Names, identifiers, hashes and prose are made up. Domains end in ``.example`` (RFC 2606),
addresses are those set aside for documentation (RFC 5737, RFC 3849) or private (RFC 1918),
autonomous systems likewise (RFC 5398). Everything follows from what is written here, so that
the data is the same every time.
"""
