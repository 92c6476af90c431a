"""Model registries we ship, one per file."""
