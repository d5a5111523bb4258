"""The journal, the expectations of it, and the retry police."""
