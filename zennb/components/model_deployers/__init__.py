"""Model deployers we ship, one per file, and what they share."""
