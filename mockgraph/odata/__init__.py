"""OData without HTTP: query options, metadata, batches."""
