"""One step: its definition, dependencies, execution and outcome, and whether it may be reused."""
