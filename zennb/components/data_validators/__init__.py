"""Data validators we ship, one per file, and the rules of plain schemas."""
