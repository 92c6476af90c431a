"""Artifact stores we ship, one per file, and the parts of the local one."""
