"""The Kusto Query Language: its text read into a tree, and the tree written as SQL of DuckDB.

Why a compiler of the project's own: on 113 detections written for this project (one a technique,
``tests/service/hunting/detections``), over empty tables, the libraries there were ran
``duckdb-kql`` 1.1.2: 85, ``streaming-kql`` 0.0.2: 21 (parsed), ``kqlbridge`` 0.12.1: 5,
``adxpandas`` 0.2.3: 3; ``kustology`` 0.4.0 wraps a parser that needs .NET. What the first one
lacks is in its generated grammar (``serialize``, ``mv-apply``, ``make-series``) and among its
operators, so a layer in front could not add it; and none gives the types of the answer's columns,
or the names near one that is not known.
"""
