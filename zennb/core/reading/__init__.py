"""Reads Python source: the names that code reads, binds and deletes."""
