"""MockGraph beside the bare framework and its peers, measured in one run: ``make bench``.

``candidates`` and ``peers`` are the servers, ``load`` sends requests to them, ``scenarios``,
``growth``, ``starting``, ``suites`` and ``first_server`` say what is measured, ``report`` writes
it down.
"""
