"""Contract tests for writers of components and materializers: inherit a class, give its fixtures."""
