"""Owns what brings back a damaged home."""
