"""Tests of what is documented, and of the site."""
