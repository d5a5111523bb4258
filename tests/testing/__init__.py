"""The room of a test: tenants, faults, stubs, the journal, expectations, the police."""
