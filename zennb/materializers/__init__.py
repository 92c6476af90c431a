"""Materializers: they serialize values to bytes and load them again. `registry` chooses one for each value."""
