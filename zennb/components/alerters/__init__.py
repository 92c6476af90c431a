"""Alerters we ship, one per file."""
