"""Fuzz targets: input that was mutated, into each of the parsers."""
