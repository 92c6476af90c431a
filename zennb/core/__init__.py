"""Pure values and functions: reading code, magic lines, plans and records. No files, no imports of user modules."""
