"""Tests of the state: tables, transactions, documents and the store."""
