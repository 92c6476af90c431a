"""Orchestrators we ship, one per file."""
