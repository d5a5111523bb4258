"""Recipes of the documentation: docs/recipes.md shows each of these files whole."""
