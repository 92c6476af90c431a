"""Owns the SQLite database of components, stacks, runs, steps, artifacts and the edges between them."""
