"""A test and its server: tenants, faults, stubs, the journal, expectations, the retry police."""
