"""Advanced hunting: the tables of its schema, what is in them, and queries of KQL over them.

DuckDB and pyarrow, which the extra ``mockgraph[hunting]`` brings, are loaded when a first query is
run: what lies here can be imported without them.
"""
