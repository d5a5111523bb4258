"""Reports from the journal."""
