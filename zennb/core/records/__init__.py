"""Records as plain values: runs, steps, artifacts, stacks, and what was observed of a step."""
