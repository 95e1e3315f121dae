"""Shared foundations: step records, schema, registries, observers, files and errors."""
