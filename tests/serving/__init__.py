"""Tests of how a client gets here."""
