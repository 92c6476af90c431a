"""Plans as plain values: cache keys, cache decisions, the order of steps, and what a run would do."""
