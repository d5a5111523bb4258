"""The retry police."""
