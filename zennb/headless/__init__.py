"""Notebook files: reading, running and checking them."""
