"""Owns what is remembered in SQLite: components, stacks, runs, steps, artifacts and their edges."""
